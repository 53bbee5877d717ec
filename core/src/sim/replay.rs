//! Replays a log of real calls through a configuration.
//!
//! A log holds each call's start, circuit, duration and outcome, and the rejected calls. Where a configuration admits a
//! call that was rejected then, nobody knows how it would have ended. So there are two answers: one as if all such calls
//! had succeeded, one as if all had failed.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::circuit_view::CircuitView;
use super::nanos;
use crate::breaker::{CircuitBreaker, Ticket};
use crate::clock::{Clock, ManualClock, Tick};
use crate::config::{Config, InvalidValue, Value};
use crate::control::{Cause, Jitter, Outcome, State};

/// One call of a log. Its JSON has these names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// When the call began: seconds from any origin that all records share, at least 0.
    pub at_seconds: f64,
    /// The name of the circuit.
    pub circuit: String,
    /// How long the call took; 0 for a rejected one.
    #[serde(default)]
    pub duration_seconds: f64,
    /// How it ended.
    pub outcome: RecordedOutcome,
    /// The wait that the provider asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<f64>,
}

/// How a recorded call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedOutcome {
    /// It did what was asked.
    Success,
    /// It failed, and the provider is to blame.
    Failure,
    /// It failed, and that says nothing about the provider.
    Ignored,
    /// It was given up.
    Cancelled,
    /// The circuit rejected it.
    Rejected,
}

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
    /// Calls that were rejected and would have been admitted: nobody knows how they would have ended.
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
    /// The sentence that the breaker itself says then.
    pub explanation: String,
}

impl Replayed {
    /// Whether every decision is the recorded one.
    pub fn reproduces_the_log(&self) -> bool {
        self.first_difference.is_none()
    }
}

/// Reads a log: one [`Record`] in JSON on each line, in any order. Empty lines are skipped.
///
/// # Errors
/// [`InvalidValue`] names the line, from 1: `log[17]`.
pub fn read_log(text: &str) -> Result<Vec<Record>, InvalidValue> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let mut records = lines.map(|(index, line)| read_line(index + 1, line)).collect::<Result<Vec<_>, _>>()?;
    // Stable, so that calls of one moment stay in the order of the log.
    records.sort_by(|one, other| one.at_seconds.total_cmp(&other.at_seconds));
    Ok(records)
}

fn read_line(number: usize, line: &str) -> Result<Record, InvalidValue> {
    let refuse = |allowed: &str| InvalidValue::new(&alloc::format!("log[{number}]"), &Value::from(line), allowed);
    let record: Record = serde_json::from_str(line).map_err(|error| refuse(&error.to_string()))?;
    // A century, so that times of a wall clock are taken too.
    let seconds = 0.0..=3.2e9;
    let waits = [record.duration_seconds, record.retry_after_seconds.unwrap_or(0.0)];
    if !seconds.contains(&record.at_seconds) || waits.iter().any(|wait| !seconds.contains(wait)) {
        return Err(refuse("times from 0 to 3200000000 seconds"));
    }
    Ok(record)
}

/// Runs the records, sorted by their times as [`read_log`] returns them, through a configuration.
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
    circuits: BTreeMap<String, Circuit>,
    /// The calls under way by the time of their end, and by their record.
    under_way: BTreeMap<(u64, usize), (Ticket, Outcome)>,
    decisions: Vec<bool>,
    unknown: Outcome,
    unknown_seconds: f64,
    result: Replayed,
}

struct Circuit {
    breaker: CircuitBreaker<ManualClock>,
    /// The last transition that was read.
    read: u64,
}

impl Replay {
    /// The beginning of a replay; see [`replay`].
    pub fn new(records: Arc<[Record]>, config: &Config, unknown: Outcome) -> Self {
        let made = records.iter().filter(|record| record.outcome != RecordedOutcome::Rejected);
        let mut durations: Vec<_> = made.map(|record| record.duration_seconds).collect();
        durations.sort_by(f64::total_cmp);
        Self {
            records,
            next: 0,
            config: config.clone(),
            clock: ManualClock::new(),
            circuits: BTreeMap::new(),
            under_way: BTreeMap::new(),
            decisions: Vec::new(),
            unknown,
            unknown_seconds: durations.get(durations.len() / 2).copied().unwrap_or(0.0),
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
        self.circuits.get(name).map(|circuit| CircuitView::of(&circuit.breaker))
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

    fn begin(&mut self, index: usize, at: u64) {
        self.clock.set(Tick::from_nanos(at));
        let record = &self.records[index];
        let (config, clock) = (&self.config, &self.clock);
        // The name decides the seed of the jitter, so that a replay is the same each time.
        let seed = record.circuit.bytes().fold(0_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
        let circuit = self.circuits.entry(record.circuit.clone()).or_insert_with(|| Circuit {
            breaker: CircuitBreaker::with_jitter(config.clone(), clock.clone(), Jitter { seed }),
            read: 0,
        });
        let admitted = circuit.breaker.admit(|| None);
        let was_rejected = record.outcome == RecordedOutcome::Rejected;
        self.decisions.push(admitted.is_ok());
        if admitted.is_ok() == was_rejected {
            self.result.first_difference.get_or_insert(index);
        }
        match (admitted, was_rejected) {
            (Ok(ticket), _) => {
                let (outcome, seconds) = self.outcome(record);
                self.under_way.insert((at + nanos(seconds), index), (ticket, outcome));
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

    fn outcome(&self, record: &Record) -> (Outcome, f64) {
        let outcome = match record.outcome {
            RecordedOutcome::Success => Outcome::Success,
            RecordedOutcome::Failure => Outcome::FAILURE,
            RecordedOutcome::Ignored => Outcome::Ignored,
            RecordedOutcome::Cancelled => Outcome::Cancelled,
            RecordedOutcome::Rejected => return (self.unknown, self.unknown_seconds),
        };
        let retry_after = record.retry_after_seconds.map(|wait| core::time::Duration::from_nanos(nanos(wait)));
        (outcome.with_retry_after(retry_after), record.duration_seconds)
    }

    fn settle_until(&mut self, now: u64) {
        while let Some(first) = self.under_way.first_entry().filter(|first| first.key().0 <= now) {
            let ((at, index), (ticket, outcome)) = first.remove_entry();
            self.clock.set(Tick::from_nanos(at));
            if let Some(circuit) = self.circuits.get(&self.records[index].circuit) {
                circuit.breaker.settle(ticket, outcome);
            }
            self.read_transitions(index);
        }
    }

    /// Reads the transitions of the circuit of a record.
    fn read_transitions(&mut self, index: usize) {
        let name = &self.records[index].circuit;
        let Some(circuit) = self.circuits.get_mut(name) else { return };
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
