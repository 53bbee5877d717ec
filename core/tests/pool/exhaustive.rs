//! Every pool of three providers, in every combination of the facts that a choice looks at.

use std::time::Duration;

use halfopen::Outcome;
use halfopen::classify::Scope;
use halfopen::pool::{
    Candidate, Circuit, MoveAfter, Need, PassReason, Policy, Pool, PoolState, Provider, Readiness, Role, Strategy,
    choose,
};

use crate::situations::{NOW, check, meter, providers, rejected};

/// The situations of one candidate: its tier, the answer of its circuit, its record, whether it is full.
fn situations() -> Vec<(u32, Readiness, bool, bool)> {
    let mut all = Vec::new();
    for tier in [0, 1] {
        for is_unhealthy in [false, true] {
            all.push((tier, Readiness::Closed, is_unhealthy, false));
        }
        all.push((tier, Readiness::Closed, false, true));
        all.push((tier, Readiness::Probe, true, false));
        all.push((tier, rejected(Some(5)), true, false));
    }
    all
}

#[test]
fn every_pool_of_three_keeps_the_promises() {
    let situations = situations();
    let records = [meter(9, 1, Duration::from_secs(1)), meter(1, 9, Duration::from_secs(1))];
    let mut pools = 0_u32;
    let mut choices = 0_u32;
    for strategy in Strategy::ALL {
        for code in 0..situations.len().pow(3) {
            let mut declared = providers(&["a", "b", "c"]);
            let chosen = [0, 1, 2].map(|at| situations[code / situations.len().pow(at) % situations.len()]);
            for (provider, (tier, ..)) in declared.iter_mut().zip(chosen) {
                provider.tier = tier;
                provider.max_concurrent_calls = Some(1);
            }
            let situated = |(provider, (_, readiness, is_unhealthy, is_full)): (_, (u32, Readiness, bool, bool))| {
                let meter = records[usize::from(is_unhealthy)];
                Candidate { readiness, in_flight: u32::from(is_full), meter, ..Candidate::new(provider) }
            };
            let candidates: Vec<Candidate<'_>> = declared.iter().zip(chosen).map(situated).collect();
            pools += 1;
            for strict_pin in [false, true] {
                let policy = Policy { strategy: *strategy, strict_pin, ..Policy::default() };
                let mut state = PoolState::new(u64::from(pools));
                for (pin, replayable) in
                    [None, Some("a"), Some("b"), Some("c")].into_iter().flat_map(|pin| [(pin, true), (pin, false)])
                {
                    let need = Need { pin, replayable, ..Need::default() };
                    let (next, order) = choose(&policy, state, &candidates, &need, NOW);
                    check(&policy, &candidates, &need, &order).unwrap();
                    picks_all_that_could_take_it(&declared, &candidates, order.picks.len());
                    state = next;
                    choices += 1;
                }
            }
        }
    }
    println!("exhaustive pool: {choices} choices in {pools} pools");
}

/// The order has every provider that could take the call, so a call is lost only if there is none.
fn picks_all_that_could_take_it(declared: &[Provider], candidates: &[Candidate<'_>], picks: usize) {
    let could = |it: &&Candidate<'_>| {
        !matches!(it.readiness, Readiness::Rejected { .. }) && it.in_flight < it.provider.max_concurrent_calls.unwrap()
    };
    assert_eq!(candidates.iter().filter(could).count(), picks, "{declared:?}");
}

#[test]
fn a_move_after_a_failure_is_free_exactly_if_an_ordinary_call_would_avoid_the_provider() {
    let mut free = 0;
    let mut code = 0_usize;
    for readiness in [Readiness::Closed, Readiness::Probe, rejected(Some(5)), rejected(None)] {
        for switches in 0..32_u8 {
            code += 1;
            let is_on = |bit: u8| switches & 1 << bit != 0;
            let mut declared = providers(&["left", "next"]);
            (declared[0].enabled, declared[0].weight) = (!is_on(0), u32::from(!is_on(1)));
            declared[0].max_concurrent_calls = Some(1);
            let mut pool = Pool::new(Policy::default(), declared, 7).unwrap();
            if is_on(2) {
                pool.cool(0, Scope::KeyAndModel, Some(Duration::from_secs(1)), NOW);
            }
            if is_on(3) {
                pool.enter(0);
            }
            if is_on(4) {
                spend_everything(&mut pool);
            }
            let circuits = [Circuit { readiness, closed_since: None }, Circuit::CLOSED];
            let order = pool.look(&circuits, &Need::default(), NOW);
            let takes_calls = order.picks.iter().any(|pick| pick.index == 0 && pick.role != Role::Probe)
                || order.passed_over.iter().any(|passed| passed.index == 0 && passed.reason == PassReason::Full)
                    && readiness == Readiness::Closed;
            for after in MoveAfter::ALL {
                let price = pool.price_of_move(0, circuits[0], *after, NOW);
                let expects_free = !takes_calls || *after == MoveAfter::Refusal;
                assert_eq!(
                    price.is_some_and(|price| price.is_free()),
                    expects_free,
                    "{readiness:?} {switches:b} {after}"
                );
                assert_eq!(price.is_none(), !expects_free && is_on(4), "{readiness:?} {switches:b} {after}");
                free += usize::from(expects_free);
            }
        }
    }
    println!("exhaustive budget: {free} free moves of {}", code * MoveAfter::ALL.len());
}

fn spend_everything(pool: &mut Pool) {
    while let Some(price) = pool.hold() {
        pool.settle(Some(price), Outcome::FAILURE);
    }
}
