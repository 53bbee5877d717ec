//! The events of one run in the order of their times.

use alloc::collections::BinaryHeap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::provider::{Answer, Asked, Kind, answer};
use super::random::{Draws, Purpose};
use super::recorder::Recorder;
use super::scenario::{Arrivals, Fault, Scenario};
use super::{Report, Setup, nanos};
use crate::breaker::{CircuitBreaker, Ticket};
use crate::clock::{ManualClock, Tick};
use crate::control::{Jitter, Outcome};
use crate::evidence::Event;
use crate::sync::Mutex;

/// A request on its way.
#[derive(Clone, Copy, Debug)]
struct Journey {
    request: u64,
    worker: u32,
    begun: u64,
    /// Calls made so far; numbers the draws.
    calls: u32,
    retries: u32,
    /// The providers that were tried in this round, as bits.
    tried: u32,
}

/// A call under way.
#[derive(Debug)]
struct Call {
    provider: u32,
    ticket: Option<Ticket>,
    kind: Kind,
}

/// The next event of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Settle,
    Retry,
}

/// A time, a number that orders what happens at the same time, the journey by its index, the step.
type Scheduled = Reverse<(u64, u64, u32, Step)>;

pub(super) struct World<'s> {
    scenario: &'s Scenario,
    setup: &'s Setup,
    draws: Draws,
    clock: ManualClock,
    /// By worker, and within a worker by provider; empty without breakers.
    circuits: Vec<CircuitBreaker<ManualClock>>,
    /// The transitions of the circuits, with their indices, since they were last recorded.
    announced: Arc<Mutex<Vec<(usize, Event)>>>,
    /// The faults of each provider.
    faults: Vec<Vec<Fault>>,
    in_flight: Vec<u32>,
    journeys: Vec<Journey>,
    /// The call of each journey.
    calls: Vec<Option<Call>>,
    free: Vec<u32>,
    scheduled: BinaryHeap<Scheduled>,
    order: u64,
    recorder: Recorder,
}

impl<'s> World<'s> {
    pub(super) fn new(scenario: &'s Scenario, setup: &'s Setup) -> Self {
        let clock = ManualClock::new();
        let announced = Arc::new(Mutex::new(Vec::new()));
        let providers = scenario.providers.len();
        let count = setup.breaker.as_ref().map_or(0, |_| scenario.workers as usize * providers);
        let circuits = (0..count).zip(setup.breaker.iter().cycle());
        let circuits: Vec<_> = circuits
            .map(|(index, config)| {
                let jitter = Jitter { seed: Draws::new(scenario.seed).bits(Purpose::Worker, index as u64, u32::MAX) };
                let circuit = CircuitBreaker::with_jitter(config.clone(), clock.clone(), jitter);
                let announced = Arc::clone(&announced);
                circuit.subscribe(Arc::new(move |event: &Event| announced.lock().push((index, *event))));
                circuit
            })
            .collect();
        let faults_of = |name: &str| scenario.faults.iter().filter(|it| it.provider == name).cloned().collect();
        Self {
            scenario,
            setup,
            draws: Draws::new(scenario.seed),
            clock,
            recorder: Recorder::new(scenario, circuits.len()),
            circuits,
            announced,
            faults: scenario.providers.iter().map(|provider| faults_of(&provider.name)).collect(),
            in_flight: alloc::vec![0; providers],
            journeys: Vec::new(),
            calls: Vec::new(),
            free: Vec::new(),
            scheduled: BinaryHeap::new(),
            order: 0,
        }
    }

    pub(super) fn run(mut self) -> Report {
        let end = nanos(self.scenario.seconds);
        let (mut request, mut arrival) = (0, self.arrival_after(0.0, 0));
        loop {
            let next = self.scheduled.peek().map(|Reverse((at, ..))| *at);
            let at = nanos(arrival);
            if at < end && next.is_none_or(|next| at < next) {
                self.clock.set(Tick::from_nanos(at));
                self.arrive(request, at);
                request += 1;
                arrival = self.arrival_after(arrival, request);
            } else if let Some(Reverse((at, _, journey, step))) = self.scheduled.pop() {
                self.clock.set(Tick::from_nanos(at));
                match step {
                    Step::Settle => self.settle(journey, at),
                    Step::Retry => self.try_providers(journey, at),
                }
            } else {
                break;
            }
            self.record_transitions();
        }
        self.recorder.finish()
    }

    /// When a request arrives, in seconds, after one that arrived at `last`.
    fn arrival_after(&self, last: f64, request: u64) -> f64 {
        let rate = self.scenario.clients.per_second;
        match self.scenario.clients.arrivals {
            Arrivals::Steady => request as f64 / rate,
            Arrivals::Poisson => last + self.draws.exponential(Purpose::Arrival, request) / rate,
            Arrivals::Bursts { size } => (request / u64::from(size)) as f64 * f64::from(size) / rate,
        }
    }

