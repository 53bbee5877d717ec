//! A breaker, its calls in flight, and what has been counted beside it.

use std::time::Duration;

use halfopen::clock::{Clock, ManualClock, Tick};
use halfopen::control::{Jitter, Mode};
use halfopen::evidence::{Counts, Status};
use halfopen::host::{self, Ticket, Value};
use halfopen::{CircuitBreaker, Config, Outcome, Snapshot, State};

const UNIT: Duration = Duration::from_millis(100);

/// An event; times in units.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    Acquire,
    Settle(usize, Outcome),
    Pass,
    StepBack,
    ForceOpen(Option<u32>),
    Disable,
    Reset,
    /// The other configuration is put in force.
    Switch,
    /// The breaker is saved, thrown away, and restored into a new one.
    Restart,
}

struct Call {
    ticket: Ticket,
    generation: u64,
    /// Whether the machine admitted it itself.
    accepted: bool,
    holds_slot: bool,
    /// `None` if no rule needed its duration when it began.
    started: Option<Tick>,
    /// When its group is overdue; `None` if it is not tracked.
    overdue_at: Option<Tick>,
    /// Whether an acquire has found it overdue.
    overdue: bool,
}

pub struct World<'c> {
    pair: &'c [Config; 2],
    in_force: usize,
    breaker: CircuitBreaker<ManualClock>,
    calls: Vec<Call>,
    counted: Counts,
    transitions: u64,
    state: State,
    latest: Tick,
    /// When the newest group of calls ends.
    group_ends: Option<Tick>,
}

impl<'c> World<'c> {
    pub fn new(pair: &'c [Config; 2]) -> Self {
        let clock = ManualClock::new();
        clock.advance(20 * UNIT);
        let latest = clock.now();
        let breaker = CircuitBreaker::with_jitter(pair[0].clone(), clock, Jitter { seed: 0 });
        let (counted, calls) = (Counts::default(), Vec::new());
        Self {
            pair,
            in_force: 0,
            breaker,
            calls,
            counted,
            transitions: 0,
            state: State::Closed,
            latest,
            group_ends: None,
        }
    }

    pub fn after(pair: &'c [Config; 2], sequence: &[Event]) -> Self {
        let mut world = Self::new(pair);
        sequence.iter().for_each(|event| world.apply(*event));
        world
    }

    pub fn calls(&self) -> usize {
        self.calls.len()
    }

    pub fn apply(&mut self, event: Event) {
        let (breaker, now) = (&self.breaker, self.breaker.clock().now());
        let generation = breaker.status().generation;
        match event {
            Event::Acquire => self.acquire(),
            Event::Settle(call, outcome) => self.settle(call, outcome),
            Event::Pass => breaker.clock().advance(UNIT),
            Event::StepBack => breaker.clock().set(Tick::from_nanos(now.as_nanos() - UNIT.as_nanos() as u64)),
            Event::ForceOpen(units) => breaker.force_open(units.map(|units| units * UNIT)).unwrap(),
            Event::Disable => breaker.disable(),
            Event::Reset => breaker.reset(),
            Event::Switch => {
                self.in_force = 1 - self.in_force;
                breaker.reconfigure(self.pair[self.in_force].clone());
            }
            Event::Restart => self.restart(),
        }
        if self.breaker.status().generation != generation || matches!(event, Event::Switch | Event::Restart) {
            self.group_ends = None;
            self.calls.iter_mut().for_each(|call| (call.overdue_at, call.overdue) = (None, false));
        }
        self.latest = self.latest.max(self.breaker.clock().now());
        self.adds_up();
    }

    fn acquire(&mut self) {
        let mut before = self.breaker.status();
        let slow_call = self.slow_call_of_tracked_calls(&before);
        let opens = slow_call.is_some() && self.overdue_calls_open(&before);
        let admitted = host::admit(&self.breaker, || None);
        let after = self.breaker.status();
        if opens {
            assert_eq!(
                (after.state, after.retry_after),
                (State::Open, Some(2 * UNIT)),
                "an acquire finds overdue calls"
            );
            let counts = before.counts;
            before = after;
            before.counts = counts;
        }
        let Ok(ticket) = admitted else {
            assert_ne!(before.mode, Mode::Shadow, "shadow rejects nothing");
            self.counted.rejected_calls += 1;
            return self.nothing_else_changed(before);
        };
        self.counted.total_calls += 1;
        let accepted = after.counts.shadow_rejected == before.counts.shadow_rejected;
        let holds_slot = accepted && after.state == State::HalfOpen;
        if !accepted {
            assert_eq!(before.mode, Mode::Shadow);
            self.counted.shadow_rejected += 1;
            self.nothing_else_changed(before);
        }
        if after.counts.probe_timeouts > before.counts.probe_timeouts {
            self.counted.probe_timeouts += self.slots_held(before.generation);
            self.calls.iter_mut().for_each(|call| call.holds_slot = false);
        }
        let started = self.measures().then_some(before.now);
        let overdue_at = slow_call.filter(|_| accepted).map(|slow_call| {
            let ends = self.group_ends.filter(|ends| before.now < *ends).unwrap_or(before.now.after(slow_call / 4));
            self.group_ends = Some(ends);
            ends.after(slow_call)
        });
        let generation = after.generation;
        self.calls.push(Call { ticket, generation, accepted, holds_slot, started, overdue_at, overdue: false });
        if holds_slot {
            let slots = self.slots_held(after.generation);
            assert!(slots <= self.rules().half_open_max_calls.into(), "never more than there are");
        }
    }

