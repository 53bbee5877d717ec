//! How long the circuit stays open.

use core::time::Duration;

use super::{Control, Phase};
use crate::clock::{Tick, nearest, saturating_nanos};
use crate::config::Rules;
use crate::splitmix::mix;

/// A wait: its chosen length and its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Wait {
    /// Nanoseconds, since every rejection compares them.
    pub(super) chosen: u64,
    pub(super) until: Tick,
}

impl Wait {
    pub(super) fn from(now: Tick, chosen: Duration) -> Self {
        Self::until(now.after(chosen), chosen)
    }

    pub(super) fn until(until: Tick, chosen: Duration) -> Self {
        Self { chosen: saturating_nanos(chosen), until }
    }

    /// From two readings of [`nanos`](Self::nanos).
    pub(crate) fn from_nanos(until: u64, chosen: u64) -> Self {
        Self { chosen, until: Tick::from_nanos(until) }
    }

    /// The tick of its end, and the nanoseconds that were chosen.
    pub(crate) fn nanos(self) -> (u64, u64) {
        (self.until.as_nanos(), self.chosen)
    }

    /// The length that was chosen when it began.
    pub(super) fn chosen(self) -> Duration {
        Duration::from_nanos(self.chosen)
    }

    pub(super) fn is_over(self, now: Tick) -> bool {
        now >= self.until
    }

    /// The remaining time; never more than was chosen, even if the clock stepped back.
    pub(super) fn left(self, now: Tick) -> Duration {
        Duration::from_nanos(self.until.nanos_since(now).min(self.chosen))
    }
}

/// The number of openings in a row. A circuit that flaps waits longer each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct OpenStreak {
    pub(super) count: u32,
    /// Nanoseconds, because a `Duration` would make every breaker a cache line larger.
    pub(super) last_wait: u64,
}

impl OpenStreak {
    pub(super) const NONE: Self = Self { count: 0, last_wait: 0 };

    pub(super) fn of(count: u32, last_wait: Duration) -> Self {
        Self { count, last_wait: saturating_nanos(last_wait) }
    }

    /// The streak after one more opening, which starts `generation`.
    pub(super) fn next(self, rules: &Rules, generation: u64, hint: Option<Duration>, jitter: Jitter) -> Self {
        let longest = rules.effective_max_timeout();
        let grown = rules.timeout.as_nanos() as f64 * power(rules.timeout_multiplier, self.count);
        let spread = grown * (1.0 + rules.timeout_jitter * jitter.of(generation));
        // `nearest` saturates, so overflowing growth becomes the longest wait.
        let nanos = nearest(spread).max(1);
        let chosen = Duration::from_nanos(nanos).max(hint.unwrap_or_default()).min(longest);
        Self::of(self.count.saturating_add(1), chosen)
    }

    /// The wait that the last opening chose.
    pub(super) fn wait(self) -> Duration {
        Duration::from_nanos(self.last_wait)
    }
}

/// `base` to the power of `exponent`, by squaring. `core` has no power function, and the exponent may be large.
fn power(mut base: f64, exponent: u32) -> f64 {
    let mut power = 1.0;
    for bit in 0..u32::BITS {
        if (exponent >> bit) % 2 == 1 {
            power *= base;
        }
        base *= base;
    }
    power
}

impl Control {
    /// The openings in a row at `now`: none if the circuit has been closed for at least its last wait.
    pub(super) fn open_streak_at(&self, now: Tick) -> OpenStreak {
        match self.phase {
            Phase::Closed { resets_at, .. } if now >= resets_at => OpenStreak::NONE,
            _ => self.openings,
        }
    }
}

/// Spreads waits, so that breakers that opened at the same time do not probe at the same time. It is a pure function of a
/// seed and the generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Jitter {
    /// A different number for each breaker.
    pub seed: u64,
}

