//! A call asks for a permit.

use core::time::Duration;

use super::backoff::Wait;
use super::transition::{Cause, Transition};
use super::{Control, FIRST_SLOT_EPOCH, Mode, Phase, Probing, Reason, Stamp};
use crate::clock::Tick;
use crate::config::Rules;

/// The answer to a call that asks for a permit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The call may run.
    Admitted {
        /// The stamp of its permit.
        stamp: Stamp,
        /// How many hung probes lost their slot to this call.
        taken_back: u8,
        /// Set if this call is the first probe.
        transition: Option<Transition>,
        /// Whether the call would be rejected if the mode were not `shadow`.
        shadow_rejected: bool,
    },
    /// The call may not run.
    Rejected(Rejected),
}

/// A call that was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// Which rule rejected it.
    pub reason: Reason,
    /// When to try again; `None` if the circuit is held open without end.
    pub retry_after: Option<Duration>,
}

/// Rejects calls until a wait is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpenGate {
    pub reason: Reason,
    /// `None` if it has no end.
    pub wait: Option<Wait>,
}

impl OpenGate {
    /// The rejection of a call at `now`; `None` if the wait is over.
    #[inline]
    pub fn rejection_at(self, now: Tick) -> Option<Rejected> {
        let retry_after = match self.wait {
            Some(wait) if wait.is_over(now) => return None,
            wait => wait.map(|wait| wait.left(now)),
        };
        Some(Rejected { reason: self.reason, retry_after })
    }
}

impl Probing {
    /// If no slot is free: the time until all are taken back, provided that no probe shows a sign of life.
    fn busy_for(self, rules: &Rules, now: Tick) -> Option<Duration> {
        let left = rules.effective_probe_timeout().saturating_sub(now.since(self.active));
        (self.slots >= rules.half_open_max_calls).then_some(left)
    }
}

/// The longest `retry_after` of a call that is rejected because no probe slot is free.
const LONGEST_PROBES_BUSY_RETRY: Duration = Duration::from_secs(1);

impl Control {
    /// A call asks for a permit.
    pub fn acquire(self, rules: &Rules, now: Tick) -> (Self, Admission) {
        match self.phase {
            Phase::Closed { .. } => self.admitted(0, None),
            Phase::Open { wait, .. } => match self.gate_for(wait).rejection_at(now) {
                Some(rejected) => self.rejected(rejected),
                None => self.first_probe(rules, now),
            },
            Phase::HalfOpen(probing) => self.acquire_probe(probing, rules, now),
        }
    }

    /// The gate that rejects calls; `None` if the circuit is not open, or in shadow mode, which rejects none.
    pub(crate) fn open_gate(&self) -> Option<OpenGate> {
        match self.phase {
            Phase::Open { wait, .. } if self.mode != Mode::Shadow => Some(self.gate_for(wait)),
            Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen(_) => None,
        }
    }

    /// While half-open with no slot free: the time until the slots are taken back, provided that no probe shows a sign of
    /// life.
    pub(crate) fn probes_busy_for(&self, rules: &Rules, now: Tick) -> Option<Duration> {
        if let Phase::HalfOpen(probing) = self.phase { probing.busy_for(rules, now) } else { None }
    }

    fn gate_for(&self, wait: Option<Wait>) -> OpenGate {
        let reason = if self.mode == Mode::ForcedOpen { Reason::ForcedOpen } else { Reason::Open };
        OpenGate { reason, wait }
    }

    fn first_probe(self, rules: &Rules, now: Tick) -> (Self, Admission) {
        let first = Probing { successes: 0, slots: 1, slot_epoch: FIRST_SLOT_EPOCH, active: now };
        let released = Self { mode: self.mode_at(rules, now), ..self };
        let (next, transition) = released.moved(Phase::HalfOpen(first), Cause::TimeoutElapsed);
        next.admitted(0, transition)
    }

    fn acquire_probe(self, probing: Probing, rules: &Rules, now: Tick) -> (Self, Admission) {
        let active = probing.active.max(now);
        match probing.busy_for(rules, now) {
            None => {
                let one_more = Probing { slots: probing.slots + 1, active, ..probing };
                self.with(Phase::HalfOpen(one_more)).admitted(0, None)
            }
            Some(Duration::ZERO) => {
                let next_epoch = Probing { slots: 1, slot_epoch: probing.slot_epoch + 1, active, ..probing };
                self.with(Phase::HalfOpen(next_epoch)).admitted(probing.slots, None)
            }
            Some(left) => {
                let retry_after = Some(left.min(LONGEST_PROBES_BUSY_RETRY));
                self.rejected(Rejected { reason: Reason::ProbesBusy, retry_after })
            }
        }
    }

    fn admitted(self, taken_back: u8, transition: Option<Transition>) -> (Self, Admission) {
        let slot_epoch = if let Phase::HalfOpen(probing) = self.phase { probing.slot_epoch } else { 0 };
        let stamp = Stamp { generation: self.generation, slot_epoch };
        (self, Admission::Admitted { stamp, taken_back, transition, shadow_rejected: false })
    }

    fn rejected(self, rejected: Rejected) -> (Self, Admission) {
        let admission = if self.mode == Mode::Shadow {
            Admission::Admitted {
                stamp: Stamp::stale(self.generation),
                taken_back: 0,
                transition: None,
                shadow_rejected: true,
            }
        } else {
            Admission::Rejected(rejected)
        };
        (self, admission)
    }
}
