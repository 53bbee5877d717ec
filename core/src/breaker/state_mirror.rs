//! One atomic word that mirrors the control value, for the calls that change nothing.
//!
//! Nearly every call meets a closed circuit whose failure streak is zero, and needs to know no more than that and the
//! generation; both stand in one word that is read without a lock. A call that meets an open circuit needs the end of its
//! wait besides, which stands beside the word. All of it is written only under the lock, after each change of the value.

use crate::clock::Tick;
use crate::config::{Rules, WindowShape};
use crate::control::{Control, OpenGate, Reason, Rejected, Stamp, Wait};
use crate::sync::{AtomicU64, Ordering};

#[cfg(test)]
mod tests;

/// Set where the circuit is closed: a call is admitted without asking the machine.
const CLOSED: u64 = 1;
/// Set where a current success changes nothing: closed, in the machine's hands, no failure streak to end, and neither a
/// window to enter nor a slowness to count.
const QUIET: u64 = 2;
/// Set where a rule asks how long a call takes, so that the clock has to be read when it begins and when it ends.
const TIMED: u64 = 4;
/// Set where durations are kept.
const RECORDING: u64 = 8;
/// Set where a current success changes nothing but a window that counts calls.
const COUNTING: u64 = 16;
/// Set where calls are rejected until the wait is over.
const REJECTING: u64 = 32;
/// Set, with the one before, where an operator's order rejects them.
const FORCED: u64 = 64;
/// The generation starts above the flags. It would have to be bumped every nanosecond for two years to wrap.
const GENERATION_SHIFT: u32 = 8;
/// In the place of a wait that does not end.
const ENDLESS: u64 = u64::MAX;

/// What the word says at one instant.
#[derive(Clone, Copy)]
pub(super) struct Mirrored(u64);

impl Mirrored {
    fn of(control: &Control, rules: &Rules, hold: Option<OpenGate>) -> Self {
        let closed = control.is_closed();
        let unmoved = control.is_unmoved_by_success() && rules.slow_call.is_none();
        let window = rules.window_in_use();
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let flags = flag(closed, CLOSED)
            | flag(unmoved && window.is_none(), QUIET)
            | flag(unmoved && matches!(window, Some(WindowShape::Calls(_))), COUNTING)
            | flag(rules.measures_durations(), TIMED)
            | flag(rules.record_durations, RECORDING)
            | flag(hold.is_some(), REJECTING)
            | flag(hold.is_some_and(|hold| hold.reason == Reason::ForcedOpen), FORCED);
        Self((control.generation() << GENERATION_SHIFT) | flags)
    }

    /// What the word says while the change to this is being mirrored: nothing of the circuit, so that whoever reads it
    /// asks the machine. What is to be measured it goes on saying.
    fn changing(self) -> Self {
        Self(self.0 & (TIMED | RECORDING))
    }

    /// Whether a call's duration has to be known.
    #[inline]
    pub(super) fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    /// Whether a call's duration is kept.
    #[inline]
    pub(super) fn is_recording(self) -> bool {
        self.0 & RECORDING != 0
    }

    /// The stamp for a call that a closed circuit admits.
    #[inline]
    pub(super) fn admits(self) -> Option<Stamp> {
        (self.0 & CLOSED != 0).then(|| Stamp::closed(self.generation()))
    }

    /// Whether a success with this stamp is current and changes nothing.
    #[inline]
    pub(super) fn unmoved_by_success(self, stamp: Stamp) -> bool {
        self.0 & QUIET != 0 && self.generation() == stamp.generation()
    }

    /// Whether a success is to be counted in the window, and needs a time only for what it may open.
    pub(super) fn counts_calls(self) -> bool {
        self.0 & (COUNTING | TIMED) == COUNTING
    }

    #[inline]
    fn generation(self) -> u64 {
        self.0 >> GENERATION_SHIFT
    }
}

/// The word itself, and the wait that belongs to it.
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

    /// What a call is told that comes at `now`, where the circuit is open and its wait is not over; `None` where the
    /// machine has to be asked.
    #[inline]
    pub(super) fn rejection_at(&self, now: Tick) -> Option<Rejected> {
        let mirrored = self.mirrored();
        if mirrored.0 & REJECTING == 0 {
            return None;
        }
        // Who reads a wait that is newer than the word also reads, below, that the word has changed.
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
        let hold = control.hold();
        let mirrored = Mirrored::of(control, rules, hold);
        if mirrored.0 == self.mirrored.load(Ordering::Relaxed) {
            // Each wait has a generation of its own, so it is the same too.
            return;
        }
        if let Some(OpenGate { wait, .. }) = hold {
            let (until, chosen) = wait.map_or((ENDLESS, ENDLESS), Wait::nanos);
            self.mirrored.store(mirrored.changing().0, Ordering::Relaxed);
            self.until.store(until, Ordering::Release);
            self.chosen.store(chosen, Ordering::Release);
        }
        self.mirrored.store(mirrored.0, Ordering::Release);
    }
}