impl Jitter {
    /// A number from −1 to 1.
    pub(crate) fn of(self, generation: u64) -> f64 {
        let bits = mix(self.seed.wrapping_add(generation.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        // A double holds 53 bits exactly.
        (bits >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::control::{Admission, Outcome};

    #[test]
    fn jitter_is_a_pure_function_that_spreads_over_the_whole_range() {
        let jitter = Jitter { seed: 7 };
        let drawn: alloc::vec::Vec<f64> = (0..10_000).map(|generation| jitter.of(generation)).collect();
        assert_eq!(drawn[42], jitter.of(42));
        assert_ne!(drawn[42], Jitter { seed: 8 }.of(42));
        assert!(drawn.iter().all(|share| (-1.0..=1.0).contains(share)));
        assert!(drawn.iter().any(|share| *share < -0.99) && drawn.iter().any(|share| *share > 0.99));
        assert!((drawn.iter().sum::<f64>() / 1e4).abs() < 0.02);
    }

    /// The first outputs of SplitMix64 for the seed 1234567, as its authors' code prints them.
    const PUBLISHED: [u64; 5] = [
        6_457_827_717_110_365_317,
        3_203_168_211_198_807_973,
        9_817_491_932_198_370_423,
        4_593_380_528_125_082_431,
        16_408_922_859_458_223_821,
    ];

    fn published_share(output: u64) -> f64 {
        (output / (1 << 11)) as f64 / (1u64 << 52) as f64 - 1.0
    }

    #[test]
    fn the_jitter_of_a_generation_is_the_output_of_that_number() {
        for (generation, output) in (1..).zip(PUBLISHED) {
            assert_eq!(Jitter { seed: 1_234_567 }.of(generation), published_share(output));
        }
    }

    #[test]
    fn an_opening_takes_the_jitter_of_the_generation_that_it_starts() {
        let config = Config::builder()
            .failure_threshold(1)
            .timeout(Duration::from_secs(10))
            .timeout_jitter(0.5)
            .build()
            .unwrap();
        let rules = config.rules();
        let mut control = Control::new(rules, Jitter { seed: 1_234_567 });
        for output in PUBLISHED {
            let (closed, Admission::Admitted { stamp, .. }) = control.acquire(rules, Tick::ZERO) else {
                panic!("closed")
            };
            let failed = Outcome::FAILURE.judged(rules, None);
            let (open, _) = closed.settle(rules, stamp, failed, None, Tick::ZERO);
            let wanted = 10e9 * (1.0 + 0.5 * published_share(output));
            assert_eq!(open.retry_after_at(Tick::ZERO), Some(Duration::from_nanos(wanted.round() as u64)));
            // To the generation just before the next of them.
            control = Control { generation: open.generation, ..Control::new(rules, open.jitter) };
        }
    }

    #[test]
    fn a_wait_comes_back_from_its_nanoseconds() {
        let wait = Wait::from(Tick::from_nanos(5), Duration::from_nanos(7));
        assert_eq!(wait.nanos(), (12, 7));
        assert_eq!(Wait::from_nanos(12, 7), wait);
    }

    #[test]
    fn a_power_is_that_many_factors() {
        assert_eq!([0, 1, 2, 3, 7, 10].map(|exponent| power(2.0, exponent)), [1.0, 2.0, 4.0, 8.0, 128.0, 1024.0]);
        assert_eq!(power(1.5, 5), 7.59375);
        assert_eq!((power(1.0, u32::MAX), power(1.1, u32::MAX)), (1.0, f64::INFINITY));
    }

    #[test]
    fn overflowing_growth_is_the_longest_wait() {
        let growing = Config::builder().timeout_multiplier(10.0).max_timeout(Duration::from_secs(90)).build().unwrap();
        let billions = OpenStreak::of(u32::MAX, Duration::from_secs(90));
        let next = billions.next(growing.rules(), 1, None, Jitter { seed: 0 });
        assert_eq!(next, billions, "neither the wait nor the count goes further");
    }
}
