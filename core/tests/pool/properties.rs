//! Properties of a choice in any pool.

use std::time::Duration;

use halfopen::pool::{
    CallKind, Candidate, Need, OnExhausted, Policy, PoolState, Provider, Readiness, Strategy as PoolStrategy, choose,
};
use proptest::prelude::*;

use crate::situations::{NOW, check, meter, rejected};

#[derive(Clone, Debug)]
struct Situation {
    provider: Provider,
    readiness: Readiness,
    cooling: Option<u64>,
    in_flight: u32,
    record: (u32, u32, u64),
    closed_ago: Option<u64>,
}

impl Situation {
    fn candidate(&self) -> Candidate<'_> {
        let (good, bad, millis) = self.record;
        Candidate {
            provider: &self.provider,
            readiness: self.readiness,
            cooling_until: self.cooling.map(|it| NOW.after(Duration::from_secs(it))),
            in_flight: self.in_flight,
            meter: meter(good, bad, Duration::from_millis(millis)),
            closed_since: self.closed_ago.map(|it| {
                halfopen::clock::Tick::from_nanos(NOW.as_nanos() - Duration::from_secs(it).as_nanos() as u64)
            }),
        }
    }
}

fn situation() -> impl Strategy<Value = Situation> {
    let readiness = prop_oneof![
        4 => Just(Readiness::Closed),
        1 => Just(Readiness::Probe),
        1 => prop::option::of(0..9u64).prop_map(rejected),
    ];
    let declared = (0..3u32, 0..4u32, any::<bool>(), prop::option::of(1..3u32), prop::bool::weighted(0.1));
    let now = (readiness, prop::option::weighted(0.2, 0..9u64), 0..3u32, (0..9u32, 0..9u32, 1..3000u64));
    (declared, now, prop::option::weighted(0.3, 0..15u64)).prop_map(|(declared, now, closed_ago)| {
        let (tier, weight, has_tools, max_concurrent_calls, last_resort) = declared;
        let capabilities = if has_tools { vec!["tools".to_owned()] } else { Vec::new() };
        let provider =
            Provider { tier, weight, capabilities, max_concurrent_calls, last_resort, ..Provider::new(String::new()) };
        let (readiness, cooling, in_flight, record) = now;
        Situation { provider, readiness, cooling, in_flight, record, closed_ago }
    })
}

fn pool() -> impl Strategy<Value = Vec<Situation>> {
    prop::collection::vec(situation(), 0..7).prop_map(|mut pool| {
        for (at, situation) in pool.iter_mut().enumerate() {
            situation.provider.id = format!("provider {at}");
        }
        pool
    })
}

fn policy() -> impl Strategy<Value = Policy> {
    (0..PoolStrategy::ALL.len(), 0..OnExhausted::ALL.len(), any::<bool>()).prop_map(
        |(strategy, on_exhausted, strict_pin)| {
            let (strategy, on_exhausted) = (PoolStrategy::ALL[strategy], OnExhausted::ALL[on_exhausted]);
            Policy { strategy, on_exhausted, strict_pin, ..Policy::default() }
        },
    )
}

#[derive(Clone, Debug)]
struct Call {
    tried: Vec<String>,
    capabilities: Vec<String>,
    pin: Option<String>,
    replayable: bool,
}

impl Call {
    fn need(&self) -> Need<'_> {
        Need {
            tried: &self.tried,
            capabilities: &self.capabilities,
            pin: self.pin.as_deref(),
            replayable: self.replayable,
            kind: CallKind::Unary,
            ..Need::default()
        }
    }
}

fn call() -> impl Strategy<Value = Call> {
    let id = || (0..8usize).prop_map(|at| format!("provider {at}"));
    (prop::collection::vec(id(), 0..2), any::<bool>(), prop::option::of(id()), any::<bool>()).prop_map(
        |(tried, needs_tools, pin, replayable)| {
            let capabilities = if needs_tools { vec!["tools".to_owned()] } else { Vec::new() };
            Call { tried, capabilities, pin, replayable }
        },
    )
}

proptest! {
    #[test]
    fn every_choice_keeps_the_promises(
        pool in pool(), policy in policy(), calls in prop::collection::vec(call(), 1..8), seed: u64,
    ) {
        let candidates: Vec<_> = pool.iter().map(Situation::candidate).collect();
        let mut state = PoolState::new(seed);
        for call in &calls {
            let need = call.need();
            let (next, order) = choose(&policy, state.clone(), &candidates, &need, NOW);
            check(&policy, &candidates, &need, &order).map_err(TestCaseError::fail)?;
            // Looking changes nothing, so the same question has the same answer.
            prop_assert_eq!(choose(&policy, state, &candidates, &need, NOW), (next.clone(), order));
            state = next;
        }
    }

    #[test]
    fn an_id_that_comes_or_goes_leaves_the_order_of_the_others(
        mut pool in pool(), mut policy in policy(), call in call(), seed: u64, gone in any::<prop::sample::Index>(), before in 0..5u32,
    ) {
        prop_assume!(!pool.is_empty());
        let gone = gone.index(pool.len());
        let mut has_probe = false;
        for situation in &mut pool {
            // Each has a record, because a provider without one gets the median of the others.
            situation.record.0 += 3;
            situation.closed_ago = None;
            // At most one probe, because the turns of several probes depend on their number.
            if situation.readiness == Readiness::Probe && std::mem::replace(&mut has_probe, true) {
                situation.readiness = Readiness::Closed;
            }
        }
        if policy.strategy == PoolStrategy::BestPerformance {
            policy.strategy = PoolStrategy::Random;
        }
        let all: Vec<_> = pool.iter().map(Situation::candidate).collect();
        let rest: Vec<_> = all.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, it)| *it).collect();
        let mut state = PoolState::new(seed);
        for _ in 0..before {
            state = choose(&policy, state, &all, &call.need(), NOW).0;
        }
        let ids = |candidates: &[Candidate<'_>]| -> Vec<String> {
            let (_, order) = choose(&policy, state.clone(), candidates, &call.need(), NOW);
            let closed = order.picks.iter().filter(|pick| pick.role != halfopen::pool::Role::Probe);
            closed.map(|pick| candidates[pick.index].provider.id.clone()).collect()
        };
        let mut with = ids(&all);
        with.retain(|id| *id != pool[gone].provider.id);
        prop_assert_eq!(with, ids(&rest));
    }
}
