//! A consistent reading of a breaker.

use core::time::Duration;

use super::{Counts, Durations, WindowCounts};
use crate::clock::Tick;
use crate::control::{Mode, State};

/// A reading of a breaker at one moment. Reading changes nothing and takes no permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// The moment.
    pub now: Tick,
    /// The state; `half_open` also if the wait is over and no call has come yet.
    pub state: State,
    /// The mode: automatic, or set by an operator.
    pub mode: Mode,
    /// The rest of the wait; `None` if the circuit is not open, or is forced open without a duration.
    pub retry_after: Option<Duration>,
    /// The number that changes with every transition and every operation of an operator.
    pub generation: u64,
    /// Failures in a row.
    pub consecutive_failures: u64,
    /// Successes in a row.
    pub consecutive_successes: u64,
    /// The calls in the window; zero if no rate is set.
    pub window: WindowCounts,
    /// The lifetime counters.
    pub counts: Counts,
    /// Changes of state since the breaker was made.
    pub state_transitions: u64,
    /// When the last current failure ended.
    pub last_failure: Option<Tick>,
    /// When the last current success ended.
    pub last_success: Option<Tick>,
    /// When the state last changed.
    pub last_change: Option<Tick>,
}

impl Status {
    /// Successes in percent of the calls that ended in success or failure; 0 if there are none.
    pub fn success_rate(&self) -> f64 {
        let decided = self.counts.successful_calls + self.counts.failed_calls;
        if decided == 0 { 0.0 } else { self.counts.successful_calls as f64 * 100.0 / decided as f64 }
    }
}

/// The durations of calls, by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallDurations {
    /// Calls that succeeded.
    pub success: Durations,
    /// Calls that failed.
    pub failure: Durations,
}

impl CallDurations {
    /// The histograms with the names of their outcomes.
    pub fn by_outcome(&self) -> [(&'static str, Durations); 2] {
        [("success", self.success), ("failure", self.failure)]
    }
}
