//! The budget of further attempts, in any history.

use halfopen::Outcome;
use halfopen::pool::{AttemptBudget, MoveAfter, Policy, Pool, Price, Provider};
use proptest::prelude::*;

/// The sum of the prices.
fn cost(attempts: &[(Price, i32)]) -> i32 {
    attempts.iter().map(|(_, tokens)| tokens).sum()
}

proptest! {
    #[test]
    fn further_attempts_that_fail_cost_at_most_what_there_was_what_was_earned_and_what_was_in_flight(
        history in prop::collection::vec((0..8u8, any::<prop::sample::Index>()), 0..400),
    ) {
        let mut budget = AttemptBudget::default();
        let mut moves: Vec<(Price, i32)> = Vec::new();
        let mut spares: Vec<(Price, i32)> = Vec::new();
        let (mut spent, mut earned, mut most_in_flight) = (0, 0, 0);
        for (event, which) in history {
            let before = budget;
            match event {
                0 => {
                    budget = budget.earn();
                    earned += 1;
                }
                1 | 2 => {
                    let (after, tokens) = if event == 1 { (MoveAfter::Failure, 10) } else { (MoveAfter::Timeout, 20) };
                    let price = budget.price_of_move(after);
                    prop_assert_eq!(price.is_some(), budget.tokens() >= tokens, "what spare attempts hold stops no move");
                    moves.extend(price.map(|price| (price, tokens)));
                    most_in_flight = most_in_flight.max(cost(&moves));
                }
                3 => match budget.hold() {
                    Some((next, price)) => {
                        budget = next;
                        spares.push((price, 10));
                    }
                    None => prop_assert!(budget.tokens() - cost(&spares) < 10),
                },
                _ if event < 6 && !moves.is_empty() => {
                    let (price, tokens) = moves.swap_remove(which.index(moves.len()));
                    let outcome = Outcome::ALL[which.index(Outcome::ALL.len())];
                    budget = budget.settle(price, outcome);
                    let due = if outcome == Outcome::FAILURE { tokens } else { 0 };
                    prop_assert_eq!(before.tokens() - budget.tokens(), due);
                    spent += due;
                }
                _ if !spares.is_empty() => {
                    let (price, tokens) = spares.swap_remove(which.index(spares.len()));
                    let outcome = Outcome::ALL[which.index(Outcome::ALL.len())];
                    budget = budget.settle(price, outcome);
                    let due = if outcome == Outcome::Success { 0 } else { tokens };
                    prop_assert_eq!(before.tokens() - budget.tokens(), due);
                    spent += due;
                }
                _ => {}
            }
            prop_assert!(budget.tokens() <= 100);
            prop_assert_eq!(budget.held(), cost(&spares));
            prop_assert!(spent <= 100 + earned + most_in_flight, "{} of {} and {}", spent, earned, most_in_flight);
        }
    }

    #[test]
    fn a_provider_has_no_more_calls_in_flight_than_it_may(
        max in 0..4u32,
        events in prop::collection::vec(any::<bool>(), 0..40),
    ) {
        let provider = Provider { max_concurrent_calls: Some(max), ..Provider::new("a") };
        let mut pool = Pool::new(Policy::default(), vec![provider], 7).unwrap();
        for enters in events {
            let before = pool.in_flight(0);
            if enters {
                prop_assert_eq!(pool.enter(0), before < max);
            } else {
                pool.leave(0);
            }
            prop_assert!(pool.in_flight(0) <= max);
        }
    }
}

#[test]
fn a_move_after_a_refusal_is_free_even_in_debt() {
    let budget = AttemptBudget::default();
    let prices: Vec<Price> = (0..30).map(|_| budget.price_of_move(MoveAfter::Timeout).unwrap()).collect();
    let indebted = prices.into_iter().fold(budget, |budget, price| budget.settle(price, Outcome::FAILURE));
    assert_eq!(indebted.tokens(), 100 - 30 * 20);
    assert_eq!((indebted.price_of_move(MoveAfter::Failure), indebted.hold()), (None, None));
    assert_eq!(indebted.price_of_move(MoveAfter::Refusal), Some(Price::FREE));
    assert_eq!(indebted.settle(Price::FREE, Outcome::FAILURE), indebted);
}

#[test]
fn an_attempt_that_did_not_take_place_costs_nothing() {
    let (budget, price) = AttemptBudget::default().hold().unwrap();
    assert_eq!((budget.tokens(), budget.held()), (100, 10));
    assert_eq!(budget.release(price), AttemptBudget::default());
    assert!(price.is_spare() && !price.is_free());
}
