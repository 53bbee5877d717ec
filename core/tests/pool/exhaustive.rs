//! Every pool of three providers, in every combination of what matters.

use std::time::Duration;

use halfopen::pool::{Candidate, Need, Policy, PoolState, Provider, Readiness, Strategy, choose};

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
                    somebody_takes_it(&declared, &candidates, order.picks.len());
                    state = next;
                    choices += 1;
                }
            }
        }
    }
    println!("exhaustive pool: {choices} choices in {pools} pools");
}

/// A call is lost only if nobody could take it.
fn somebody_takes_it(declared: &[Provider], candidates: &[Candidate<'_>], picks: usize) {
    let could = |it: &&Candidate<'_>| {
        !matches!(it.readiness, Readiness::Rejected { .. }) && it.in_flight < it.provider.max_concurrent_calls.unwrap()
    };
    assert_eq!(candidates.iter().filter(could).count(), picks, "{declared:?}");
}
