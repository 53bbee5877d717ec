//! The events of one run in the order of their times.

use alloc::collections::BinaryHeap;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

use super::circuit_view::CircuitView;
use super::provider::{Answer, Asked, Kind, answer};
use super::random::{Draws, Purpose};
use super::recorder::Recorder;
use super::routing::Router;
use super::scenario::{Arrivals, Fault, Scenario};
use super::trace::{Trace, TracedCall};
use super::{Report, Setup, nanos};
use crate::breaker::{CircuitBreaker, Ticket};
use crate::clock::{Clock, ManualClock, Tick};
use crate::control::{Jitter, Outcome, State};
use crate::evidence::Event;
use crate::sync::Mutex;

/// A request that has not ended.
#[derive(Clone, Copy, Debug)]
struct Pending {
    request: u64,
    worker: u32,
    begun: u64,
    /// Calls made so far; numbers the draws.
    calls: u32,
    retries: u32,
    /// Bit `i` is set if provider `i` was tried in this round.
    tried: u32,
}

/// A call in flight.
#[derive(Debug)]
struct Call {
    provider: u32,
    begun: u64,
    ticket: Option<Ticket>,
    kind: Kind,
}

/// The next event of a pending request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Settle,
    Retry,
}

/// A time, a number that orders what happens at the same time, the pending request by its index, the step.
type Scheduled = Reverse<(u64, u64, u32, Step)>;

/// A run that stops at any time, and shows its circuits then.
///
/// Stopping changes nothing: [`finish`](Self::finish) returns the report of [`simulate`](super::simulate).
///
/// ```
/// use halfopen::Config;
/// use halfopen::sim::{Scenario, Setup, Simulation};
///
/// let scenario = Scenario::from_json(r#"{
///     "seconds": 60, "clients": {"per_second": 10},
///     "providers": [{"name": "gemini", "latency": {"kind": "fixed", "seconds": 0.2}}],
///     "faults": [{"provider": "gemini", "from_seconds": 20, "to_seconds": 40, "effect": {"kind": "down"}}]
/// }"#)?;
/// let setup = Setup { breaker: Some(Config::default()), ..Setup::default() };
/// let mut run = Simulation::new(&scenario, &setup).traced();
/// run.advance_to(30.0);
/// assert!(run.circuit(0, 0).unwrap().explanation.starts_with("open after 5 failures in a row"));
/// assert_eq!(run.calls().iter().filter(|call| call.fate.as_str() == "failed").count(), 5);
/// # Ok::<(), halfopen::InvalidValue>(())
/// ```
pub struct Simulation {
    scenario: Scenario,
    setup: Setup,
    draws: Draws,
    clock: ManualClock,
    /// By worker, and within a worker by provider; empty without breakers.
    circuits: Vec<CircuitBreaker<ManualClock>>,
    /// The transitions of the circuits, with their indices, since they were last recorded.
    announced: Arc<Mutex<Vec<(usize, Event)>>>,
    /// The faults of each provider.
    faults: Vec<Vec<Fault>>,
    /// By provider, of all workers.
    in_flight: Vec<u32>,
    router: Router,
    pending: Vec<Pending>,
    /// The call of each pending request.
    calls: Vec<Option<Call>>,
    free: Vec<u32>,
    scheduled: BinaryHeap<Scheduled>,
    order: u64,
    /// The next request, and when it arrives, in seconds.
    next_request: u64,
    next_arrival: f64,
    recorder: Recorder,
    trace: Trace,
}

impl Simulation {
    /// The beginning of a run of a scenario that [`Scenario::check`] accepts.
    pub fn new(scenario: &Scenario, setup: &Setup) -> Self {
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
        let mut run = Self {
            router: Router::new(scenario, setup),
            scenario: scenario.clone(),
            setup: setup.clone(),
            draws: Draws::new(scenario.seed),
            clock,
            recorder: Recorder::new(scenario, circuits.len()),
            circuits,
            announced,
            faults: scenario.providers.iter().map(|provider| faults_of(&provider.name)).collect(),
            in_flight: alloc::vec![0; providers],
            pending: Vec::new(),
            calls: Vec::new(),
            free: Vec::new(),
            scheduled: BinaryHeap::new(),
            order: 0,
            next_request: 0,
            next_arrival: 0.0,
            trace: Trace::default(),
        };
        run.next_arrival = run.arrival_after(0.0, 0);
        run
    }

