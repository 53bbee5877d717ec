//! The budget of further attempts, in any history.

use halfopen::pool::{AttemptBudget, ConcurrencyCap};
use proptest::prelude::*;

proptest! {
    #[test]
    fn further_attempts_that_fail_cost_at_most_what_there_was_and_what_was_earned(
        history in prop::collection::vec(0..5u8, 0..400),
    ) {
        let mut budget = AttemptBudget::default();
        let (mut spent, mut earned) = (0_u32, 0_u32);
        for event in history {
            match event {
                0 => {
                    budget = budget.earn();
                    earned += 1;
                }
                1 | 2 => {
                    if let Some((next, _)) = budget.pay(event == 2) {
                        budget = next;
                        spent += if event == 2 { 20 } else { 10 };
                    }
                }
                _ => {
                    if let Some((next, price)) = budget.pay(event == 4) {
                        budget = next.refund(price);
                    }
                }
            }
            prop_assert!(budget.tokens() <= 100);
            prop_assert!(spent <= 100 + earned, "{spent} of {earned}");
        }
    }

    #[test]
    fn a_cap_admits_no_more_than_its_bound(max in 0..4u32, events in prop::collection::vec(any::<bool>(), 0..40)) {
        let mut cap = ConcurrencyCap::new(max);
        for enters in events {
            cap = if enters { cap.enter().unwrap_or(cap) } else { cap.leave() };
            prop_assert!(cap.in_flight() <= max);
        }
    }
}
