//! A copy of the control value in one atomic number, for calls that change nothing.
//!
//! Nearly every call meets a closed circuit whose failure streak is zero. It only needs that fact and the generation, and
//! reads both without the lock. A call that meets an open circuit also needs the end of the wait, which stands in two
//! atomics beside it. All of them are written under the lock, after each change of the value.

use crate::clock::Tick;
use crate::config::{Rules, WindowShape};
use crate::control::{Control, OpenGate, Reason, Rejected, Stamp, Wait};
use crate::sync::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// The circuit is closed: a call is admitted without the lock.
const CLOSED: u64 = 1;
/// The circuit is closed: a call is admitted without the lock if it joins a group of calls in flight.
const TRACKING: u64 = 128;
/// A current success changes nothing: closed, mode `auto` or `shadow`, no failure streak, no window, no slow-call rule.
const QUIET: u64 = 2;
/// A rule needs the duration of calls, so the clock is read at the start and at the end of each.
const TIMED: u64 = 4;
/// Durations are recorded.
const RECORDING: u64 = 8;
/// A current success changes nothing but a window of calls.
const COUNTING: u64 = 16;
/// Calls are rejected until the wait is over.
const REJECTING: u64 = 32;
/// Together with `REJECTING`: an operator forced the circuit open.
const FORCED: u64 = 64;
/// The generation is stored above the flags. It would wrap after two years of one transition a nanosecond.
const GENERATION_SHIFT: u32 = 8;
/// A wait without end.
const ENDLESS: u64 = u64::MAX;

/// The mirrored value at one instant.
#[derive(Clone, Copy)]
pub(super) struct Mirrored(u64);

impl Mirrored {
    fn of(control: &Control, rules: &Rules, gate: Option<OpenGate>) -> Self {
        let tracking = control.tracks_calls(rules);
        let unmoved = control.is_unmoved_by_success() && rules.slow_call.is_none();
        let window = rules.window_in_use();
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let flags = flag(control.is_closed() && !tracking, CLOSED)
            | flag(tracking, TRACKING)
            | flag(unmoved && window.is_none(), QUIET)
            | flag(unmoved && matches!(window, Some(WindowShape::Calls(_))), COUNTING)
            | flag(rules.measures_durations(), TIMED)
            | flag(rules.record_durations, RECORDING)
            | flag(gate.is_some(), REJECTING)
            | flag(gate.is_some_and(|gate| gate.reason == Reason::ForcedOpen), FORCED);
        Self((control.generation() << GENERATION_SHIFT) | flags)
    }

    /// The value while a change is being written. It says nothing about the circuit, so readers take the lock; only the
    /// timing flags stay.
    fn changing(self) -> Self {
        Self(self.0 & (TIMED | RECORDING))
    }

    /// Whether calls must be timed.
    #[inline]
    pub(super) fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    /// Whether durations are recorded.
    #[inline]
    pub(super) fn is_recording(self) -> bool {
        self.0 & RECORDING != 0
    }

    /// The stamp for a call, if the circuit is closed and tracks no calls.
    #[inline]
    pub(super) fn admits(self) -> Option<Stamp> {
        (self.0 & CLOSED != 0).then(|| Stamp::closed(self.generation()))
    }

    /// The stamp for a call, if the circuit is closed and tracks calls.
    #[inline]
    pub(super) fn admits_tracked(self) -> Option<Stamp> {
        (self.0 & TRACKING != 0).then(|| Stamp::closed(self.generation()))
    }

    /// Whether a success with this stamp is current and changes nothing.
    #[inline]
    pub(super) fn unmoved_by_success(self, stamp: Stamp) -> bool {
        self.0 & QUIET != 0 && self.generation() == stamp.generation()
    }

    /// Whether a success only has to be added to a window of calls, which needs no time unless it opens the circuit.
    pub(super) fn counts_calls(self) -> bool {
        self.0 & (COUNTING | TIMED) == COUNTING
    }

    #[inline]
    fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }
}

/// The atomic number and the wait that belongs to it.
#[derive(Debug)]
pub(super) struct StateMirror {
    mirrored: AtomicU64,
    until: AtomicU64,
    chosen: AtomicU64,
}

impl StateMirror {
    pub(super) fn new(control: &Control, rules: &Rules) -> Self {
        let mirror =
            Self { mirrored: AtomicU64::new(0), until: AtomicU64::new(ENDLESS), chosen: AtomicU64::new(ENDLESS) };
        mirror.publish(control, rules);
        mirror
    }

    #[inline]
    pub(super) fn mirrored(&self) -> Mirrored {
        Mirrored(self.mirrored.load(Ordering::Acquire))
    }

    /// The rejection at `now`, if the circuit is open and its wait is not over; otherwise the lock has to be taken.
    #[inline]
    pub(super) fn rejection_at(&self, now: Tick) -> Option<Rejected> {
        let mirrored = self.mirrored();
        if mirrored.0 & REJECTING == 0 {
            return None;
        }
        // A reader that sees a newer wait also sees, below, that the number has changed.
        let (until, chosen) = (self.until.load(Ordering::Acquire), self.chosen.load(Ordering::Acquire));
        if self.mirrored.load(Ordering::Relaxed) != mirrored.0 {
            return None;
        }
        let reason = if mirrored.0 & FORCED != 0 { Reason::ForcedOpen } else { Reason::Open };
        let wait = (chosen != ENDLESS).then(|| Wait::from_nanos(until, chosen));
        OpenGate { reason, wait }.rejection_at(now)
    }

    /// Mirrors a changed value; the caller holds the lock that guards the value.
    pub(super) fn publish(&self, control: &Control, rules: &Rules) {
        let gate = control.open_gate();
        let mirrored = Mirrored::of(control, rules, gate);
        if mirrored.0 == self.mirrored.load(Ordering::Relaxed) {
            // Each wait has its own generation, so the wait is unchanged as well.
            return;
        }
        if let Some(OpenGate { wait, .. }) = gate {
            let (until, chosen) = wait.map_or((ENDLESS, ENDLESS), Wait::nanos);
            self.mirrored.store(mirrored.changing().0, Ordering::Relaxed);
            self.until.store(until, Ordering::Release);
            self.chosen.store(chosen, Ordering::Release);
        }
        self.mirrored.store(mirrored.0, Ordering::Release);
    }
}