    /// Keeps the calls, for [`calls`](Self::calls).
    #[must_use]
    pub fn traced(mut self) -> Self {
        self.trace.start();
        self
    }

    /// Runs until this time, in seconds from the start. A time that has passed changes nothing.
    pub fn advance_to(&mut self, seconds: f64) {
        let until = nanos(seconds);
        self.run_until(until);
        if self.clock.now() < Tick::from_nanos(until) {
            self.clock.set(Tick::from_nanos(until));
        }
    }

    /// Runs to the end, and reports.
    pub fn finish(mut self) -> Report {
        self.run_until(u64::MAX);
        self.recorder.finish()
    }

    /// The circuit of a worker and a provider, both from 0; `None` if there is none.
    pub fn circuit(&self, worker: u32, provider: u32) -> Option<CircuitView> {
        let has_provider = (provider as usize) < self.scenario.providers.len();
        let breaker = self.circuits.get(self.circuit_index(worker, provider)).filter(|_| has_provider)?;
        Some(CircuitView::of(breaker))
    }

    /// The calls that ended until now, and those that a circuit rejected, in this order; at most
    /// [`CALLS_TRACED`](super::CALLS_TRACED).
    pub fn calls(&self) -> &[TracedCall] {
        self.trace.calls()
    }

    fn circuit_index(&self, worker: u32, provider: u32) -> usize {
        worker as usize * self.scenario.providers.len() + provider as usize
    }

    fn run_until(&mut self, until: u64) {
        let end = nanos(self.scenario.seconds);
        loop {
            let next = self.scheduled.peek().map_or(u64::MAX, |Reverse((at, ..))| *at);
            let arrival = nanos(self.next_arrival);
            if arrival < end && arrival < next && arrival <= until {
                self.clock.set(Tick::from_nanos(arrival));
                let request = self.next_request;
                self.next_request += 1;
                self.next_arrival = self.arrival_after(self.next_arrival, request + 1);
                self.arrive(request, arrival);
            } else if next <= until
                && let Some(Reverse((at, _, pending, step))) = self.scheduled.pop()
            {
                self.clock.set(Tick::from_nanos(at));
                match step {
                    Step::Settle => self.settle(pending, at),
                    Step::Retry => self.try_providers(pending, at),
                }
            } else {
                break;
            }
            self.record_transitions();
        }
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
        let pending = Pending { request, worker, begun: at, calls: 0, retries: 0, tried: 0 };
        let index = self.free.pop().unwrap_or(self.pending.len() as u32);
        if index as usize == self.pending.len() {
            self.pending.push(pending);
            self.calls.push(None);
        } else {
            self.pending[index as usize] = pending;
        }
        self.try_providers(index, at);
    }

    /// Calls the first provider of the router's order whose circuit lets the call run.
    fn try_providers(&mut self, index: u32, at: u64) {
        let Pending { worker, tried, .. } = self.pending[index as usize];
        let (first, providers) = (self.circuit_index(worker, 0), self.scenario.providers.len());
        // Without breakers there are none.
        let circuits = self.circuits.get(first..first + providers).unwrap_or_default();
        let route = self.router.route(worker, tried, circuits, self.clock.now());
        for provider in route.passed_over {
            self.pending[index as usize].tried |= 1 << provider;
            let (kind, _) = self.ask(provider, index, at);
            self.reject(index, provider, at, kind);
        }
        for provider in route.picks {
            self.pending[index as usize].tried |= 1 << provider;
            let (kind, after) = self.ask(provider, index, at);
            let circuit = self.circuit_index(worker, provider);
            match self.circuits.get(circuit).map(|breaker| breaker.admit(|| None)).transpose() {
                Ok(ticket) => {
                    self.in_flight[provider as usize] += 1;
                    self.router.begin(worker, provider);
                    self.pending[index as usize].calls += 1;
                    self.calls[index as usize] = Some(Call { provider, begun: at, ticket, kind });
                    self.recorder.called();
                    self.schedule(at + after, index, Step::Settle);
                    return;
                }
                Err(_) => self.reject(index, provider, at, kind),
            }
        }
        self.fail_or_retry(index, at);
    }

