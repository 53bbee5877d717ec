//! Readings as lists of names and values, which a binding turns into a dictionary or an object.
//!
//! This is the only list of the names; a binding changes nothing but their spelling.

use alloc::vec::Vec;
use core::time::Duration;

use super::{CallDurations, Counts, Event, Status};
use crate::clock::Tick;
use crate::config::Value;
use crate::evidence::{BUCKET_BOUNDS, Durations};

/// A list under construction.
struct Entries(Vec<(&'static str, Value)>);

impl Entries {
    fn count(&mut self, name: &'static str, count: u64) {
        self.0.push((name, Value::Whole(count)));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.0.push((name, text.into()));
    }

    fn number(&mut self, name: &'static str, number: Option<f64>) {
        self.0.push((name, number.into()));
    }

    fn seconds(&mut self, name: &'static str, wait: Option<Duration>) {
        self.number(name, wait.map(|wait| wait.as_secs_f64()));
    }

    /// A moment as seconds from the clock's origin.
    fn moment(&mut self, name: &'static str, tick: Option<Tick>) {
        self.number(name, tick.map(Tick::as_seconds));
    }

    fn counts(&mut self, counts: &Counts) {
        for (name, count) in counts.lasting() {
            self.count(name, count);
        }
        self.count("in_flight", counts.in_flight);
    }
}

/// Access to one counter.
type Place = fn(&mut Counts) -> &mut u64;

impl Counts {
    /// The counters that a snapshot keeps, by name: all but the calls in flight.
    pub(crate) const LASTING: [(&'static str, Place); 9] = [
        ("total_calls", |counts| &mut counts.total_calls),
        ("successful_calls", |counts| &mut counts.successful_calls),
        ("failed_calls", |counts| &mut counts.failed_calls),
        ("ignored_calls", |counts| &mut counts.ignored_calls),
        ("cancelled_calls", |counts| &mut counts.cancelled_calls),
        ("rejected_calls", |counts| &mut counts.rejected_calls),
        ("shadow_rejected", |counts| &mut counts.shadow_rejected),
        ("slow_calls", |counts| &mut counts.slow_calls),
        ("probe_timeouts", |counts| &mut counts.probe_timeouts),
    ];

    /// The counters that a snapshot keeps, with their names.
    pub(crate) fn lasting(mut self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::LASTING.into_iter().map(move |(name, place)| (name, *place(&mut self)))
    }

    /// The lifetime counters with their names.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let mut entries = Entries(Vec::new());
        entries.counts(self);
        entries.0.into_iter()
    }
}

impl Status {
    /// Every number of this reading with its name; waits in seconds, moments in seconds from the clock's origin.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let mut entries = Entries(Vec::new());
        entries.moment("now_seconds", Some(self.now));
        entries.text("state", self.state.as_str());
        entries.text("mode", self.mode.as_str());
        entries.seconds("retry_after_seconds", self.retry_after);
        entries.count("generation", self.generation);
        entries.number("success_rate", Some(self.success_rate()));
        entries.count("consecutive_failures", self.consecutive_failures);
        entries.count("consecutive_successes", self.consecutive_successes);
        entries.count("window_calls", self.window.calls);
        entries.count("window_failed", self.window.failed);
        entries.count("window_slow", self.window.slow);
        entries.count("state_transitions", self.state_transitions);
        entries.moment("last_failure_seconds", self.last_failure);
        entries.moment("last_success_seconds", self.last_success);
        entries.moment("last_state_change_seconds", self.last_change);
        entries.counts(&self.counts);
        entries.0.into_iter()
    }
}

impl Event {
    /// Every field of this event with its name; the wait in seconds, the moment in seconds from the clock's origin.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let mut entries = Entries(Vec::new());
        entries.count("sequence", self.sequence);
        entries.moment("at_seconds", Some(self.at));
        entries.text("from_state", self.transition.from.as_str());
        entries.text("to_state", self.transition.to.as_str());
        entries.text("cause", self.transition.cause.as_str());
        entries.count("generation", self.generation);
        entries.count("consecutive_failures", self.consecutive_failures.into());
        entries.count("consecutive_successes", self.consecutive_successes.into());
        entries.seconds("retry_after_seconds", self.retry_after);
        entries.0.into_iter()
    }
}

impl CallDurations {
    /// The histograms by the outcome they belong to.
    pub fn by_outcome(&self) -> [(&'static str, Durations); 2] {
        [("success", self.success), ("failure", self.failure)]
    }
}

impl Durations {
    /// The upper bound of each bucket in seconds and the number of calls up to it. As in Prometheus the counts are
    /// cumulative, and the last bound is infinite.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.buckets.into_iter().scan(0, |sum, calls| {
            *sum += calls;
            Some(*sum)
        }))
    }
}
