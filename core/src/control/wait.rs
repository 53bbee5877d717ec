//! How long an opening lasts.

use core::time::Duration;

use super::{Control, Phase};
use crate::clock::{Tick, saturating_nanos};
use crate::config::Rules;

/// A wait as it was chosen, and when it ends.
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

    /// As long as it was when it began.
    pub(super) fn chosen(self) -> Duration {
        Duration::from_nanos(self.chosen)
    }

    pub(super) fn is_over(self, now: Tick) -> bool {
        now >= self.until
    }

    /// What is left; never more than was chosen, even where the clock stepped back.
    pub(super) fn left(self, now: Tick) -> Duration {
        Duration::from_nanos(self.until.nanos_since(now).min(self.chosen))
    }
}

/// The openings in a row, so that a circuit that flaps waits longer each time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Openings {
    pub(super) count: u32,
    pub(super) last_wait: Duration,
}

impl Openings {
    pub(super) const NONE: Self = Self { count: 0, last_wait: Duration::ZERO };

    /// One more opening, in `generation`.
    pub(super) fn next(self, rules: &Rules, generation: u64, hint: Option<Duration>, jitter: Jitter) -> Self {
        let longest = rules.effective_max_timeout();
        let mut wait = rules.timeout.as_nanos() as f64;
        for _ in 0..self.count {
            wait *= rules.timeout_multiplier;
            // Enough: it is cut to the longest in the end, and a jitter can at most take all of it away.
            if rules.timeout_multiplier == 1.0 || wait > longest.as_nanos() as f64 * 1e9 {
                break;
            }
        }
        let spread = wait * (1.0 + rules.timeout_jitter * jitter.of(generation));
        let nanos = ((spread + 0.5) as u64).max(1);
        let chosen = Duration::from_nanos(nanos).max(hint.unwrap_or_default()).min(longest);
        Self { count: self.count.saturating_add(1), last_wait: chosen }
    }

    /// The wait that the last opening chose.
    pub(super) fn wait(self) -> Duration {
        self.last_wait
    }
}

impl Control {
    /// The openings in a row, seen from the end of this state: a circuit that was closed at least as long as its last
    /// wait has a clean record again.
    pub(super) fn openings_at(&self, now: Tick) -> Openings {
        match self.phase {
            Phase::Closed { clean_at, .. } if now >= clean_at => Openings::NONE,
            _ => self.openings,
        }
    }
}

/// Spreads waits, so that many breakers that opened together do not probe together: a pure function of a seed and the
/// generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Jitter {
    /// Differs from breaker to breaker.
    pub seed: u64,
}

impl Jitter {
    /// A jitter whose seed nobody can foresee, where the platform can draw one; otherwise hosts give theirs.
    pub fn drawn() -> Self {
        #[cfg(feature = "std")]
        let seed = {
            use core::hash::BuildHasher;
            std::collections::hash_map::RandomState::new().hash_one(0)
        };
        #[cfg(not(feature = "std"))]
        let seed = 0;
        Self { seed }
    }

    /// A number from −1 to 1.
    fn of(self, generation: u64) -> f64 {
        // SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014): every bit of the
        // result depends on every bit of the sum.
        let mut z = self.seed.wrapping_add(generation.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^= z >> 31;
        // 53 bits are what a double holds exactly.
        (z >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
