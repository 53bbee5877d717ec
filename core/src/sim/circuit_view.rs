//! A circuit at one moment, as a page or a report shows it.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::breaker::{CircuitBreaker, Inspection};
use crate::clock::Clock;
use crate::control::{Mode, State};
use crate::evidence::{Call, SavedWindow, WindowCounts};

/// A circuit at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CircuitView {
    /// Its state; `half_open` also if its wait is over and no call has come yet.
    pub state: State,
    /// Its mode.
    pub mode: Mode,
    /// Why it is in its state, and what would change it, in one sentence.
    pub explanation: String,
    /// The rest of its wait; `None` unless open.
    pub retry_after_seconds: Option<f64>,
    /// Failures in a row.
    pub consecutive_failures: u64,
    /// Successes in a row; those of probes while half-open.
    pub consecutive_successes: u64,
    /// The probe slots that are taken.
    pub probe_slots: u8,
    /// While every slot is taken: when they are taken back unless a probe shows a sign of life.
    pub probes_reclaimed_in_seconds: Option<f64>,
    /// The calls from which rates are computed.
    pub window: WindowView,
}

/// The content of a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WindowView {
    /// Calls in the window.
    pub calls: u64,
    /// Those that failed.
    pub failed: u64,
    /// Those that were slow.
    pub slow: u64,
    /// In a window of calls: each call, oldest first: `.` good, `f` failed, `s` slow, `b` both.
    pub cells: String,
    /// In a window of seconds: calls, failed and slow of each bucket, the current one first.
    pub buckets: Vec<[u64; 3]>,
}

impl CircuitView {
    pub(super) fn of<C: Clock>(breaker: &CircuitBreaker<C>) -> Self {
        let Inspection { status, probe_slots, probes_busy_for, window } = breaker.inspect();
        Self {
            state: status.state,
            mode: status.mode,
            explanation: breaker.explain(),
            retry_after_seconds: status.retry_after.map(|left| left.as_secs_f64()),
            consecutive_failures: status.consecutive_failures,
            consecutive_successes: status.consecutive_successes,
            probe_slots,
            probes_reclaimed_in_seconds: probes_busy_for.map(|left| left.as_secs_f64()),
            window: WindowView::of(status.window, &window),
        }
    }
}

impl WindowView {
    fn of(counts: WindowCounts, content: &SavedWindow) -> Self {
        let (mut cells, mut buckets) = (String::new(), Vec::new());
        match content {
            SavedWindow::None => {}
            SavedWindow::Calls { ended, .. } => cells = Call::letters(ended),
            SavedWindow::Seconds { buckets: latest_first, .. } => {
                buckets = latest_first.iter().map(|bucket| [bucket.calls, bucket.failed, bucket.slow]).collect();
            }
        }
        Self { calls: counts.calls, failed: counts.failed, slow: counts.slow, cells, buckets }
    }
}
