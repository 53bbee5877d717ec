//! What an operator can order. Each order starts a new generation, so no call begun before it can undo it.

use core::time::Duration;

use super::transition::{Cause, Transition};
use super::{Control, Mode, Phase, Wait};
use crate::clock::Tick;

impl Control {
    /// Holds the circuit open for `duration`, or until it is reset. When the duration ends, the next call is a probe.
    pub fn force_open(self, duration: Option<Duration>, now: Tick) -> (Self, Option<Transition>) {
        let wait = duration.map(|duration| Wait::from(now, duration));
        let held = Phase::Open { failures: self.consecutive_failures(), wait };
        Self { mode: Mode::ForcedOpen, ..self }.moved(held, Cause::Forced)
    }

    /// Closes the circuit and hands it back to the machine.
    pub fn reset(self) -> (Self, Option<Transition>) {
        self.released().moved(Phase::Closed { failures: 0 }, Cause::Reset)
    }

    /// Closes the circuit and keeps it so: every call passes, and none is judged.
    pub fn disable(self) -> (Self, Option<Transition>) {
        Self { mode: Mode::Disabled, ..self }.moved(Phase::Closed { failures: 0 }, Cause::Disabled)
    }
}
