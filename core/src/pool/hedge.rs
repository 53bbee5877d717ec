//! When a call that is slow gets a second attempt beside its first.

use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Tick;

/// How many of a provider's newest latencies are kept.
const KEPT: usize = 100;

/// Fewer latencies say nothing about the slowest 5 %.
const FEWEST: usize = 20;

/// Older latencies do not count.
const OLDEST: Duration = Duration::from_secs(180);

/// When a call gets a second attempt, at another provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hedge {
    /// A percentage from 50 to 99: an attempt is slow if it takes longer than that share of its provider's newest
    /// successes. None: if it takes longer than `after`.
    pub percentile: Option<u8>,
    /// The delay; with a percentile the shortest one, so that no call of a quick provider gets a second attempt.
    pub after: Duration,
}

impl Hedge {
    /// The default of `after` where a percentile is set.
    pub const SHORTEST: Duration = Duration::from_millis(100);

    /// The delay at a provider with these latencies; `None` for no hedge, because too little is known.
    pub fn delay(&self, latencies: &Latencies, now: Tick) -> Option<Duration> {
        match self.percentile {
            None => Some(self.after),
            Some(percentile) => latencies.percentile(percentile, now).map(|slow| slow.max(self.after)),
        }
    }
}

/// The newest latencies of a provider's successes, of one kind of call.
///
/// ```
/// use core::time::Duration;
/// use halfopen::clock::Tick;
/// use halfopen::pool::Latencies;
///
/// let mut latencies = Latencies::default();
/// (1..=20).for_each(|n| latencies.add(Tick::ZERO, Duration::from_secs(n)));
/// assert_eq!(latencies.percentile(95, Tick::ZERO), Some(Duration::from_secs(19)));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    /// When each was recorded; once 100 are kept, a ring.
    samples: Vec<(Tick, Duration)>,
    /// The oldest of a full ring.
    oldest: usize,
}

impl Latencies {
    /// Adds the latency of a success, or the time after which an attempt was given up because another one was faster.
    /// It would have taken at least that long; without it the slow latencies would be missing.
    pub fn add(&mut self, now: Tick, latency: Duration) {
        if self.samples.len() < KEPT {
            return self.samples.push((now, latency));
        }
        self.samples[self.oldest] = (now, latency);
        self.oldest = (self.oldest + 1) % KEPT;
    }

    /// The percentile of the latencies by nearest rank: at least `percentile` % are not longer. `None` if fewer than 20
    /// are at most 180 s old.
    pub fn percentile(&self, percentile: u8, now: Tick) -> Option<Duration> {
        let is_recent = |(at, _): &&(Tick, Duration)| now.since(*at) <= OLDEST;
        let mut recent: Vec<Duration> = self.samples.iter().filter(is_recent).map(|(_, latency)| *latency).collect();
        if recent.len() < FEWEST {
            return None;
        }
        let rank = (recent.len() * usize::from(percentile)).div_ceil(100).clamp(1, recent.len());
        Some(*recent.select_nth_unstable(rank - 1).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn at(seconds: u64) -> Tick {
        Tick::ZERO.after(Duration::from_secs(seconds))
    }

    fn with(latencies: impl IntoIterator<Item = u64>) -> Latencies {
        let mut all = Latencies::default();
        latencies.into_iter().for_each(|latency| all.add(Tick::ZERO, millis(latency)));
        all
    }

    #[test]
    fn a_percentile_is_one_of_the_latencies() {
        let latencies = with((1..=100).rev());
        for percentile in [50, 90, 95, 99] {
            assert_eq!(latencies.percentile(percentile, Tick::ZERO), Some(millis(percentile.into())));
        }
    }

    #[test]
    fn only_the_newest_hundred_count() {
        let latencies = with((0..100).map(|_| 9_000).chain(0..100));
        assert_eq!(latencies.percentile(99, Tick::ZERO), Some(millis(98)));
    }

    #[test]
    fn few_and_old_latencies_say_nothing() {
        assert_eq!(with(0..19).percentile(50, Tick::ZERO), None);
        let mut latencies = with(0..20);
        assert!(latencies.percentile(50, at(180)).is_some());
        assert_eq!(latencies.percentile(50, at(181)), None);
        (0..19).for_each(|_| latencies.add(at(181), millis(7)));
        assert_eq!(latencies.percentile(50, at(181)), None);
    }

    #[test]
    fn the_shortest_delay_holds_for_a_percentile() {
        let hedge = Hedge { percentile: Some(95), after: millis(50) };
        assert_eq!(hedge.delay(&with(0..20), Tick::ZERO), Some(millis(50)));
        assert_eq!(hedge.delay(&with(100..120), Tick::ZERO), Some(millis(118)));
        assert_eq!(hedge.delay(&with(0..5), Tick::ZERO), None);
        assert_eq!(Hedge { percentile: None, ..hedge }.delay(&with([]), Tick::ZERO), Some(millis(50)));
    }
}
