//! A provider's recent record: how often it succeeds, and how fast.

use core::time::Duration;

use crate::clock::Tick;
use crate::names::named_enum;

/// The age at which an observation counts 1/e of a new one.
const DECAY: f64 = 60.0;

/// Fewer samples say nothing.
const FEWEST_SAMPLES: u32 = 3;

/// A record whose newest sample is older is forgotten.
const OLDEST: Duration = Duration::from_secs(180);

/// 97.5 % of a normal distribution lie below this many standard deviations.
const Z: f64 = 1.96;

named_enum! {
    /// The moment to which a latency is measured.
    CallKind: Default {
        /// The end of the call.
        Unary = "unary",
        /// The first content of a stream.
        Stream = "stream",
    }
}

/// Successes and failures whose weight decays with time, and the latency of the successes.
///
/// A small value that forgets an outage: unlike the lifetime counters and [`Durations`](crate::evidence::Durations), it can rank
/// providers. Start with a new one when the provider's circuit closes, because the outage says nothing about it any more.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Meter {
    successes: f64,
    failures: f64,
    samples: u32,
    /// By kind: the latency in seconds and when it was updated.
    latencies: [Option<(f64, Tick)>; 2],
    began: Tick,
    newest: Tick,
}

impl Meter {
    /// A success; its latency is the time to the first content of a stream, otherwise the length of the call.
    pub fn success(self, now: Tick, latency: Duration, kind: CallKind) -> Self {
        let mut meter = self.untimed_success(now);
        let sample = latency.as_secs_f64();
        let place = &mut meter.latencies[kind as usize];
        // A rise counts at once, because waiting for the average to follow would send calls to a slow provider.
        let smoothed = match *place {
            Some((old, at)) if sample < old => old + (1.0 - decayed(now.since(at))) * (sample - old),
            _ => sample,
        };
        *place = Some((smoothed, now));
        meter
    }

    /// A success whose latency is not known.
    pub fn untimed_success(self, now: Tick) -> Self {
        let mut meter = self.sampled(now);
        meter.successes += 1.0;
        meter
    }

    /// A failure. Its length is not recorded: failing fast is not being fast.
    pub fn failure(self, now: Tick) -> Self {
        let mut meter = self.sampled(now);
        meter.failures += 1.0;
        meter
    }

    fn sampled(self, now: Tick) -> Self {
        if self.samples == 0 || now.since(self.newest) > OLDEST {
            return Self { samples: 1, began: now, newest: now, ..Self::default() };
        }
        let kept = decayed(now.since(self.newest));
        Self {
            successes: self.successes * kept,
            failures: self.failures * kept,
            samples: self.samples.saturating_add(1),
            newest: self.newest.max(now),
            ..self
        }
    }

    /// Whether it says too little to rank a provider: fewer than 3 samples, or none for 180 s.
    pub fn is_cold(&self, now: Tick) -> bool {
        self.samples < FEWEST_SAMPLES || now.since(self.newest) > OLDEST
    }

    /// When its first sample was recorded.
    pub const fn began(&self) -> Tick {
        self.began
    }

    /// The share of successes, from 0 to 1; `None` before the first sample.
    pub fn success_rate(&self) -> Option<f64> {
        (self.samples > 0).then(|| self.successes / (self.successes + self.failures))
    }

    /// The latency of successes in seconds, if there was one of this kind.
    pub fn latency(&self, kind: CallKind) -> Option<f64> {
        self.latencies[kind as usize].map(|(seconds, _)| seconds)
    }

    /// The Wilson lower bound of the success rate at `now`: the rate is at least as high, with 97.5 % confidence.
    ///
    /// One success of one call promises less than 999 of 1000.
    pub fn lower_bound(&self, now: Tick) -> f64 {
        let kept = decayed(now.since(self.newest));
        let total = (self.successes + self.failures) * kept;
        if total <= 0.0 {
            return 0.0;
        }
        let rate = self.successes * kept / total;
        let square = Z * Z;
        let spread = libm::sqrt((rate * (1.0 - rate) + square / (4.0 * total)) / total);
        (rate + square / (2.0 * total) - Z * spread) / (1.0 + square / total)
    }
}

/// The remaining weight of an observation of that age.
fn decayed(age: Duration) -> f64 {
    libm::exp(-age.as_secs_f64() / DECAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Tick {
        Tick::from_seconds(seconds).unwrap()
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn it_forgets_an_outage() {
        let mut meter = Meter::default();
        for n in 0..10 {
            meter = meter.failure(at(f64::from(n)));
        }
        assert_eq!(meter.success_rate(), Some(0.0));
        for n in 0..10 {
            meter = meter.success(at(130.0 + f64::from(n)), SECOND, CallKind::Unary);
        }
        assert!(meter.success_rate().unwrap() > 0.85, "{meter:?}");
    }

    #[test]
    fn a_rise_counts_at_once_and_a_fall_slowly() {
        let meter =
            Meter::default().success(at(0.0), SECOND, CallKind::Unary).success(at(1.0), 9 * SECOND, CallKind::Unary);
        assert_eq!(meter.latency(CallKind::Unary), Some(9.0));
        let faster = meter.success(at(2.0), SECOND, CallKind::Unary).latency(CallKind::Unary).unwrap();
        assert!((8.8..9.0).contains(&faster), "{faster}");
        assert_eq!(meter.latency(CallKind::Stream), None, "each kind has its own");
    }

    #[test]
    fn a_success_of_unknown_length_leaves_the_latency() {
        let timed = Meter::default().success(at(0.0), SECOND, CallKind::Unary);
        let meter = timed.failure(at(0.0)).untimed_success(at(0.0)).untimed_success(at(0.0));
        assert_eq!(meter.success_rate(), Some(0.75));
        assert_eq!(meter.latency(CallKind::Unary), Some(1.0));
    }

    #[test]
    fn it_is_cold_with_few_samples_and_with_old_ones() {
        let two = Meter::default().failure(at(0.0)).failure(at(1.0));
        assert!(two.is_cold(at(1.0)));
        let three = two.success(at(2.0), SECOND, CallKind::Unary);
        assert!(!three.is_cold(at(182.0)));
        assert!(three.is_cold(at(182.1)));
        let again = three.failure(at(183.0));
        assert_eq!((again.success_rate(), again.began()), (Some(0.0), at(183.0)), "it starts anew");
    }

    #[test]
    fn many_good_calls_promise_more_than_one() {
        let one = Meter::default().success(at(0.0), SECOND, CallKind::Unary);
        let many = (0..999)
            .fold(Meter::default().failure(at(0.0)), |meter, _| meter.success(at(0.0), SECOND, CallKind::Unary));
        assert!(one.lower_bound(at(0.0)) < 0.3);
        assert!(many.lower_bound(at(0.0)) > 0.99);
        assert!(many.lower_bound(at(179.0)) < many.lower_bound(at(0.0)), "old evidence is weaker");
        assert_eq!(Meter::default().lower_bound(at(0.0)), 0.0);
    }

    #[test]
    fn a_clock_that_steps_back_changes_no_weight() {
        let meter = Meter::default().failure(at(100.0)).success(at(50.0), SECOND, CallKind::Unary);
        assert_eq!(meter.success_rate(), Some(0.5));
        assert!(!meter.failure(at(10.0)).is_cold(at(0.0)));
    }
}
