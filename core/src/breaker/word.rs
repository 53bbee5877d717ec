//! One atomic word that mirrors the control value, for the calls that change nothing.
//!
//! Nearly every call meets a closed circuit whose failure streak is zero. It needs to know no more than that and the
//! generation, so both stand in one word that is read without a lock. The word is written only under the lock, after
//! each change of the value.

use crate::config::Rules;
use crate::control::{Control, Stamp};
use crate::sync::{AtomicU64, Ordering};

/// Set where the circuit is closed: a call is admitted without asking the machine.
const CLOSED: u64 = 1;
/// Set where a current success changes nothing: closed, in the machine's hands, no failure streak to end, and neither a
/// window to enter nor a slowness to count.
const QUIET: u64 = 2;
/// Set where a rule asks how long a call takes, so that the clock has to be read when it begins and when it ends.
const TIMED: u64 = 4;
/// Set where durations are kept.
const RECORDING: u64 = 8;
/// The generation starts above the flags. It would have to be bumped every nanosecond for two years to wrap.
const GENERATION_SHIFT: u32 = 8;

/// What the word says at one instant.
#[derive(Clone, Copy)]
pub(super) struct Glance(u64);

impl Glance {
    fn of(control: &Control, rules: &Rules) -> Self {
        let closed = control.is_closed();
        let quiet = closed
            && control.listens()
            && control.consecutive_failures() == 0
            && rules.window_in_use().is_none()
            && rules.slow_call.is_none();
        let flag = |set: bool, flag: u64| if set { flag } else { 0 };
        let flags = flag(closed, CLOSED)
            | flag(quiet, QUIET)
            | flag(rules.measures_durations(), TIMED)
            | flag(rules.record_durations, RECORDING);
        Self((control.generation() << GENERATION_SHIFT) | flags)
    }

    /// Whether a call's duration has to be known.
    pub(super) fn is_timed(self) -> bool {
        self.0 & TIMED != 0
    }

    /// Whether a call's duration is kept.
    pub(super) fn is_recording(self) -> bool {
        self.0 & RECORDING != 0
    }

    /// The stamp for a call that a closed circuit admits.
    pub(super) fn admits(self) -> Option<Stamp> {
        (self.0 & CLOSED != 0).then(|| Stamp::closed(self.0 >> GENERATION_SHIFT))
    }

    /// Whether a success with this stamp is current and changes nothing.
    pub(super) fn unmoved_by_success(self, stamp: Stamp) -> bool {
        self.0 & QUIET != 0 && self.0 >> GENERATION_SHIFT == stamp.generation()
    }
}

/// The word itself.
#[derive(Debug)]
pub(super) struct Word(AtomicU64);

impl Word {
    pub(super) fn new(control: &Control, rules: &Rules) -> Self {
        Self(AtomicU64::new(Glance::of(control, rules).0))
    }

    pub(super) fn glance(&self) -> Glance {
        Glance(self.0.load(Ordering::Acquire))
    }

    /// Mirrors a changed value; the caller holds the lock that guards the value.
    pub(super) fn publish(&self, control: &Control, rules: &Rules) {
        self.0.store(Glance::of(control, rules).0, Ordering::Release);
    }
}
