//! Converts the core's readings to records. Each conversion names every field, so that none can be forgotten.

use halfopen::clock::Tick;
use halfopen::evidence::{CallDurations, Counts, Durations, Edge, Event, Status, WindowCounts};

use crate::wit;

impl From<Status> for wit::Status {
    fn from(status: Status) -> Self {
        Self {
            now_seconds: status.now.as_seconds(),
            state: status.state.into(),
            mode: status.mode.into(),
            retry_after_seconds: status.retry_after.map(|wait| wait.as_secs_f64()),
            generation: status.generation,
            success_rate: status.success_rate(),
            consecutive_failures: status.consecutive_failures,
            consecutive_successes: status.consecutive_successes,
            window: status.window.into(),
            counts: status.counts.into(),
            state_transitions: status.state_transitions,
            last_failure_seconds: status.last_failure.map(Tick::as_seconds),
            last_success_seconds: status.last_success.map(Tick::as_seconds),
            last_state_change_seconds: status.last_change.map(Tick::as_seconds),
        }
    }
}

impl From<WindowCounts> for wit::WindowCounts {
    fn from(WindowCounts { calls, failed, slow }: WindowCounts) -> Self {
        Self { calls, failed, slow }
    }
}

impl From<Counts> for wit::Counts {
    fn from(counts: Counts) -> Self {
        Self {
            total_calls: counts.total_calls,
            successful_calls: counts.successful_calls,
            failed_calls: counts.failed_calls,
            ignored_calls: counts.ignored_calls,
            cancelled_calls: counts.cancelled_calls,
            rejected_calls: counts.rejected_calls,
            shadow_rejected: counts.shadow_rejected,
            slow_calls: counts.slow_calls,
            probe_timeouts: counts.probe_timeouts,
            in_flight: counts.in_flight,
        }
    }
}

impl From<Event> for wit::Event {
    fn from(event: Event) -> Self {
        Self {
            sequence: event.sequence,
            at_seconds: event.at.as_seconds(),
            from_state: event.transition.from.into(),
            to_state: event.transition.to.into(),
            cause: event.transition.cause.into(),
            generation: event.generation,
            consecutive_failures: event.consecutive_failures.into(),
            consecutive_successes: event.consecutive_successes.into(),
            retry_after_seconds: event.retry_after.map(|wait| wait.as_secs_f64()),
        }
    }
}

impl From<Edge> for wit::Edge {
    fn from(Edge { from, to, count }: Edge) -> Self {
        Self { from_state: from.into(), to_state: to.into(), count }
    }
}

impl From<CallDurations> for wit::CallDurations {
    fn from(CallDurations { success, failure }: CallDurations) -> Self {
        Self { success: success.into(), failure: failure.into() }
    }
}

impl From<Durations> for wit::Durations {
    fn from(durations: Durations) -> Self {
        let buckets = durations.cumulative();
        Self {
            count: durations.count(),
            total_seconds: durations.total.as_secs_f64(),
            buckets: buckets.map(|(up_to_seconds, count)| wit::Bucket { up_to_seconds, count }).collect(),
        }
    }
}
