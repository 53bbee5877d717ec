//! The control value in another process: what a snapshot holds of it, how it comes back to life, and what a fork inherits.

use core::time::Duration;

use super::backoff::{OpenStreak, Wait};
use super::{Control, Jitter, Mode, Phase, Probing, State};
use crate::clock::Tick;
use crate::config::Rules;

/// A control value with remaining times instead of moments, because the next process has another clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Saved {
    /// `closed` or `open`.
    pub state: State,
    pub mode: Mode,
    pub generation: u64,
    pub failures: u32,
    /// While open: the wait that was chosen and what is left of it; `None` where it is held without end.
    pub wait: Option<(Duration, Duration)>,
    pub openings: u32,
    pub last_wait: Duration,
    /// While closed: what is left until the openings in a row are forgotten.
    pub resets_in: Duration,
}

impl Control {
    /// What outlives a process. A stay in `half_open` does not, since its probes do not: it is saved as an open circuit
    /// that waits for its first probe.
    pub(crate) fn saved(&self, rules: &Rules, now: Tick) -> Saved {
        let (state, wait) = match self.phase {
            Phase::Closed { .. } => (State::Closed, None),
            Phase::Open { wait, .. } => (State::Open, wait.map(|wait| (wait.chosen(), wait.left(now)))),
            Phase::HalfOpen(_) => (State::Open, Some((Duration::ZERO, Duration::ZERO))),
        };
        // A record that is reset stays so on any later clock.
        let openings = self.open_streak_at(now);
        let resets_in = match self.phase {
            Phase::Closed { resets_at, .. } => resets_at.since(now).min(openings.last_wait),
            Phase::Open { .. } | Phase::HalfOpen(_) => Duration::ZERO,
        };
        Saved {
            state,
            mode: self.mode_at(rules, now),
            generation: self.generation,
            failures: self.consecutive_failures(),
            wait,
            openings: openings.count,
            last_wait: openings.last_wait,
            resets_in,
        }
    }

    /// What the child of a fork goes on with: a generation of its own, in which no permit of its parent has a say or holds
    /// a slot.
    pub(crate) fn inherited(self, jitter: Jitter) -> Self {
        let phase = match self.phase {
            Phase::HalfOpen(probing) => Phase::HalfOpen(Probing { slots: 0, ..probing }),
            Phase::Closed { .. } | Phase::Open { .. } => self.phase,
        };
        Self { generation: self.generation + 1, jitter, ..self.with(phase) }
    }

    /// A saved value that is consistent, at `now`, in a generation of its own: no permit of before has a say in it.
    pub(crate) fn restored(self, saved: &Saved, now: Tick) -> Self {
        let failures = saved.failures;
        let phase = match saved.state {
            State::Closed => Phase::Closed { failures, resets_at: now.after(saved.resets_in) },
            State::Open | State::HalfOpen => {
                // A wait that is over stays over on any later clock.
                let until = |left: Duration| if left.is_zero() { Tick::ZERO } else { now.after(left) };
                let wait = saved.wait.map(|(chosen, left)| Wait::until(until(left), chosen));
                Phase::Open { failures, wait }
            }
        };
        let openings = OpenStreak { count: saved.openings, last_wait: saved.last_wait };
        let generation = self.generation.max(saved.generation) + 1;
        Self { generation, mode: saved.mode, phase, openings, jitter: self.jitter }
    }
}
