//! A change of state, and the one function that makes it.

use super::{Control, Phase, State};
use crate::names::named_enum;

named_enum! {
    /// Why a circuit changed its state.
    Cause {
        /// The number of failures in a row reached `failure_threshold`.
        ConsecutiveFailures = "consecutive_failures",
        /// The share of failures in the window reached `failure_rate_threshold`.
        FailureRate = "failure_rate",
        /// The share of slow calls in the window reached `slow_call_rate_threshold`.
        SlowCallRate = "slow_call_rate",
        /// The wait was over, and a call came.
        TimeoutElapsed = "timeout_elapsed",
        /// The number of probe successes in a row reached `success_threshold`.
        ProbesSucceeded = "probes_succeeded",
        /// A probe failed.
        ProbeFailed = "probe_failed",
        /// A probe succeeded, but slowly, and a slow-call rate is set.
        ProbeSlow = "probe_slow",
        /// An operator forced it open.
        Forced = "forced",
        /// An operator reset it.
        Reset = "reset",
        /// An operator disabled it.
        Disabled = "disabled",
    }
}

/// A change from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transition {
    /// The state it left.
    pub from: State,
    /// The state it entered.
    pub to: State,
    /// Why.
    pub cause: Cause,
}

impl Control {
    /// Enters `phase` in a new generation; `Some` if that changes the state.
    pub(super) fn moved(self, phase: Phase, cause: Cause) -> (Self, Option<Transition>) {
        let (from, to) = (self.phase.state(), phase.state());
        let transition = (from != to).then_some(Transition { from, to, cause });
        (Self { generation: self.generation + 1, phase, ..self }, transition)
    }
}

impl Phase {
    /// The state that was announced last. It does not depend on the time.
    pub(super) fn state(&self) -> State {
        match self {
            Self::Closed { .. } => State::Closed,
            Self::Open { .. } => State::Open,
            Self::HalfOpen(_) => State::HalfOpen,
        }
    }
}
