//! The choice among providers: the pool's, or always the first one.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::Setup;
use super::provider::Kind;
use super::random::{Draws, Purpose};
use super::scenario::Scenario;
use crate::breaker::CircuitBreaker;
use crate::clock::{ManualClock, Tick};
use crate::control::Jitter;
use crate::pool::{
    CallKind, Candidate, Cooldown, Meter, Need, PassReason, Policy, PoolState, Provider, Readiness, Strategy, choose,
};

/// The providers for one call, by their indices.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// To be tried in this order.
    pub(super) picks: Vec<u32>,
    /// Providers that the request would have been sent to if their circuits were closed.
    pub(super) passed_over: Vec<u32>,
}

/// A provider as a worker sees it.
#[derive(Clone, Copy, Debug, Default)]
struct Situation {
    meter: Meter,
    cooldown: Cooldown,
    in_flight: u32,
}

/// The pools of all workers.
#[derive(Debug)]
pub(super) struct Router {
    /// `None` if only the first provider is called.
    policy: Option<Policy>,
    providers: Vec<Provider>,
    /// By worker.
    states: Vec<PoolState>,
    /// By worker, and within a worker by provider.
    situations: Vec<Situation>,
    jitter: Jitter,
}

impl Router {
    pub(super) fn new(scenario: &Scenario, setup: &Setup) -> Self {
        let draws = Draws::new(scenario.seed);
        let state = |worker| PoolState::new(draws.bits(Purpose::Pool, worker, 0));
        let policy = setup.failover.map(|strategy| match setup.breaker {
            Some(_) => Policy { strategy, ..Policy::default() },
            // Without breakers nothing keeps calls away from a provider that fails.
            None => Policy { strategy, min_health: 0.0, ..Policy::default() },
        });
        Self {
            policy,
            providers: scenario.providers.iter().map(|it| Provider::new(it.name.as_str())).collect(),
            states: (0..scenario.workers.into()).map(state).collect(),
            situations: alloc::vec![Situation::default(); scenario.workers as usize * scenario.providers.len()],
            jitter: Jitter { seed: draws.bits(Purpose::Pool, 0, 1) },
        }
    }

    /// The route of a request. Bit `i` of `tried` is set if it has tried provider `i`. `circuits` is empty without
    /// breakers.
    pub(super) fn route(
        &mut self,
        worker: u32,
        tried: u32,
        circuits: &[CircuitBreaker<ManualClock>],
        now: Tick,
    ) -> Route {
        let Some(policy) = self.policy else {
            let picks = if tried & 1 == 0 { alloc::vec![0] } else { Vec::new() };
            return Route { picks, passed_over: Vec::new() };
        };
        let first = worker as usize * self.providers.len();
        let candidate = |(index, provider): (usize, _)| {
            let situation: &Situation = &self.situations[first + index];
            let circuit: Option<&CircuitBreaker<ManualClock>> = circuits.get(index);
            Candidate {
                provider,
                readiness: circuit.map_or(Readiness::Closed, |circuit| circuit.readiness_at(now)),
                cooling_until: situation.cooldown.until(now),
                in_flight: situation.in_flight,
                meter: situation.meter,
                closed_since: circuit.and_then(CircuitBreaker::closed_since),
            }
        };
        let candidates: Vec<Candidate<'_>> = self.providers.iter().enumerate().map(candidate).collect();
        let is_tried = |index: &usize| tried & 1 << index != 0;
        let tried: Vec<String> =
            (0..self.providers.len()).filter(is_tried).map(|index| self.providers[index].id.clone()).collect();
        let need = Need { tried: &tried, replayable: true, ..Need::default() };
        let state = self.states[worker as usize].clone();
        let (state, order) = choose(&policy, state, &candidates, &need, now);
        self.states[worker as usize] = state;
        let picked = order.picks.first().map(|pick| pick.index);
        // Only the strategy of a list tells that the call would have gone to a provider before the picked one. With no
        // pick, it could have gone to any.
        let comes_first = |index: usize| match picked {
            Some(picked) => policy.strategy == Strategy::PriorityList && index < picked,
            None => true,
        };
        let passed_over = order.passed_over.iter().filter(|passed| {
            matches!(passed.reason, PassReason::Open | PassReason::ProbesBusy) && comes_first(passed.index)
        });
        Route {
            passed_over: passed_over.map(|passed| passed.index as u32).collect(),
            picks: order.picks.iter().map(|pick| pick.index as u32).collect(),
        }
    }

    pub(super) fn begin(&mut self, worker: u32, provider: u32) {
        self.situation(worker, provider).in_flight += 1;
    }

    /// A call ended after this many nanoseconds.
    pub(super) fn settle(&mut self, worker: u32, provider: u32, kind: Kind, now: Tick, nanos: u64) {
        let jitter = self.jitter;
        let situation = self.situation(worker, provider);
        situation.in_flight -= 1;
        match kind {
            Kind::Success => {
                situation.meter = situation.meter.success(now, Duration::from_nanos(nanos), CallKind::Unary);
                situation.cooldown = situation.cooldown.succeeded();
            }
            Kind::Failure | Kind::TimedOut => situation.meter = situation.meter.failure(now),
            Kind::RateLimited(wait) => situation.cooldown = situation.cooldown.limited(now, Some(wait), jitter),
        }
    }

    /// A circuit closed, by its index: the measurements from its outage are forgotten.
    pub(super) fn closed(&mut self, circuit: usize) {
        self.situations[circuit].meter = Meter::default();
    }

    fn situation(&mut self, worker: u32, provider: u32) -> &mut Situation {
        &mut self.situations[worker as usize * self.providers.len() + provider as usize]
    }
}
