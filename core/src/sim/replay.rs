//! Replays a log of real calls through a configuration.
//!
//! A log holds each call's start, circuit, duration and outcome, and the rejected calls. Where a configuration admits a
//! call that was rejected then, its outcome is unknown. So there are two answers: one as if all such calls
//! had succeeded, one as if all had failed.

use alloc::collections::BinaryHeap;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::Reverse;

use serde::Serialize;

use super::circuit_view::CircuitView;
use super::log::{Record, RecordedOutcome};
use super::nanos;
use crate::breaker::{CircuitBreaker, Ticket};
use crate::clock::{Clock, ManualClock, Tick};
use crate::config::Config;
use crate::control::{Cause, Jitter, Outcome, State};

/// The calls of a log as another configuration would have handled them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Replayed {
    /// Calls that were made and would have been admitted.
    pub admitted: u64,
    /// Calls that were made, failed, and would have been rejected: failures that users would not have waited for.
    pub spared_failures: u64,
    /// Calls that were made, did not fail, and would have been rejected.
    pub refused_in_vain: u64,
    /// Calls that were rejected and would have been rejected.
    pub still_rejected: u64,
    /// Calls that were rejected and would have been admitted: their outcomes are unknown.
    pub unknown: u64,
    /// The seconds that the spared failures took.
    pub spared_seconds: f64,
    /// The index of the first record whose decision differs from the recorded one.
    pub first_difference: Option<usize>,
    /// The changes of state.
    pub transitions: Vec<ReplayedTransition>,
}

/// A change of state in a replay.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReplayedTransition {
    /// In the log's seconds.
    pub at_seconds: f64,
    /// The circuit's name.
    pub circuit: String,
    /// The state before.
    pub from_state: State,
    /// The state after.
    pub to_state: State,
    /// The reason.
    pub cause: Cause,
    /// The breaker's explanation after the change.
    pub explanation: String,
}

impl Replayed {
    /// Whether every decision is the recorded one.
    pub fn reproduces_the_log(&self) -> bool {
        self.first_difference.is_none()
    }
}

/// Runs the records, sorted by their times as [`read_log`](super::read_log) returns them, through a configuration.
///
/// Each circuit of the log has a breaker of its own, which begins closed. `unknown` is how a call ends that was rejected
/// then and is admitted now. It takes as long as the median of the recorded calls.
pub fn replay(records: &[Record], config: &Config, unknown: Outcome) -> Replayed {
    Replay::new(records.into(), config, unknown).finish()
}

/// A replay that stops at any time, and shows its circuits then. Stopping changes nothing.
pub struct Replay {
    records: Arc<[Record]>,
    /// The first record that has not begun.
    next: usize,
    config: Config,
    clock: ManualClock,
    /// Sorted by their names.
    circuits: Vec<Circuit>,
    /// The ends of the calls in flight, each with its record, and the calls by their records.
    ends: BinaryHeap<Reverse<(u64, usize)>>,
    under_way: Vec<Option<(Ticket, Outcome)>>,
    decisions: Vec<bool>,
    unknown: Outcome,
    unknown_nanos: u64,
    result: Replayed,
}

struct Circuit {
    name: String,
    breaker: CircuitBreaker<ManualClock>,
    /// The last transition that was read.
    read: u64,
}

impl Replay {
    /// The beginning of a replay; see [`replay`].
    pub fn new(records: Arc<[Record]>, config: &Config, unknown: Outcome) -> Self {
        let made = records.iter().filter(|record| record.outcome != RecordedOutcome::Rejected);
        let durations: BinaryHeap<u64> = made.map(|record| nanos(record.duration_seconds)).collect();
        let durations = durations.into_sorted_vec();
        Self {
            records,
            next: 0,
            config: config.clone(),
            clock: ManualClock::new(),
            circuits: Vec::new(),
            ends: BinaryHeap::new(),
            under_way: Vec::new(),
            decisions: Vec::new(),
            unknown,
            unknown_nanos: durations.get(durations.len() / 2).copied().unwrap_or(0),
            result: Replayed::default(),
        }
    }

    /// Runs until this time, in the log's seconds. A time that has passed changes nothing.
    pub fn advance_to(&mut self, seconds: f64) {
        let until = nanos(seconds);
        self.run_until(until);
        if self.clock.now() < Tick::from_nanos(until) {
            self.clock.set(Tick::from_nanos(until));
        }
    }

    /// Runs to the end, and returns the result.
    pub fn finish(mut self) -> Replayed {
        self.run_until(u64::MAX);
        self.result
    }

