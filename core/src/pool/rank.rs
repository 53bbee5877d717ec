//! The five strategies: the order within a tier.

use alloc::vec::Vec;

use super::policy::WHOLE_SHARE;
use super::state::Purpose;
use super::{Candidate, Need, Policy, PoolState, Strategy};
use crate::clock::Tick;

/// The seconds that a failure costs: the time that the call loses before it goes on elsewhere.
const FAILURE_COST: f64 = 10.0;

/// Providers whose expected time is at most this much longer than the best are ordered by weight.
const NEAR_BEST: f64 = 1.1;

/// A provider without a record is tried once in this many calls.
const EXPLORE_ONE_IN: f64 = 20.0;

/// A member of a tier.
#[derive(Clone, Copy)]
pub(super) struct Ranked {
    pub index: usize,
    /// Its weight, slow start included.
    pub weight: i64,
    /// The lower, the better.
    score: f64,
    /// Drawn for a random order: the lower, the better.
    key: f64,
    /// Whether its record says nothing; known once it has a score.
    is_cold: bool,
    /// Whether its slow start puts it after the others in this choice.
    is_held_back: bool,
}

impl Ranked {
    pub const fn new(index: usize) -> Self {
        Self { index, weight: 0, score: 0.0, key: 0.0, is_cold: false, is_held_back: false }
    }
}

/// Sorts the members of a tier, which are in the declared order.
pub(super) fn rank(
    policy: &Policy,
    state: &PoolState,
    candidates: &[Candidate<'_>],
    members: &mut [Ranked],
    need: &Need<'_>,
    now: Tick,
) {
    let is_alone = members.len() <= 1;
    for member in members.iter_mut() {
        let candidate = &candidates[member.index];
        // A lone provider gets everything anyway.
        let slow_start = if is_alone { None } else { policy.slow_start_at(candidate.closed_since, now) };
        let share = slow_start.map_or(WHOLE_SHARE, |it| it.share);
        member.weight = i64::from(candidate.provider.weight) * i64::from(share);
    }
    if is_alone {
        return;
    }
    match policy.strategy {
        Strategy::PriorityList => hold_back(state, candidates, members),
        Strategy::RoundRobin => {
            let credit = |it: &Ranked| state.credit(&candidates[it.index].provider.id) + it.weight;
            sort(members, |one, other| credit(one) < credit(other));
        }
        Strategy::Random => at_random(state, candidates, members),
        Strategy::BestPerformance => {
            let scored = |it: &Candidate<'_>| {
                let latency = it.meter.latency(need.kind).unwrap_or(FAILURE_COST);
                let failing = 1.0 - it.meter.success_rate().unwrap_or(1.0);
                latency * (f64::from(it.in_flight) + 1.0) + failing * FAILURE_COST
            };
            score(candidates, members, now, scored);
            sort(members, by_score);
            let limit = members[0].score * NEAR_BEST;
            let near = members.partition_point(|member| member.score <= limit);
            if near > 1 {
                at_random(state, candidates, &mut members[..near]);
            } else {
                hold_back(state, candidates, members);
            }
            explore(state, members);
        }
        Strategy::HighestAvailability => {
            score(candidates, members, now, |it| -it.meter.lower_bound(now));
            sort(members, by_score);
            hold_back(state, candidates, members);
            explore(state, members);
        }
    }
}

fn by_score(one: &Ranked, other: &Ranked) -> bool {
    one.score > other.score
}

/// A stable sort: `is_after` says whether the first item belongs after the second. Pools are small, and so is its code,
/// which pages download.
pub(super) fn sort<T>(items: &mut [T], is_after: impl Fn(&T, &T) -> bool) {
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && is_after(&items[at - 1], &items[at]) {
            items.swap(at - 1, at);
            at -= 1;
        }
    }
}

/// Efraimidis and Spirakis: sorted by −ln(u)/w, each comes first with the probability of its weight.
fn at_random(state: &PoolState, candidates: &[Candidate<'_>], members: &mut [Ranked]) {
    for member in members.iter_mut() {
        let drawn = state.draw(Purpose::Rank, &candidates[member.index].provider.id);
        member.key = -libm::log(drawn) / member.weight as f64;
    }
    sort(members, |one, other| one.key > other.key);
}

/// For orders that weights do not decide: a provider in its slow start keeps its place in that share of the choices, and
/// otherwise comes after the others.
fn hold_back(state: &PoolState, candidates: &[Candidate<'_>], members: &mut [Ranked]) {
    for member in members.iter_mut() {
        let provider = candidates[member.index].provider;
        let whole = i64::from(provider.weight) * i64::from(WHOLE_SHARE);
        let is_ramping = member.weight < whole;
        member.is_held_back =
            is_ramping && state.draw(Purpose::SlowStart, &provider.id) * whole as f64 >= member.weight as f64;
    }
    sort(members, |one, other| one.is_held_back && !other.is_held_back);
}

/// Scores the members; those without a record get the median of the others.
fn score(candidates: &[Candidate<'_>], members: &mut [Ranked], now: Tick, scored: impl Fn(&Candidate<'_>) -> f64) {
    let known: &mut Vec<f64> = &mut Vec::with_capacity(members.len());
    for member in members.iter_mut() {
        let candidate = &candidates[member.index];
        member.is_cold = candidate.is_cold(now);
        if !member.is_cold {
            member.score = scored(candidate);
            known.push(member.score);
        }
    }
    sort(known, |one, other| one > other);
    let median = if known.is_empty() { 0.0 } else { known[(known.len() - 1) / 2] };
    members.iter_mut().filter(|member| member.is_cold).for_each(|member| member.score = median);
}

/// Once in twenty choices a provider without a record comes first, so that it gets one.
fn explore(state: &PoolState, members: &mut [Ranked]) {
    let unknown = members.iter().filter(|member| member.is_cold).count();
    if unknown == 0 || unknown == members.len() || state.draw(Purpose::Explore, "") * EXPLORE_ONE_IN >= 1.0 {
        return;
    }
    let turn = (state.sequence() % unknown as u64) as usize;
    let explored = (0..members.len()).filter(|at| members[*at].is_cold).nth(turn);
    if let Some(at) = explored {
        members[..=at].rotate_right(1);
    }
}
