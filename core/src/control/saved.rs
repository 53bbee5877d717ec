//! The control value in another process: saved in a snapshot, restored, and inherited by a forked child.

use core::time::Duration;

use super::backoff::{OpenStreak, Wait};
use super::{Control, Jitter, Mode, Phase, Probing, State};
use crate::clock::Tick;
use crate::config::Rules;

/// A control value with remaining times instead of moments, because the next process has another clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Saved {
    /// `closed` or `open`.
    pub state: State,
    pub mode: Mode,
    pub generation: u64,
    pub failures: u32,
    /// While open: the chosen wait and the rest of it; `None` if the circuit is forced open without a duration.
    pub wait: Option<(Duration, Duration)>,
    pub openings: u32,
    pub last_wait: Duration,
    /// While closed: the time until the openings in a row are forgotten.
    pub resets_in: Duration,
}

impl Control {
    /// The saved form. A half-open circuit is saved as open with no wait left, because its probes end with the process.
    pub(crate) fn saved(&self, rules: &Rules, now: Tick) -> Saved {
        let (state, wait) = match self.phase {
            Phase::Closed { .. } => (State::Closed, None),
            Phase::Open { wait, .. } => (State::Open, wait.map(|wait| (wait.chosen(), wait.left(now)))),
            Phase::HalfOpen(_) => (State::Open, Some((Duration::ZERO, Duration::ZERO))),
        };
        // Forgotten openings are stored as zero, because the next clock may start earlier.
        let openings = self.open_streak_at(now);
        let resets_in = match self.phase {
            Phase::Closed { resets_at, .. } => resets_at.since(now).min(openings.wait()),
            Phase::Open { .. } | Phase::HalfOpen(_) => Duration::ZERO,
        };
        Saved {
            state,
            mode: self.mode_at(rules, now),
            generation: self.generation,
            failures: self.consecutive_failures(),
            wait,
            openings: openings.count,
            last_wait: openings.wait(),
            resets_in,
        }
    }

    /// The value for a forked child: a new generation, so the parent's permits are stale.
    pub(crate) fn inherited(self, jitter: Jitter) -> Self {
        let phase = match self.phase {
            Phase::HalfOpen(probing) => Phase::HalfOpen(Probing { slots: 0, ..probing }),
            Phase::Closed { .. } | Phase::Open { .. } => self.phase,
        };
        Self { generation: self.generation + 1, jitter, ..self.with(phase) }
    }

    /// Restores a consistent saved value at `now`, in a new generation, in which no earlier permit has a vote.
    pub(crate) fn restored(self, saved: &Saved, now: Tick) -> Self {
        let failures = saved.failures;
        let phase = match saved.state {
            State::Closed => Phase::Closed { failures, resets_at: now.after(saved.resets_in) },
            State::Open | State::HalfOpen => {
                // A wait that is over is stored as zero, because the next clock may start earlier.
                let until = |left: Duration| if left.is_zero() { Tick::ZERO } else { now.after(left) };
                let wait = saved.wait.map(|(chosen, left)| Wait::until(until(left), chosen));
                Phase::Open { failures, wait }
            }
        };
        let openings = OpenStreak::of(saved.openings, saved.last_wait);
        let generation = self.generation.max(saved.generation) + 1;
        Self { generation, mode: saved.mode, phase, openings, jitter: self.jitter }
    }
}
