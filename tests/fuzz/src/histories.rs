//! Histories: any events in any order, with any valid configuration and a clock that may jump.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use halfopen::clock::{Clock, ManualClock, Tick};
use halfopen::host::{self, Ticket};
use halfopen::{CircuitBreaker, Config, Outcome, Snapshot, State};

use crate::{ArbitraryValue, Field};

/// An operation on a breaker or its clock.
#[derive(Arbitrary, Clone, Debug)]
pub enum Operation {
    /// A call begins.
    Acquire,
    /// A call in flight ends, with or without a hint.
    Settle(u8, u8, Option<ArbitraryValue>),
    /// Time passes, in milliseconds.
    Advance(u16),
    /// The clock jumps.
    StepTo(u64),
    /// An operator forces it open.
    ForceOpen(ArbitraryValue),
    /// An operator disables it.
    Disable,
    /// An operator resets it.
    Reset,
    /// A new configuration.
    Reconfigure(Vec<Field>),
    /// A new breaker is restored from its snapshot.
    Restart,
}

/// A breaker and its calls in flight.
pub struct Session {
    pub(crate) breaker: CircuitBreaker<ManualClock>,
    tickets: Vec<Ticket>,
    latest: Tick,
}

/// Builds a configuration and a history from the bytes, and checks the breaker after each step.
pub fn check(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let Ok(mut session) = Session::arbitrary(&mut bytes) else { return };
    while !bytes.is_empty() {
        let Ok(operation) = bytes.arbitrary::<Operation>() else { return };
        session.apply(operation);
        session.assert_invariants();
    }
    session.assert_admits_eventually();
}

impl Session {
    pub(crate) fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let config = config(&bytes.arbitrary::<Vec<Field>>()?).unwrap_or_default();
        Ok(Self::of(CircuitBreaker::with_clock(config, ManualClock::new())))
    }

    /// A breaker without calls in flight.
    pub(crate) fn of(breaker: CircuitBreaker<ManualClock>) -> Self {
        Self { breaker, tickets: Vec::new(), latest: Tick::ZERO }
    }

    pub(crate) fn apply(&mut self, operation: Operation) {
        self.latest = self.latest.max(self.breaker.clock().now());
        let breaker = &self.breaker;
        match operation {
            Operation::Acquire => self.tickets.extend(host::admit(breaker, || None)),
            Operation::Settle(index, outcome, hint) => self.settle(index, outcome, hint),
            Operation::Advance(millis) => breaker.clock().advance(Duration::from_millis(millis.into())),
            Operation::StepTo(nanos) => breaker.clock().set(Tick::from_nanos(nanos)),
            Operation::ForceOpen(ArbitraryValue(seconds)) => {
                let before = breaker.status();
                if host::force_open(breaker, &seconds).is_err() {
                    assert_eq!(breaker.status(), before, "a refused value changes nothing");
                }
            }
            Operation::Disable => breaker.disable(),
            Operation::Reset => breaker.reset(),
            Operation::Reconfigure(fields) => {
                if let Some(config) = config(&fields) {
                    breaker.reconfigure(config);
                }
            }
            Operation::Restart => self.restart(),
        }
    }

    fn settle(&mut self, index: u8, outcome: u8, hint: Option<ArbitraryValue>) {
        if self.tickets.is_empty() {
            return;
        }
        let ticket = self.tickets.swap_remove(usize::from(index) % self.tickets.len());
        let outcome = Outcome::ALL[usize::from(outcome) % Outcome::ALL.len()];
        let hinted = hint.and_then(|ArbitraryValue(hint)| host::outcome_with_hint(outcome, "retry_after", &hint).ok());
        host::settle(&self.breaker, ticket, hinted.unwrap_or(outcome));
    }

    fn restart(&mut self) {
        let snapshot = self.breaker.snapshot();
        assert_eq!(
            Snapshot::from_value(&snapshot.to_value()).as_ref(),
            Ok(&snapshot),
            "a snapshot survives a round trip"
        );
        let next = CircuitBreaker::with_clock(self.breaker.config(), self.breaker.clock().clone());
        next.restore(&snapshot).expect("a breaker restores its own snapshot");
        assert_eq!(next.state(), self.breaker.state());
        // The snapshot counts calls in flight as cancelled, so they are not settled in the new breaker.
        self.tickets.clear();
        self.breaker = next;
    }

    /// Checks the invariants.
    pub(crate) fn assert_invariants(&self) {
        let status = self.breaker.status();
        let counts = status.counts;
        assert_eq!(counts.in_flight, self.tickets.len() as u64);
        let ended = counts.successful_calls + counts.failed_calls + counts.ignored_calls + counts.cancelled_calls;
        assert_eq!(counts.total_calls, ended + counts.in_flight);
        assert!(status.consecutive_failures == 0 || status.consecutive_successes == 0);
        assert!(status.retry_after.is_none_or(|left| !left.is_zero()));
        assert!((0.0..=100.0).contains(&status.success_rate()));
        let edges: u64 = self.breaker.edges().iter().map(|edge| edge.count).sum();
        assert_eq!(edges, status.state_transitions);
        assert!(!self.breaker.explain().is_empty());
    }

    /// After a wait and a probe timeout, a call is admitted, unless an operator forced the circuit open without a duration.
    fn assert_admits_eventually(&mut self) {
        let years = Duration::from_secs(2 * 366 * 24 * 3600);
        // Deadlines do not move when the clock steps back, so count from the latest reading.
        self.latest = self.latest.max(self.breaker.clock().now());
        if self.latest.as_nanos() > u64::MAX / 2 {
            return; // The clock cannot advance that far.
        }
        for wait in [years, 2 * years] {
            self.breaker.clock().set(self.latest.after(wait));
            if host::admit(&self.breaker, || None).is_ok() {
                return;
            }
        }
        let status = self.breaker.status();
        assert!(status.state == State::Open && status.retry_after.is_none(), "stuck: {status:?}");
    }
}

fn config(fields: &[Field]) -> Option<Config> {
    fields
        .iter()
        .fold(Config::builder(), |builder, Field(name, value)| host::set(builder, name, value.clone()))
        .build()
        .ok()
}