    /// When a call is slow, if the circuit tracks the calls that it admits.
    fn slow_call_of_tracked_calls(&self, before: &Status) -> Option<Duration> {
        let evaluates = before.state == State::Closed && matches!(before.mode, Mode::Auto | Mode::Shadow);
        self.rules().slow_call.filter(|_| evaluates && self.rules().slow_call_rate.is_some())
    }

    /// In these configurations each slow-call rate is 1.
    fn overdue_calls_open(&mut self, before: &Status) -> bool {
        let mut overdue = 0;
        for call in &mut self.calls {
            call.overdue |= call.overdue_at.is_some_and(|at| at <= before.now);
            overdue += u64::from(call.overdue);
        }
        let window = before.window;
        overdue > 0 && window.calls + overdue >= self.rules().minimum_calls && window.slow == window.calls
    }

    fn settle(&mut self, call: usize, outcome: Outcome) {
        let before = self.breaker.status();
        let call = self.calls.swap_remove(call);
        let lasted = |limit: Option<Duration>| {
            call.started.zip(limit).is_some_and(|(started, limit)| before.now.since(started) >= limit)
        };
        let given_up_late = outcome == Outcome::Cancelled && lasted(self.rules().cancel_failure_after);
        let counts = &mut self.counted;
        match if given_up_late { Outcome::FAILURE } else { outcome } {
            Outcome::Success => counts.successful_calls += 1,
            Outcome::Failure { .. } => counts.failed_calls += 1,
            Outcome::Ignored => counts.ignored_calls += 1,
            Outcome::Cancelled => counts.cancelled_calls += 1,
        }
        let decides = given_up_late || matches!(outcome, Outcome::Success | Outcome::FAILURE);
        counts.slow_calls += u64::from(decides && lasted(self.pair[self.in_force].rules().slow_call));
        host::settle(&self.breaker, call.ticket, outcome);
        let operated = matches!(before.mode, Mode::ForcedOpen | Mode::Disabled);
        if call.generation != before.generation
            || !call.accepted
            || operated
            || (!decides && self.state == State::Closed)
        {
            self.nothing_else_changed(before);
        }
    }

    fn restart(&mut self) {
        let saved = self.breaker.snapshot();
        assert_eq!(Snapshot::from_value(&saved.to_value()).as_ref(), Ok(&saved), "what was written is read");
        let clock = self.breaker.clock().clone();
        let next = CircuitBreaker::with_jitter(self.breaker.config(), clock, Jitter { seed: 0 });
        next.restore(&saved).unwrap();
        let reading = |it: &CircuitBreaker<ManualClock>| {
            let status = it.status();
            (status.state, status.mode, status.retry_after, status.consecutive_failures, status.window)
        };
        assert_eq!(reading(&next), reading(&self.breaker));
        self.breaker = next;
        // They end with the process.
        self.counted.cancelled_calls += self.calls.drain(..).len() as u64;
        if self.state == State::HalfOpen {
            self.state = State::Open;
        }
    }

    fn measures(&self) -> bool {
        let rules = self.rules();
        rules.record_durations || rules.slow_call.is_some() || rules.cancel_failure_after.is_some()
    }

    fn rules(&self) -> &halfopen::config::Rules {
        self.pair[self.in_force].rules()
    }

    fn slots_held(&self, generation: u64) -> u64 {
        self.calls.iter().filter(|call| call.holds_slot && call.generation == generation).count() as u64
    }

    fn nothing_else_changed(&self, before: Status) {
        let mut after = self.breaker.status();
        after.counts = before.counts;
        assert_eq!(after, before);
    }

    fn adds_up(&mut self) {
        let status = self.breaker.status();
        let in_flight = self.calls.len() as u64;
        self.counted.in_flight = in_flight;
        assert_eq!(status.counts, self.counted);
        let counts = status.counts;
        let ended = counts.successful_calls + counts.failed_calls + counts.ignored_calls + counts.cancelled_calls;
        assert_eq!(counts.total_calls, ended + in_flight);
        assert!(status.consecutive_failures == 0 || status.consecutive_successes == 0);
        assert!(status.window.failed <= status.window.calls && status.window.slow <= status.window.calls);
        for event in self.breaker.events(self.transitions) {
            self.transitions += 1;
            assert_eq!((event.sequence, event.transition.from), (self.transitions, self.state));
            self.state = event.transition.to;
        }
        assert!(status.state == self.state || (status.state, self.state) == (State::HalfOpen, State::Open));
        let walked: u64 = self.breaker.edges().iter().map(|edge| edge.count).sum();
        assert_eq!((walked, status.state_transitions), (self.transitions, self.transitions));
    }

    /// Equal for sequences that lead to the same situation: all readings except the counts, and what is known of the
    /// calls in flight.
    pub fn key(&self) -> String {
        let Value::Map(mut saved) = self.breaker.snapshot().to_value() else { panic!("a document is a map") };
        saved.retain(|(name, _)| !matches!(name.as_str(), "generation" | "counters" | "transitions"));
        let Status { now, state, consecutive_successes, generation, .. } = self.breaker.status();
        let age = |started: Tick| now.since(started).min(3 * UNIT);
        let left = |at: Tick| at.since(now);
        let calls = self.calls.iter().map(|call| {
            let current = call.accepted && call.generation == generation;
            (current, call.holds_slot, call.started.map(age), call.overdue_at.map(left), call.overdue)
        });
        let mut calls: Vec<_> = calls.collect();
        calls.sort_unstable();
        let rest = (
            self.in_force,
            state,
            self.state,
            consecutive_successes.min(2),
            self.latest.since(now),
            self.group_ends.map(left),
        );
        format!("{saved:?} {rest:?} {calls:?}")
    }
}
