//! A clock beside a counter that is cheaper to read.

use core::time::Duration;

use crate::clock::Tick;

/// A moment, as a clock and a counter tell it.
///
/// The counter need not have a known unit, only an even pace: how long something took that was counted is its share of
/// the time that the clock tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// What the clock says.
    pub now: Tick,
    /// What the counter says.
    pub count: u64,
}

impl Reading {
    /// The time that `counts` took, which were counted from `earlier` to this moment; at most the time that passed.
    pub fn share_since(self, earlier: Self, counts: u64) -> Duration {
        let passed = self.now.nanos_since(earlier.now);
        let counted = self.count.saturating_sub(earlier.count);
        // A counter that stood still or was set back tells nothing.
        let Some(share) = (u128::from(passed) * u128::from(counts.min(counted))).checked_div(u128::from(counted))
        else {
            return Duration::ZERO;
        };
        // At most what passed, so it fits.
        Duration::from_nanos(share as u64)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reading(nanos: u64, count: u64) -> Reading {
        Reading { now: Tick::from_nanos(nanos), count }
    }

    #[test]
    fn a_counter_that_stood_still_or_went_back_tells_nothing() {
        for (earlier, later) in [(7, 7), (7, 3)] {
            assert_eq!(reading(90, later).share_since(reading(40, earlier), 5), Duration::ZERO);
        }
    }

    #[test]
    fn no_share_is_more_than_the_time_that_passed() {
        assert_eq!(reading(u64::MAX, 3).share_since(reading(0, 0), u64::MAX), Duration::from_nanos(u64::MAX));
        assert_eq!(reading(40, 9).share_since(reading(90, 1), 5), Duration::ZERO, "the clock went back");
    }

    proptest! {
        /// However fast the counter runs, and whatever it starts from.
        #[test]
        fn the_shares_of_two_who_take_turns_are_the_time_that_each_took(
            turns in prop::collection::vec((0..4_000_000_000u64, 0..4_000_000_000u64), 1..200),
            hertz in 1_000_000..6_000_000_000u64,
            start in (0..u64::MAX / 4, 0..u64::MAX / 4),
        ) {
            let count_at = |nanos: u64| start.1 + (u128::from(nanos) * u128::from(hertz) / 1_000_000_000) as u64;
            let (mut passed, mut exact, mut counts) = (0, 0, 0);
            for &(ours, theirs) in &turns {
                passed += ours;
                counts += count_at(passed + theirs) - count_at(passed);
                passed += theirs;
                exact += theirs;
            }
            let earlier = reading(start.0, count_at(0));
            let share = reading(start.0 + passed, count_at(passed)).share_since(earlier, counts).as_nanos() as u64;
            // Each end of a turn is off by less than one count.
            let allowed = (turns.len() as u64 + 1) * 2 * (1_000_000_000 / hertz + 1);
            prop_assert!(share.abs_diff(exact) <= allowed, "{share} instead of {exact}, {allowed} allowed");
        }

        #[test]
        fn a_counter_that_is_the_clock_is_exact(earlier in 0..u64::MAX / 2, passed in 1..u64::MAX / 2, part in 0.0..=1.0) {
            let counts = (passed as f64 * part) as u64;
            let (before, after) = (reading(earlier, earlier), reading(earlier + passed, earlier + passed));
            prop_assert_eq!(after.share_since(before, counts.min(passed)), Duration::from_nanos(counts.min(passed)));
        }
    }
}
