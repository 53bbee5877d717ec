//! Readings as lists of names and values: what a host turns into a dictionary or an object of its own.
//!
//! The names stand here once. A binding only spells them in its host's way.

use core::time::Duration;

use super::{CallDurations, Counts, Event, Status};
use crate::clock::Tick;
use crate::config::Value;
use crate::histogram::{BUCKET_BOUNDS, Durations};

fn seconds(wait: Option<Duration>) -> Value {
    wait.map(|wait| wait.as_secs_f64()).into()
}

/// A moment as seconds from the clock's origin.
fn moment(tick: Option<Tick>) -> Value {
    tick.map(Tick::as_seconds).into()
}

impl Counts {
    /// The lifetime counters with their names.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        [
            ("total_calls", self.total_calls.into()),
            ("successful_calls", self.successful_calls.into()),
            ("failed_calls", self.failed_calls.into()),
            ("ignored_calls", self.ignored_calls.into()),
            ("cancelled_calls", self.cancelled_calls.into()),
            ("rejected_calls", self.rejected_calls.into()),
            ("shadow_rejected", self.shadow_rejected.into()),
            ("slow_calls", self.slow_calls.into()),
            ("probe_timeouts", self.probe_timeouts.into()),
            ("in_flight", self.in_flight.into()),
        ]
        .into_iter()
    }
}

impl Status {
    /// Every number of this reading with its name; waits in seconds, moments in seconds from the clock's origin.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        let verdict = [
            ("now_seconds", self.now.as_seconds().into()),
            ("state", self.state.as_str().into()),
            ("mode", self.mode.as_str().into()),
            ("retry_after_seconds", seconds(self.retry_after)),
            ("generation", self.generation.into()),
            ("success_rate", self.success_rate().into()),
            ("consecutive_failures", self.consecutive_failures.into()),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("window_calls", self.window.calls.into()),
            ("window_failed", self.window.failed.into()),
            ("window_slow", self.window.slow.into()),
            ("state_transitions", self.state_transitions.into()),
            ("last_failure_seconds", moment(self.last_failure)),
            ("last_success_seconds", moment(self.last_success)),
            ("last_state_change_seconds", moment(self.last_change)),
        ];
        verdict.into_iter().chain(self.counts.entries())
    }
}

impl Event {
    /// Everything this event tells, with names; the wait in seconds, the moment in seconds from the clock's origin.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + use<> {
        [
            ("sequence", self.sequence.into()),
            ("at_seconds", self.at.as_seconds().into()),
            ("from_state", self.transition.from.as_str().into()),
            ("to_state", self.transition.to.as_str().into()),
            ("cause", self.transition.cause.as_str().into()),
            ("generation", self.generation.into()),
            ("consecutive_failures", self.consecutive_failures.into()),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("retry_after_seconds", seconds(self.retry_after)),
        ]
        .into_iter()
    }
}

impl CallDurations {
    /// The histograms by the outcome they belong to.
    pub fn by_outcome(&self) -> [(&'static str, Durations); 2] {
        [("success", self.success), ("failure", self.failure)]
    }
}

impl Durations {
    /// For each bucket its upper bound in seconds and the calls that took at most so long, as Prometheus counts them:
    /// each bucket includes those before it, and the last bound is infinite.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]);
        bounds.zip(self.buckets.into_iter().scan(0, |sum, calls| {
            *sum += calls;
            Some(*sum)
        }))
    }
}