    fn arrive(&mut self, request: u64, at: u64) {
        let worker = (self.draws.bits(Purpose::Worker, request, 0) % u64::from(self.scenario.workers)) as u32;
        let journey = Journey { request, worker, begun: at, calls: 0, retries: 0, tried: 0 };
        let index = self.free.pop().unwrap_or(self.journeys.len() as u32);
        if index as usize == self.journeys.len() {
            self.journeys.push(journey);
            self.calls.push(None);
        } else {
            self.journeys[index as usize] = journey;
        }
        self.try_providers(index, at);
    }

    /// Calls the first provider that was not tried in this round and whose circuit lets the call run.
    fn try_providers(&mut self, index: u32, at: u64) {
        let providers = if self.setup.failover { self.scenario.providers.len() as u32 } else { 1 };
        for provider in 0..providers {
            let journey = self.journeys[index as usize];
            if journey.tried & 1 << provider != 0 {
                continue;
            }
            self.journeys[index as usize].tried |= 1 << provider;
            let asked = Asked {
                at: at as f64 * 1e-9,
                request: journey.request,
                attempt: journey.calls,
                in_flight: self.in_flight[provider as usize],
            };
            let (kind, after) = self.ask(provider, asked).within(nanos(self.scenario.clients.timeout_seconds));
            let circuit = journey.worker as usize * self.scenario.providers.len() + provider as usize;
            let ticket = match self.circuits.get(circuit).map(|breaker| breaker.admit(|| None)).transpose() {
                Ok(ticket) => ticket,
                Err(_) => {
                    self.recorder.rejected(kind == Kind::Success);
                    continue;
                }
            };
            self.in_flight[provider as usize] += 1;
            self.journeys[index as usize].calls += 1;
            self.calls[index as usize] = Some(Call { provider, ticket, kind });
            self.recorder.called();
            self.schedule(at + after, index, Step::Settle);
            return;
        }
        self.fail_or_retry(index, at);
    }

    fn ask(&self, provider: u32, asked: Asked) -> Answer {
        let (provider, faults) = (&self.scenario.providers[provider as usize], &self.faults[provider as usize]);
        answer(provider, faults.iter().filter(|fault| fault.is_active(asked.at)), self.draws, asked)
    }

    fn settle(&mut self, index: u32, at: u64) {
        let Some(call) = self.calls[index as usize].take() else { return };
        let journey = self.journeys[index as usize];
        self.in_flight[call.provider as usize] -= 1;
        if let Some(ticket) = call.ticket {
            let circuit = journey.worker as usize * self.scenario.providers.len() + call.provider as usize;
            self.circuits[circuit].settle(ticket, self.outcome(call.kind));
        }
        if call.kind == Kind::Success {
            self.recorder.answered(at, at - journey.begun);
            self.free.push(index);
            return;
        }
        let seconds = at as f64 * 1e-9;
        let is_broken = self.faults[call.provider as usize].iter().any(|fault| fault.is_active(seconds));
        self.recorder.call_failed(is_broken);
        if self.setup.failover {
            self.try_providers(index, at);
        } else {
            self.fail_or_retry(index, at);
        }
    }

    fn outcome(&self, kind: Kind) -> Outcome {
        match kind {
            Kind::Success => Outcome::Success,
            Kind::Failure => Outcome::FAILURE,
            Kind::RateLimited(wait) if self.setup.count_rate_limits => Outcome::Failure { retry_after: Some(wait) },
            Kind::RateLimited(_) => Outcome::Ignored,
        }
    }

    /// Every provider has been tried. A request whose calls were all rejected is not repeated.
    fn fail_or_retry(&mut self, index: u32, at: u64) {
        let clients = &self.scenario.clients;
        let journey = &mut self.journeys[index as usize];
        if journey.calls == 0 {
            self.recorder.refused(at);
        } else if journey.retries == clients.retries {
            self.recorder.failed(at);
        } else {
            let spread = 0.5 + self.draws.unit(Purpose::Backoff, journey.request, journey.retries);
            let wait = clients.backoff_seconds * f64::from(1_u32 << journey.retries) * spread;
            journey.retries += 1;
            journey.tried = 0;
            self.schedule(at + nanos(wait), index, Step::Retry);
            return;
        }
        self.free.push(index);
    }

    fn schedule(&mut self, at: u64, journey: u32, step: Step) {
        self.order += 1;
        self.scheduled.push(Reverse((at, self.order, journey, step)));
    }

    fn record_transitions(&mut self) {
        let announced = core::mem::take(&mut *self.announced.lock());
        for (index, event) in announced {
            let providers = self.scenario.providers.len();
            let place = ((index / providers) as u32, (index % providers) as u32);
            self.recorder.transition(place, &event, || self.circuits[index].explain());
        }
    }
}

impl Fault {
    pub(super) fn is_active(&self, seconds: f64) -> bool {
        (self.from_seconds..self.to_seconds).contains(&seconds)
    }
}