    /// The circuit of this name; `None` before its first record.
    pub fn circuit(&self, name: &str) -> Option<CircuitView> {
        self.place_of(name).ok().map(|place| CircuitView::of(&self.circuits[place].breaker))
    }

    /// Whether each record that has begun is admitted, in their order.
    pub fn decisions(&self) -> &[bool] {
        &self.decisions
    }

    fn run_until(&mut self, until: u64) {
        while let Some(at) =
            self.records.get(self.next).map(|record| nanos(record.at_seconds)).filter(|at| *at <= until)
        {
            self.settle_until(at);
            self.begin(self.next, at);
            self.next += 1;
        }
        self.settle_until(until);
    }

    /// The index of a circuit, or the one that it would have.
    fn place_of(&self, name: &str) -> Result<usize, usize> {
        self.circuits.binary_search_by(|circuit| circuit.name.as_str().cmp(name))
    }

    fn new_circuit(&self, name: &str) -> Circuit {
        // The name decides the seed of the jitter, so that a replay is the same each time.
        let seed = name.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let breaker = CircuitBreaker::with_jitter(self.config.clone(), self.clock.clone(), Jitter { seed });
        Circuit { name: name.into(), breaker, read: 0 }
    }

    fn begin(&mut self, index: usize, at: u64) {
        self.clock.set(Tick::from_nanos(at));
        let records = Arc::clone(&self.records);
        let record = &records[index];
        let place = self.place_of(&record.circuit).unwrap_or_else(|place| {
            self.circuits.insert(place, self.new_circuit(&record.circuit));
            place
        });
        let admitted = self.circuits[place].breaker.admit(|| None);
        let was_rejected = record.outcome == RecordedOutcome::Rejected;
        self.decisions.push(admitted.is_ok());
        if admitted.is_ok() == was_rejected {
            self.result.first_difference.get_or_insert(index);
        }
        match (admitted, was_rejected) {
            (Ok(ticket), _) => {
                let (outcome, lasts) = self.outcome(record);
                self.ends.push(Reverse((at + lasts, index)));
                self.under_way.resize_with(index + 1, || None);
                self.under_way[index] = Some((ticket, outcome));
                *(if was_rejected { &mut self.result.unknown } else { &mut self.result.admitted }) += 1;
            }
            (Err(_), true) => self.result.still_rejected += 1,
            (Err(_), false) if record.outcome == RecordedOutcome::Failure => {
                self.result.spared_failures += 1;
                self.result.spared_seconds += record.duration_seconds;
            }
            (Err(_), false) => self.result.refused_in_vain += 1,
        }
        self.read_transitions(index);
    }

    /// How a call ends, and after how many nanoseconds.
    fn outcome(&self, record: &Record) -> (Outcome, u64) {
        let outcome = match record.outcome {
            RecordedOutcome::Success => Outcome::Success,
            RecordedOutcome::Failure => Outcome::FAILURE,
            RecordedOutcome::Ignored => Outcome::Ignored,
            RecordedOutcome::Cancelled => Outcome::Cancelled,
            RecordedOutcome::Rejected => return (self.unknown, self.unknown_nanos),
        };
        let retry_after = record.retry_after_seconds.map(|wait| core::time::Duration::from_nanos(nanos(wait)));
        (outcome.with_retry_after(retry_after), nanos(record.duration_seconds))
    }

    fn settle_until(&mut self, now: u64) {
        while let Some(Reverse((at, index))) = self.ends.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.ends.pop();
            self.clock.set(Tick::from_nanos(at));
            if let (Some((ticket, outcome)), Ok(place)) =
                (self.under_way[index].take(), self.place_of(&self.records[index].circuit))
            {
                self.circuits[place].breaker.settle(ticket, outcome);
            }
            self.read_transitions(index);
        }
    }

    /// Reads the transitions of the circuit of a record.
    fn read_transitions(&mut self, index: usize) {
        let name = &self.records[index].circuit;
        let Ok(place) = self.place_of(name) else { return };
        let circuit = &mut self.circuits[place];
        for event in circuit.breaker.events(circuit.read) {
            circuit.read = event.sequence;
            self.result.transitions.push(ReplayedTransition {
                at_seconds: event.at.as_seconds(),
                circuit: name.clone(),
                from_state: event.transition.from,
                to_state: event.transition.to,
                cause: event.transition.cause,
                explanation: circuit.breaker.explain(),
            });
        }
    }
}

#[cfg(test)]
mod tests;