    /// The answer that a call would have now, and after how many nanoseconds its client knows.
    fn ask(&self, provider: u32, index: u32, at: u64) -> (Kind, u64) {
        let (pending, clients) = (&self.pending[index as usize], &self.scenario.clients);
        let asked = Asked {
            at: at as f64 * 1e-9,
            request: pending.request,
            attempt: pending.calls,
            in_flight: self.in_flight[provider as usize],
        };
        let (provider, faults) = (&self.scenario.providers[provider as usize], &self.faults[provider as usize]);
        let faults = faults.iter().filter(|fault| fault.is_active(asked.at));
        let answer: Answer = answer(provider, faults, self.draws, asked);
        let timeout = nanos(clients.timeout_seconds);
        let deadline = clients.deadline_seconds.map_or(u64::MAX, nanos);
        answer.within(timeout.min(deadline.saturating_sub(at - pending.begun)))
    }

    fn reject(&mut self, index: u32, provider: u32, at: u64, kind: Kind) {
        let Pending { request, worker, calls, .. } = self.pending[index as usize];
        self.recorder.rejected(kind == Kind::Success);
        self.trace.rejected(at, TracedCall::new(request, calls, worker, provider), kind);
    }

    fn settle(&mut self, index: u32, at: u64) {
        let Some(call) = self.calls[index as usize].take() else { return };
        let pending = self.pending[index as usize];
        self.in_flight[call.provider as usize] -= 1;
        self.router.settle(pending.worker, call.provider, call.kind, self.clock.now(), at - call.begun);
        let traced = TracedCall::new(pending.request, pending.calls - 1, pending.worker, call.provider);
        let is_probe = call.ticket.as_ref().is_some_and(Ticket::is_probe);
        self.trace.ended((call.begun, at), TracedCall { is_probe, ..traced }, call.kind);
        if let Some(ticket) = call.ticket {
            let circuit = self.circuit_index(pending.worker, call.provider);
            self.circuits[circuit].settle(ticket, self.outcome(call.kind));
        }
        if call.kind == Kind::Success {
            self.recorder.answered(at, at - pending.begun);
            self.free.push(index);
            return;
        }
        let seconds = at as f64 * 1e-9;
        let is_broken = self.faults[call.provider as usize].iter().any(|fault| fault.is_active(seconds));
        self.recorder.call_failed(is_broken);
        if self.setup.failover.is_some() {
            self.try_providers(index, at);
        } else {
            self.fail_or_retry(index, at);
        }
    }

    fn outcome(&self, kind: Kind) -> Outcome {
        match kind {
            Kind::Success => Outcome::Success,
            Kind::Failure | Kind::TimedOut => Outcome::FAILURE,
            Kind::RateLimited(wait) if self.setup.count_rate_limits => Outcome::Failure { retry_after: Some(wait) },
            Kind::RateLimited(_) => Outcome::Ignored,
        }
    }

    /// Every provider has been tried. A request whose calls were all rejected is not repeated.
    fn fail_or_retry(&mut self, index: u32, at: u64) {
        let clients = &self.scenario.clients;
        let pending = &mut self.pending[index as usize];
        let spread = 0.5 + self.draws.unit(Purpose::Backoff, pending.request, pending.retries);
        let wait = nanos(clients.backoff_seconds * f64::from(1_u32 << pending.retries) * spread);
        let is_late = clients.deadline_seconds.is_some_and(|deadline| at - pending.begun + wait >= nanos(deadline));
        if pending.calls == 0 {
            self.recorder.refused(at);
        } else if pending.retries == clients.retries || is_late {
            self.recorder.failed(at);
        } else {
            pending.retries += 1;
            pending.tried = 0;
            self.schedule(at + wait, index, Step::Retry);
            return;
        }
        self.free.push(index);
    }

    fn schedule(&mut self, at: u64, pending: u32, step: Step) {
        self.order += 1;
        self.scheduled.push(Reverse((at, self.order, pending, step)));
    }

    fn record_transitions(&mut self) {
        let announced = core::mem::take(&mut *self.announced.lock());
        for (index, event) in announced {
            let providers = self.scenario.providers.len();
            let place = ((index / providers) as u32, (index % providers) as u32);
            if event.transition.to == State::Closed {
                self.router.closed(index);
            }
            self.recorder.transition(place, &event, || self.circuits[index].explain());
        }
    }
}

impl Fault {
    pub(super) fn is_active(&self, seconds: f64) -> bool {
        (self.from_seconds..self.to_seconds).contains(&seconds)
    }
}
