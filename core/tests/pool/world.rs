//! A host on real breakers, with providers whose faults are scripted.

use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::control::Jitter;
use halfopen::pool::{
    AttemptBudget, CallKind, Candidate, Cooldown, Meter, MoveAfter, Need, Policy, PoolState, Price, Provider,
    Readiness, Role, choose,
};
use halfopen::{CircuitBreaker, Config, Outcome};

/// How a provider behaves at a time.
#[derive(Clone, Copy)]
pub struct Behaviour {
    pub latency: Duration,
    /// Failures in 1000 calls.
    pub failing: u64,
}

/// The behaviour of a provider over time.
pub type Script = fn(Tick) -> Behaviour;

pub struct Member {
    pub provider: Provider,
    pub breaker: CircuitBreaker<ManualClock>,
    pub meter: Meter,
    pub cooldown: Cooldown,
    pub behaves: Script,
    /// The ends of the calls in flight.
    in_flight: Vec<Tick>,
    /// When it was called, and whether that call succeeded.
    pub calls: Vec<(Tick, bool)>,
    pub probes: u32,
}

pub struct World {
    pub clock: ManualClock,
    pub policy: Policy,
    pub members: Vec<Member>,
    state: PoolState,
    pub budget: AttemptBudget,
    random: Random,
    pub lost: u32,
    pub served: u32,
    /// The seconds until the answer of each served call, failed attempts included.
    pub latencies: Vec<f64>,
}

impl World {
    pub fn new(policy: Policy, seed: u64, members: Vec<(Provider, Script)>) -> Self {
        let clock = ManualClock::new();
        let member = |(provider, behaves): (Provider, Script)| {
            let config =
                Config::builder().name(provider.id.as_str()).timeout(Duration::from_secs(5)).half_open_max_calls(1);
            let breaker = CircuitBreaker::with_jitter(config.build().unwrap(), clock.clone(), Jitter { seed });
            let (meter, cooldown) = (Meter::default(), Cooldown::default());
            Member { provider, breaker, meter, cooldown, behaves, in_flight: vec![], calls: vec![], probes: 0 }
        };
        let members = members.into_iter().map(member).collect();
        let (state, budget) = (PoolState::new(seed), AttemptBudget::default());
        Self { clock, policy, members, state, budget, random: Random(seed), lost: 0, served: 0, latencies: vec![] }
    }

    /// Makes one call: at most three attempts, each further one paid from the budget.
    pub fn call(&mut self, at: Tick, pin: Option<&str>) {
        self.clock.set(at);
        let mut tried = Vec::new();
        let mut took = Duration::ZERO;
        let mut paid: Option<Price> = None;
        loop {
            let now = at.after(took);
            self.clock.set(now);
            self.members.iter_mut().for_each(|member| member.in_flight.retain(|end| *end > now));
            let situated = |member: &Member| {
                let readiness = member.breaker.readiness_at(now);
                (readiness, member.breaker.closed_since())
            };
            let situations: Vec<(Readiness, Option<Tick>)> = self.members.iter().map(situated).collect();
            let candidates: Vec<_> = (self.members.iter().zip(&situations))
                .map(|(member, (readiness, closed_since))| Candidate {
                    provider: &member.provider,
                    readiness: *readiness,
                    cooling_until: member.cooldown.until(now),
                    in_flight: member.in_flight.len() as u32,
                    meter: member.meter,
                    closed_since: *closed_since,
                })
                .collect();
            let need = Need { tried: &tried, pin, replayable: true, ..Need::default() };
            let (state, order) = choose(&self.policy, self.state.clone(), &candidates, &need, now);
            self.state = state;
            let Some(pick) = order.picks.first() else { return self.lost += 1 };
            tried.push(self.members[pick.index].provider.id.clone());
            let draw = self.random.below(1000);
            let member = &mut self.members[pick.index];
            // A rejection costs nothing.
            let Ok(permit) = member.breaker.acquire() else { continue };
            member.probes += u32::from(pick.role == Role::Probe);
            let Behaviour { latency, failing } = (member.behaves)(now);
            let succeeds = draw >= failing;
            member.calls.push((now, succeeds));
            member.in_flight.push(now.after(latency));
            took += latency;
            let end = at.after(took);
            self.clock.set(end);
            if succeeds {
                permit.success();
                member.meter = member.meter.success(end, latency, CallKind::Unary);
                self.budget = paid.map_or(self.budget.earn(), |price| self.budget.settle(price, Outcome::Success));
                self.served += 1;
                return self.latencies.push(took.as_secs_f64());
            }
            permit.failure();
            member.meter = member.meter.failure(end);
            self.budget = paid.map_or(self.budget, |price| self.budget.settle(price, Outcome::FAILURE));
            let is_open = member.breaker.readiness_at(end) != Readiness::Closed;
            paid = self.budget.price_of_move(if is_open { MoveAfter::Refusal } else { MoveAfter::Failure });
            if paid.is_none() || tried.len() >= 3 {
                return self.lost += 1;
            }
        }
    }
}

/// xorshift, for the faults of the providers. The pool draws its own numbers.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}
