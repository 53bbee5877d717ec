//! The choice: docs/pool.md.

use alloc::vec::Vec;

use super::rank::{Ranked, rank, sort};
use super::{
    Candidate, Need, OnExhausted, Order, PassReason, PassedOver, Pick, Policy, PoolState, Readiness, Role, Strategy,
};
use crate::clock::Tick;

/// Orders the candidates for one call. A pure function: it reads no clock, draws no hidden randomness and takes no permit.
///
/// Ids have to be unique among the candidates. The same arguments give the same result in every language.
///
/// ```
/// use halfopen::clock::Tick;
/// use halfopen::pool::{Candidate, Need, Policy, PoolState, Provider, choose};
///
/// let providers = [Provider::new("openai"), Provider::new("gemini")];
/// let candidates: Vec<_> = providers.iter().map(Candidate::new).collect();
/// let (state, order) = choose(&Policy::default(), PoolState::new(7), &candidates, &Need::default(), Tick::ZERO);
/// assert_eq!(providers[order.picks[0].index].id, "openai");
/// assert_eq!(state.sequence(), 1);
/// ```
pub fn choose(
    policy: &Policy,
    mut state: PoolState,
    candidates: &[Candidate<'_>],
    need: &Need<'_>,
    now: Tick,
) -> (PoolState, Order) {
    let mut order = Order::default();
    let mut tiers: Vec<(usize, Role)> = Vec::with_capacity(candidates.len());
    for (index, candidate) in candidates.iter().enumerate() {
        match role_of(policy, candidate, need, now) {
            Ok(role) => tiers.push((index, role)),
            Err((reason, until)) => {
                order.passed_over.push(PassedOver { index, reason, until });
                order.earliest = [order.earliest, until].into_iter().flatten().min();
            }
        }
    }
    if policy.strategy == Strategy::RoundRobin {
        // A provider that is away loses its credit, so its return causes no burst.
        let is_away =
            |id: &str| candidates.iter().find(|it| it.provider.id == id).is_none_or(|it| absence(it, now).is_some());
        state.keep_credits(|id| !is_away(id));
    }
    let tier = |(index, _): &(usize, Role)| candidates[*index].provider.tier;
    sort(&mut tiers, |one, other| tier(one) > tier(other));

    let pinned = need.pin.and_then(|pin| {
        let is_pinned = |(index, role): &&(usize, Role)| candidates[*index].provider.id == pin && is_closed(*role);
        tiers.iter().find(is_pinned).map(|(index, _)| *index)
    });
    let may_lead = need.replayable && !(policy.strict_pin && pinned.is_some());
    let last_closed = tiers.iter().rposition(|(_, role)| is_closed(*role));

    let mut tail = Vec::new();
    let mut has_charged = false;
    let mut from = 0;
    while from < tiers.len() {
        let tier = candidates[tiers[from].0].provider.tier;
        let to = from + tiers[from..].iter().take_while(|(index, _)| candidates[*index].provider.tier == tier).count();
        let of = |wanted: Role| tiers[from..to].iter().filter(move |(_, it)| *it == wanted).map(|(index, _)| *index);
        let probes: Vec<usize> = of(Role::Probe).collect();
        if !probes.is_empty() {
            let mut in_turn = rotated(&probes, (state.sequence() % probes.len() as u64) as usize);
            if may_lead && last_closed.is_some_and(|last| last >= from) {
                order.picks.extend(in_turn.next().map(|index| Pick { index, role: Role::Probe }));
            }
            tail.extend(in_turn);
        }
        for role in [Role::Normal, Role::Unhealthy] {
            let mut members: Vec<Ranked> = of(role).map(Ranked::new).collect();
            rank(policy, &state, candidates, &mut members, need, now);
            if policy.strategy == Strategy::RoundRobin && !has_charged && !members.is_empty() {
                has_charged = true;
                charge(&mut state, candidates, &members, pinned);
            }
            order.picks.extend(members.iter().map(|member| Pick { index: member.index, role }));
        }
        from = to;
    }
    order.picks.extend(tail.into_iter().map(|index| Pick { index, role: Role::Probe }));
    let last_resorts = tiers.iter().filter(|(_, role)| *role == Role::LastResort);
    order.picks.extend(last_resorts.map(|(index, _)| Pick { index: *index, role: Role::LastResort }));
    if let Some(pinned) = pinned {
        pin(&mut order.picks, candidates, pinned);
    }
    state.advance();
    (state, order)
}

/// Why a candidate is passed over, and until when.
type Passed = (PassReason, Option<Tick>);

/// Whether ordinary calls go to it: its circuit is closed, and it is not a last resort.
const fn is_closed(role: Role) -> bool {
    matches!(role, Role::Normal | Role::Unhealthy)
}

fn role_of(policy: &Policy, candidate: &Candidate<'_>, need: &Need<'_>, now: Tick) -> Result<Role, Passed> {
    let provider = candidate.provider;
    let lacks = |wanted: &alloc::string::String| !provider.capabilities.contains(wanted);
    let is_too_small = provider
        .limit
        .is_some_and(|limit| limit < need.size || need.larger_than.is_some_and(|refused| limit <= refused));
    let never = |reason| Err((reason, None));
    let absence = absence(candidate, now);
    if let Some(passed) = absence.filter(|(reason, _)| reason.is_permanent()) {
        return Err(passed);
    }
    if need.capabilities.iter().any(lacks) {
        return never(PassReason::MissingCapability);
    }
    if is_too_small {
        return never(PassReason::TooSmall);
    }
    if need.tried.contains(&provider.id) {
        return never(PassReason::Tried);
    }
    if provider.last_resort && policy.on_exhausted != OnExhausted::LastResort {
        return never(PassReason::Reserved);
    }
    if let Some(passed) = absence {
        return Err(passed);
    }
    let health = candidate.meter.success_rate().filter(|_| !candidate.is_cold(now));
    Ok(match candidate.readiness {
        _ if provider.last_resort => Role::LastResort,
        Readiness::Probe => Role::Probe,
        _ if health.is_some_and(|rate| rate < policy.min_health) => Role::Unhealthy,
        _ => Role::Normal,
    })
}

/// Why no call at all can go to a candidate, and until when.
fn absence(candidate: &Candidate<'_>, now: Tick) -> Option<Passed> {
    let provider = candidate.provider;
    if !provider.enabled {
        return Some((PassReason::Disabled, None));
    }
    if provider.weight == 0 {
        return Some((PassReason::Draining, None));
    }
    if let Readiness::Rejected { reason, until } = candidate.readiness {
        // The circuit and the cooldown must both allow it.
        return Some((reason.into(), until.map(|until| until.max(candidate.cooling_until.unwrap_or(until)))));
    }
    if let Some(until) = candidate.cooling_until.filter(|until| *until > now) {
        return Some((PassReason::CoolingDown, Some(until)));
    }
    let is_full = provider.max_concurrent_calls.is_some_and(|cap| candidate.in_flight >= cap);
    is_full.then_some((PassReason::Full, None))
}

impl PassReason {
    /// Whether only the user can change it.
    const fn is_permanent(self) -> bool {
        matches!(self, Self::Disabled | Self::Draining)
    }
}

/// The same members in turn, from `first` on.
fn rotated(members: &[usize], first: usize) -> impl Iterator<Item = usize> {
    members.iter().cycle().skip(first).take(members.len()).copied()
}

/// Gives each member of the tier its weight as credit, and takes the sum from the one that the call goes to.
fn charge(state: &mut PoolState, candidates: &[Candidate<'_>], members: &[Ranked], pinned: Option<usize>) {
    let goes_to = pinned.unwrap_or(members[0].index);
    if !members.iter().any(|member| member.index == goes_to) {
        // A pin in another tier: no provider of this one gets the call.
        return;
    }
    let total: i64 = members.iter().map(|member| member.weight).sum();
    for member in members {
        let id = &candidates[member.index].provider.id;
        let paid = if member.index == goes_to { total } else { 0 };
        state.set_credit(id, state.credit(id) + member.weight - paid);
    }
}

/// Moves a pinned candidate to the front, after a probe of its tier or a better one.
fn pin(picks: &mut Vec<Pick>, candidates: &[Candidate<'_>], pinned: usize) {
    let Some(at) = picks.iter().position(|pick| pick.index == pinned) else { return };
    let moved = picks.remove(at);
    let tier = candidates[pinned].provider.tier;
    let leading =
        picks[..at].iter().position(|pick| pick.role == Role::Probe && candidates[pick.index].provider.tier <= tier);
    let probe = leading.map(|at| picks.remove(at));
    picks.insert(0, moved);
    if let Some(probe) = probe {
        picks.insert(0, probe);
    }
}
