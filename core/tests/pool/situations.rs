//! Candidates in given situations, and what holds for every order.

use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::control::Reason;
use halfopen::pool::{CallKind, Candidate, Meter, Need, Order, PassReason, Policy, Provider, Readiness, Role};

/// The time of every choice here.
pub const NOW: Tick = Tick::from_nanos(1_000_000_000_000);

/// A record of `good` successes and `bad` failures, just now.
pub fn meter(good: u32, bad: u32, latency: Duration) -> Meter {
    let meter = (0..good).fold(Meter::default(), |meter, _| meter.success(NOW, latency, CallKind::Unary));
    (0..bad).fold(meter, |meter, _| meter.failure(NOW))
}

pub fn rejected(seconds: Option<u64>) -> Readiness {
    Readiness::Rejected { reason: Reason::Open, until: seconds.map(|it| NOW.after(Duration::from_secs(it))) }
}

fn is_closed(order: &Order, at: usize) -> bool {
    matches!(order.picks[at].role, Role::Normal | Role::Unhealthy)
}

/// Checks the properties of every choice; `Err` names the broken one.
pub fn check(policy: &Policy, candidates: &[Candidate<'_>], need: &Need<'_>, order: &Order) -> Result<(), String> {
    let fail = |what: &str| Err(format!("{what}: {policy:?} {candidates:?} {need:?} {order:?}"));
    let mut seen: Vec<usize> =
        order.picks.iter().map(|it| it.index).chain(order.passed_over.iter().map(|it| it.index)).collect();
    seen.sort_unstable();
    if seen != (0..candidates.len()).collect::<Vec<_>>() {
        return fail("each candidate is in the order or passed over, once");
    }
    for pick in &order.picks {
        let Candidate { provider, readiness, cooling_until, in_flight, .. } = &candidates[pick.index];
        if matches!(readiness, Readiness::Rejected { .. }) {
            return fail("no call reaches a circuit that rejects");
        }
        if !provider.enabled || provider.weight == 0 || need.tried.contains(&provider.id) {
            return fail("no filter is relaxed");
        }
        if cooling_until.is_some_and(|until| until > NOW)
            || provider.max_concurrent_calls.is_some_and(|cap| *in_flight >= cap)
        {
            return fail("no call goes to a provider that cools down or is full");
        }
        if (pick.role == Role::Probe) != (*readiness == Readiness::Probe && !provider.last_resort) {
            return fail("a probe is a probe");
        }
    }
    let last_closed = (0..order.picks.len()).rfind(|at| is_closed(order, *at));
    let leading: Vec<u32> = order.picks[..last_closed.unwrap_or(0)]
        .iter()
        .filter(|pick| pick.role == Role::Probe)
        .map(|pick| candidates[pick.index].provider.tier)
        .collect();
    let mut tiers = leading.clone();
    tiers.sort_unstable();
    tiers.dedup();
    if tiers.len() != leading.len() {
        return fail("at most one probe heads a tier");
    }
    if !need.replayable && !leading.is_empty() {
        return fail("a call that may not be made again is not a probe while another provider can take it");
    }
    let pinned = need.pin.and_then(|pin| {
        (0..order.picks.len()).find(|at| candidates[order.picks[*at].index].provider.id == pin && is_closed(order, *at))
    });
    match pinned {
        Some(0) => {}
        Some(1) if order.picks[0].role == Role::Probe && !policy.strict_pin => {}
        Some(_) => return fail("a pin comes first, or after one probe"),
        None => {
            let tiers: Vec<u32> = order
                .picks
                .iter()
                .take(last_closed.map_or(0, |at| at + 1))
                .map(|pick| candidates[pick.index].provider.tier)
                .collect();
            if !tiers.is_sorted() {
                return fail("tiers come in order");
            }
        }
    }
    if order.earliest != order.passed_over.iter().filter_map(|passed| passed.until).min() {
        return fail("the earliest time is that of a provider that was passed over");
    }
    if order.passed_over.iter().any(|it| it.reason == PassReason::Full && it.until.is_some()) {
        return fail("a full provider has no time of return");
    }
    Ok(())
}

pub fn providers(ids: &[&str]) -> Vec<Provider> {
    ids.iter().map(|id| Provider::new(*id)).collect()
}
