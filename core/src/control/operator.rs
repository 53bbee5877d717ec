//! The operator's operations. Each starts a new generation, so calls that began before it cannot undo it.

use core::time::Duration;

use super::transition::{Cause, Transition};
use super::{Control, Mode, OpenStreak, Phase, Wait};
use crate::clock::Tick;
use crate::config::Rules;

impl Control {
    /// Holds the circuit open for `duration`, or until it is reset. When the duration ends, the next call is a probe.
    ///
    /// It does not count as an opening, so it does not lengthen the next wait.
    pub fn force_open(self, duration: Option<Duration>, now: Tick) -> (Self, Option<Transition>) {
        let wait = duration.map(|duration| Wait::from(now, duration));
        let held = Phase::Open { failures: self.consecutive_failures(), wait };
        Self { mode: Mode::ForcedOpen, openings: self.open_streak_at(now), ..self }.moved(held, Cause::Forced)
    }

    /// Ends a forced opening whose duration is over at `now`, in the mode of `rules`. It stays over if the clock steps back.
    pub(crate) fn without_expired_force_open(self, rules: &Rules, now: Tick) -> Self {
        match self.phase {
            Phase::Open { failures, wait: Some(wait) } if self.is_forced_open_over(now) => {
                let over = Wait::until(Tick::ZERO, wait.chosen());
                Self { mode: Self::configured_mode(rules), ..self.with(Phase::Open { failures, wait: Some(over) }) }
            }
            _ => self,
        }
    }

    /// Closes the circuit in its configured mode.
    pub fn reset(self, rules: &Rules, now: Tick) -> (Self, Option<Transition>) {
        self.started_afresh(Self::configured_mode(rules), Cause::Reset, now)
    }

    /// Closes the circuit and keeps it closed: every call passes, and no outcome is evaluated.
    pub fn disable(self, now: Tick) -> (Self, Option<Transition>) {
        self.started_afresh(Mode::Disabled, Cause::Disabled, now)
    }

    fn started_afresh(self, mode: Mode, cause: Cause, now: Tick) -> (Self, Option<Transition>) {
        Self { mode, openings: OpenStreak::NONE, ..self }.moved(Phase::Closed { failures: 0, resets_at: now }, cause)
    }
}
