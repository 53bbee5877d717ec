//! Readings as lists of names and values, which a binding turns into a dictionary or an object.
//!
//! This is the only list of the names. A binding changes nothing but their spelling.

use alloc::vec::{IntoIter, Vec};
use core::time::Duration;

use crate::clock::Tick;
use crate::config::{Config, Value};
use crate::evidence::{Counts, Event, Status};

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
        List::default().counts(self).finished()
    }
}

impl Entries for Status {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        List::default()
            .moment("now_seconds", Some(self.now))
            .text("state", self.state.as_str())
            .text("mode", self.mode.as_str())
            .seconds("retry_after_seconds", self.retry_after)
            .count("generation", self.generation)
            .number("success_rate", Some(self.success_rate()))
            .count("consecutive_failures", self.consecutive_failures)
            .count("consecutive_successes", self.consecutive_successes)
            .count("window_calls", self.window.calls)
            .count("window_failed", self.window.failed)
            .count("window_slow", self.window.slow)
            .count("state_transitions", self.state_transitions)
            .moment("last_failure_seconds", self.last_failure)
            .moment("last_success_seconds", self.last_success)
            .moment("last_state_change_seconds", self.last_change)
            .counts(&self.counts)
            .finished()
    }
}

impl Entries for Event {
    fn entries(&self) -> IntoIter<(&'static str, Value)> {
        List::default()
            .count("sequence", self.sequence)
            .moment("at_seconds", Some(self.at))
            .text("from_state", self.transition.from.as_str())
            .text("to_state", self.transition.to.as_str())
            .text("cause", self.transition.cause.as_str())
            .count("generation", self.generation)
            .count("consecutive_failures", self.consecutive_failures.into())
            .count("consecutive_successes", self.consecutive_successes.into())
            .seconds("retry_after_seconds", self.retry_after)
            .finished()
    }
}

#[derive(Default)]
struct List(Vec<(&'static str, Value)>);

impl List {
    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.0.push((name, value.into()));
        self
    }

    fn count(self, name: &'static str, count: u64) -> Self {
        self.with(name, count)
    }

    fn text(self, name: &'static str, text: &str) -> Self {
        self.with(name, text)
    }

    fn number(self, name: &'static str, number: Option<f64>) -> Self {
        self.with(name, number)
    }

    fn seconds(self, name: &'static str, duration: Option<Duration>) -> Self {
        self.with(name, duration.map(|duration| duration.as_secs_f64()))
    }

    fn moment(self, name: &'static str, tick: Option<Tick>) -> Self {
        self.with(name, tick.map(Tick::as_seconds))
    }

    fn counts(self, counts: &Counts) -> Self {
        let list = counts.lasting().fold(self, |list, (name, count)| list.count(name, count));
        list.count("in_flight", counts.in_flight)
    }

    fn finished(self) -> IntoIter<(&'static str, Value)> {
        self.0.into_iter()
    }
}
