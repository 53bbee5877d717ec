//! Readings as lists of names and values, which a binding turns into a dictionary or an object.
//!
//! This is the only list of the names. A binding changes nothing but their spelling.

use alloc::vec::{IntoIter, Vec};

use crate::config::{Config, InvalidValue, Value};
use crate::evidence::{CallDurations, Counts, Durations, Event, Status};
use crate::registry::RegistryError;

/// A reading as named values, in the order of the documentation.
///
/// Durations are in seconds, and moments in seconds from the clock's origin.
pub trait Entries {
    /// Every field with its name.
    fn entries(&self) -> IntoIter<(&'static str, Value)>;
}

impl Entries for Config {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        self.fields().collect::<Vec<_>>().into_iter()
    }
}

impl Entries for Counts {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        let mut entries: Vec<_> = self.lasting().map(|(name, count)| (name, count.into())).collect();
        entries.push(("in_flight", self.in_flight.into()));
        entries.into_iter()
    }
}

impl Entries for Status {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        let mut entries = Vec::from([
            ("now_seconds", self.now.into()),
            ("state", self.state.as_str().into()),
            ("mode", self.mode.as_str().into()),
            ("retry_after_seconds", self.retry_after.into()),
            ("generation", self.generation.into()),
            ("success_rate", self.success_rate().into()),
            ("consecutive_failures", self.consecutive_failures.into()),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("window_calls", self.window.calls.into()),
            ("window_failed", self.window.failed.into()),
            ("window_slow", self.window.slow.into()),
            ("state_transitions", self.state_transitions.into()),
            ("last_failure_seconds", self.last_failure.into()),
            ("last_success_seconds", self.last_success.into()),
            ("last_state_change_seconds", self.last_change.into()),
        ]);
        entries.extend(self.counts.entries());
        entries.into_iter()
    }
}

impl Entries for Event {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        Vec::from([
            ("sequence", self.sequence.into()),
            ("at_seconds", self.at.into()),
            ("from_state", self.transition.from.as_str().into()),
            ("to_state", self.transition.to.as_str().into()),
            ("cause", self.transition.cause.as_str().into()),
            ("generation", self.generation.into()),
            ("consecutive_failures", self.consecutive_failures.into()),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("retry_after_seconds", self.retry_after.into()),
        ])
        .into_iter()
    }
}

impl Entries for CallDurations {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        let entries = self.by_outcome().map(|(outcome, durations)| (outcome, durations.entries().collect()));
        Vec::from(entries).into_iter()
    }
}

impl Entries for Durations {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        let bucket = |(bound, count): (f64, u64)| {
            [("up_to_seconds", bound.into()), ("count", count.into())].into_iter().collect()
        };
        Vec::from([
            ("count", self.count().into()),
            ("total_seconds", self.total.into()),
            ("buckets", Value::List(self.cumulative().map(bucket).collect())),
        ])
        .into_iter()
    }
}

/// The parts of an error, for hosts that make an error of their own from them.
impl Entries for InvalidValue {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        Vec::from([
            ("code", self.code().into()),
            ("field", self.field().into()),
            ("value", self.value().clone()),
            ("allowed", self.allowed().into()),
        ])
        .into_iter()
    }
}

/// The parts of an error, for hosts that make an error of their own from them.
impl Entries for RegistryError {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        let mut entries = Vec::from([("code", self.code().into())]);
        match self {
            Self::NameConflict { name, field } => {
                entries.extend([("circuit_name", name.as_str().into()), ("field", field.as_str().into())]);
            }
            Self::Full { bound } => entries.push(("bound", (*bound as u64).into())),
        }
        entries.into_iter()
    }
}
