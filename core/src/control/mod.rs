#![doc = include_str!("machine.md")]

mod acquire;
mod backoff;
mod codec;
mod operator;
mod outcome;
mod saved;
mod settle;
mod states;
mod transition;

#[cfg(test)]
mod exhaustive;
#[cfg(test)]
mod tests;

use core::time::Duration;

pub(crate) use acquire::OpenGate;
pub use acquire::{Admission, Rejected};
pub use backoff::Jitter;
use backoff::OpenStreak;
pub(crate) use backoff::Wait;
pub use codec::{InvalidWords, WORDS};
pub use outcome::Outcome;
pub(crate) use saved::Saved;
pub use settle::Settlement;
pub use states::{Mode, Reason, State};
pub use transition::{Cause, Transition};

use crate::clock::Tick;
use crate::config::Rules;

/// The state of a circuit in one small value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Control {
    generation: u64,
    mode: Mode,
    phase: Phase,
    openings: OpenStreak,
    jitter: Jitter,
}

/// A state with the numbers that exist only in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Phase {
    Closed {
        failures: u32,
        /// When the openings in a row are forgotten: after being closed for the last wait.
        resets_at: Tick,
    },
    Open {
        /// The failure streak at the opening.
        failures: u32,
        /// When the wait ends; `None` if an operator forced the circuit open without a duration.
        wait: Option<Wait>,
    },
    HalfOpen(Probing),
}

/// One stay in `half_open`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Probing {
    /// Consecutive successes.
    successes: u8,
    /// Probe slots taken.
    slots: u8,
    /// Grows each time the slots are taken back, from [`FIRST_SLOT_EPOCH`] on.
    slot_epoch: u64,
    /// When a probe was last admitted or settled.
    active: Tick,
}

/// The part of a permit that the state machine needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    generation: u64,
    /// Zero if the call is not a probe.
    slot_epoch: u64,
}

const FIRST_SLOT_EPOCH: u64 = 1;

impl Control {
    /// A closed circuit in its first generation; `jitter` spreads its waits.
    pub const fn new(rules: &Rules, jitter: Jitter) -> Self {
        Self {
            generation: 0,
            mode: Self::configured_mode(rules),
            phase: Phase::Closed { failures: 0, resets_at: Tick::ZERO },
            openings: OpenStreak::NONE,
            jitter,
        }
    }

    /// The mode from the configuration.
    const fn configured_mode(rules: &Rules) -> Mode {
        if rules.shadow { Mode::Shadow } else { Mode::Auto }
    }

    /// The state at `now`: an open circuit whose wait is over reads `half_open`, because the next call is a probe.
    pub fn state_at(&self, now: Tick) -> State {
        match self.phase {
            Phase::Closed { .. } => State::Closed,
            Phase::Open { wait: Some(wait), .. } if wait.is_over(now) => State::HalfOpen,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
        }
    }

    /// The mode at `now`: a timed `forced_open` ends by itself.
    pub fn mode_at(&self, rules: &Rules, now: Tick) -> Mode {
        if self.is_forced_open_over(now) { Self::configured_mode(rules) } else { self.mode }
    }

    /// Whether a timed `forced_open` is over.
    fn is_forced_open_over(&self, now: Tick) -> bool {
        let over = matches!(self.phase, Phase::Open { wait: Some(wait), .. } if wait.is_over(now));
        over && self.mode == Mode::ForcedOpen
    }

    /// The rest of the wait at `now`; `None` if the circuit is not open, or is held open without end.
    pub fn retry_after_at(&self, now: Tick) -> Option<Duration> {
        match self.phase {
            Phase::Open { wait: Some(wait), .. } if !wait.is_over(now) => Some(wait.left(now)),
            _ => None,
        }
    }

    /// The number that changes with every transition and every operation of an operator.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Consecutive failures.
    pub fn consecutive_failures(&self) -> u32 {
        match self.phase {
            Phase::Closed { failures, .. } | Phase::Open { failures, .. } => failures,
            Phase::HalfOpen(_) => 0,
        }
    }

    /// Consecutive successes of probes, while half-open. The successes of a closed circuit change no decision, so they are
    /// counted in `evidence`.
    pub fn probe_successes(&self) -> u8 {
        match self.phase {
            Phase::HalfOpen(probing) => probing.successes,
            Phase::Closed { .. } | Phase::Open { .. } => 0,
        }
    }

    /// Probe slots taken.
    pub fn probe_slots(&self) -> u8 {
        match self.phase {
            Phase::HalfOpen(probing) => probing.slots,
            Phase::Closed { .. } | Phase::Open { .. } => 0,
        }
    }

    /// Whether it is closed, so that calls pass without changing this value.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed { .. })
    }

    /// Whether it is closed in mode `auto` or `shadow`, without a failure streak and without openings in a row.
    pub(crate) fn is_pristine_at(&self, now: Tick) -> bool {
        self.is_unmoved_by_success() && self.open_streak_at(now) == OpenStreak::NONE
    }

    /// Whether a success changes nothing: closed, in mode `auto` or `shadow`, without a failure streak.
    pub(crate) fn is_unmoved_by_success(&self) -> bool {
        self.accepts_settles() && self.is_closed() && self.consecutive_failures() == 0
    }

    /// Whether settles are evaluated: in mode `auto` and `shadow`.
    pub(crate) fn accepts_settles(&self) -> bool {
        matches!(self.mode, Mode::Auto | Mode::Shadow)
    }

    /// Whether calls in flight can open the circuit before they end: closed, and a slow-call rate is evaluated.
    pub(crate) fn tracks_calls(&self, rules: &Rules) -> bool {
        self.is_closed() && self.accepts_settles() && rules.slow_call_rate.is_some()
    }

    /// Whether a permit with this stamp has a vote.
    pub(crate) fn is_current(&self, stamp: Stamp) -> bool {
        self.accepts_settles() && stamp.generation == self.generation
    }

    /// Whether a call nested in the call with this stamp shares its permit: that call is a probe of this round.
    pub(crate) fn shares_permit(&self, outer: Stamp) -> bool {
        outer.is_probe() && self.is_current(outer)
    }

    /// The same with another jitter.
    pub(crate) fn with_jitter(self, jitter: Jitter) -> Self {
        Self { jitter, ..self }
    }

    fn with(self, phase: Phase) -> Self {
        Self { phase, ..self }
    }
}

impl Stamp {
    /// Set in the generation of a call that only `shadow` admitted. No generation reaches this bit.
    const STALE: u64 = 1 << 63;

    /// The stamp of a call that only `shadow` admitted. It has no vote.
    const fn stale(generation: u64) -> Self {
        Self { generation: generation | Self::STALE, slot_epoch: 0 }
    }

    /// Whether the permit was handed out in a generation before this one.
    pub(crate) const fn is_before(self, generation: u64) -> bool {
        self.generation & !Self::STALE < generation
    }

    /// The stamp of a permit handed out by a closed circuit of `generation`.
    pub(crate) const fn closed(generation: u64) -> Self {
        Self { generation, slot_epoch: 0 }
    }

    /// The generation in which the permit was handed out.
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Whether the call was admitted as a probe.
    pub const fn is_probe(&self) -> bool {
        self.slot_epoch != 0
    }
}
