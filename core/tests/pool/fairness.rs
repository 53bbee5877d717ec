//! Each provider gets the share of its weight, and none is left out.

use std::time::Duration;

use halfopen::pool::{Candidate, Need, Policy, PoolState, Provider, Strategy, choose};

use crate::situations::{NOW, meter, providers};

/// How often each comes first in this many choices.
fn firsts(strategy: Strategy, candidates: &[Candidate<'_>], choices: usize) -> (Vec<u32>, Vec<usize>) {
    let policy = Policy { strategy, ..Policy::default() };
    let mut state = PoolState::new(2026);
    let mut counts = vec![0; candidates.len()];
    let mut longest_gaps = vec![0; candidates.len()];
    let mut last = vec![0; candidates.len()];
    for at in 1..=choices {
        let (next, order) = choose(&policy, state, candidates, &Need::default(), NOW);
        state = next;
        let first = order.picks[0].index;
        counts[first] += 1;
        longest_gaps[first] = longest_gaps[first].max(at - last[first]);
        last[first] = at;
    }
    (counts, longest_gaps)
}

fn weighted(weights: &[u32]) -> Vec<Provider> {
    let mut providers = providers(&["a", "b", "c", "d", "e"][..weights.len()]);
    providers.iter_mut().zip(weights).for_each(|(provider, weight)| provider.weight = *weight);
    providers
}

#[test]
fn random_choices_hold_the_weights_within_a_chi_square_bound() {
    for weights in [vec![1, 1, 1, 1, 1], vec![5, 3, 1, 1, 2], vec![1, 99]] {
        let declared = weighted(&weights);
        let candidates: Vec<_> = declared.iter().map(Candidate::new).collect();
        let (counts, _) = firsts(Strategy::Random, &candidates, 100_000);
        let total: u32 = weights.iter().sum();
        let square = counts.iter().zip(&weights).map(|(count, weight)| {
            let expected = 100_000.0 * f64::from(*weight) / f64::from(total);
            (f64::from(*count) - expected).powi(2) / expected
        });
        // 18.47 is the 99.9 % point for the four degrees of freedom of five providers.
        let square: f64 = square.sum();
        assert!(square < 18.47, "{weights:?}: {counts:?}, {square}");
    }
}

#[test]
fn turns_hold_the_weights_exactly_and_nobody_waits_longer_than_a_round() {
    for weights in [vec![1, 1, 1], vec![5, 1, 1], vec![7, 3, 2, 1], vec![1, 99]] {
        let declared = weighted(&weights);
        let candidates: Vec<_> = declared.iter().map(Candidate::new).collect();
        let total: u32 = weights.iter().sum();
        let (counts, gaps) = firsts(Strategy::RoundRobin, &candidates, total as usize * 50);
        let expected: Vec<u32> = weights.iter().map(|weight| weight * 50).collect();
        assert_eq!(counts, expected);
        for (gap, weight) in gaps.iter().zip(&weights) {
            assert!(*gap <= total.div_ceil(*weight) as usize + 1, "{weights:?}: {gaps:?}");
        }
    }
}

#[test]
fn two_that_are_nearly_alike_share_and_a_slow_one_gets_nothing() {
    let declared = providers(&["a", "b", "slow"]);
    let records = [1000, 1080, 2000].map(|millis| meter(20, 0, Duration::from_millis(millis)));
    let candidates: Vec<_> =
        declared.iter().zip(records).map(|(provider, meter)| Candidate { meter, ..Candidate::new(provider) }).collect();
    let (counts, _) = firsts(Strategy::BestPerformance, &candidates, 10_000);
    assert!(counts[0].abs_diff(counts[1]) < 400, "{counts:?}");
    assert_eq!(counts[2], 0);
}

#[test]
fn one_without_a_record_gets_a_call_in_twenty() {
    for strategy in [Strategy::BestPerformance, Strategy::HighestAvailability] {
        let declared = providers(&["best", "good", "bad", "new"]);
        let records = [(40, 0, 100), (40, 2, 900), (40, 9, 2000), (0, 0, 0)]
            .map(|(good, bad, millis)| meter(good, bad, Duration::from_millis(millis)));
        let situated = declared.iter().zip(records);
        let candidates: Vec<_> =
            situated.map(|(provider, meter)| Candidate { meter, ..Candidate::new(provider) }).collect();
        let (counts, _) = firsts(strategy, &candidates, 10_000);
        assert!((400..600).contains(&counts[3]), "{strategy:?}: {counts:?}");
        assert_eq!(counts[0] + counts[3], 10_000, "{strategy:?}: {counts:?}");
    }
}

#[test]
fn a_slow_start_begins_with_a_tenth_and_ends_with_the_whole() {
    let declared = providers(&["back", "other"]);
    for strategy in [Strategy::PriorityList, Strategy::Random, Strategy::RoundRobin] {
        let share = |seconds_ago: u64| {
            let closed = halfopen::clock::Tick::from_nanos(NOW.as_nanos() - seconds_ago * 1_000_000_000);
            let back = Candidate { closed_since: Some(closed), ..Candidate::new(&declared[0]) };
            let (counts, _) = firsts(strategy, &[back, Candidate::new(&declared[1])], 10_000);
            f64::from(counts[0]) / 10_000.0
        };
        let whole = share(10);
        assert!(share(0) < 0.12 && share(5) > 0.3 && share(5) < whole, "{strategy:?}: {} {}", share(0), share(5));
        assert!(if strategy == Strategy::PriorityList { whole == 1.0 } else { (whole - 0.5).abs() < 0.02 });
    }
}
