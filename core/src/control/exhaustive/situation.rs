//! A control value together with the unsettled permits.

use alloc::vec::Vec;

use super::{NOW, nanos};
use crate::clock::Tick;
use crate::config::Rules;
use crate::control::backoff::{OpenStreak, Wait};
use crate::control::{Control, Jitter, Phase, Probing, Stamp};

/// An unsettled permit, and whether it holds a probe slot by the rules of the text, independently of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(super) struct Unsettled {
    pub(super) stamp: Stamp,
    pub(super) holds_slot: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Situation {
    pub(super) control: Control,
    /// Which configuration of its family.
    pub(super) in_force: usize,
    pub(super) unsettled: Vec<Unsettled>,
}

/// Stands for the current generation and slot epoch; `OLDER` stands for all older ones. (Slot epoch 0 is that of a call
/// that is not a probe.)
const CURRENT: u64 = 2;
const OLDER: u64 = 1;
/// The end of a wait that was over when it was saved: it stays over, wherever the clock goes.
const ALWAYS_OVER: Tick = Tick::ZERO;

impl Situation {
    pub(super) fn first(family: &[Rules]) -> Self {
        let control = Control::new(&family[0], Jitter { seed: 0 });
        Self { control, in_force: 0, unsettled: Vec::new() }.canonical(family)
    }

    /// The same permits beside another value.
    pub(super) fn with(&self, control: Control) -> Self {
        Self { control, ..self.clone() }
    }

    /// The same situation in the form that stands for all that behave alike.
    ///
    /// Older ones may be treated alike, because no generation and no slot epoch is used twice: both only ever grow, and
    /// `events` checks that at each step.
    pub(super) fn canonical(mut self, family: &[Rules]) -> Self {
        let generation = self.control.generation;
        let slot_epoch = if let Phase::HalfOpen(probing) = self.control.phase { probing.slot_epoch } else { 0 };
        for permit in &mut self.unsettled {
            let is_current = permit.stamp.generation == generation;
            let of_this_epoch = is_current && permit.stamp.slot_epoch == slot_epoch;
            permit.stamp.generation = if is_current { CURRENT } else { OLDER };
            if permit.stamp.is_probe() {
                permit.stamp.slot_epoch = if of_this_epoch { CURRENT } else { OLDER };
            }
            permit.holds_slot &= is_current;
        }
        self.unsettled
            .sort_unstable_by_key(|permit| (permit.stamp.generation, permit.stamp.slot_epoch, permit.holds_slot));
        self.control.generation = CURRENT;
        match &mut self.control.phase {
            Phase::HalfOpen(probing) => probing.slot_epoch = CURRENT,
            Phase::Closed { .. } | Phase::Open { .. } => {
                self.unsettled.iter_mut().for_each(|permit| permit.stamp.slot_epoch = 0);
            }
        }
        self.control = self.control.within_reach(family);
        self
    }
}

impl Control {
    /// Every moment moved by `by`, as if time had run the other way.
    pub(super) fn shifted(self, by: i64) -> Self {
        let shift = |moment: Tick| Tick::from_nanos(moment.as_nanos().saturating_add_signed(by));
        self.with_moments(shift)
    }

    /// Moments so far off that nothing depends on how far, and counts beyond every threshold, brought to one value.
    fn within_reach(self, family: &[Rules]) -> Self {
        let probe_timeout = family.iter().map(Rules::effective_probe_timeout).max().unwrap_or_default();
        let past = NOW.as_nanos() - probe_timeout.as_nanos() as u64;
        let future = NOW.after(nanos(8)).as_nanos();
        let near = |moment: Tick| Tick::from_nanos(moment.as_nanos().clamp(past, future));
        let most = family.iter().filter_map(|rules| rules.failure_threshold).max().unwrap_or(1);
        let mut near = self.with_moments(near);
        match &mut near.phase {
            Phase::Closed { failures, resets_at } => {
                *failures = (*failures).min(u32::from(most) + 1);
                *resets_at = NOW.max(*resets_at);
            }
            Phase::Open { failures, wait } => {
                // While open, the streak is only shown; it starts anew afterwards.
                *failures = (*failures).min(1);
                *wait = wait.map(|wait| Wait {
                    until: if wait.until == ALWAYS_OVER { ALWAYS_OVER } else { NOW.max(wait.until) },
                    ..wait
                });
            }
            Phase::HalfOpen(_) => {}
        }
        near.openings = OpenStreak { count: self.openings.count.min(3), ..self.openings };
        near
    }

    fn with_moments(self, moved: impl Fn(Tick) -> Tick) -> Self {
        let moved = |moment| if moment == ALWAYS_OVER { ALWAYS_OVER } else { moved(moment) };
        self.with(match self.phase {
            Phase::Closed { failures, resets_at } => Phase::Closed { failures, resets_at: moved(resets_at) },
            Phase::Open { failures, wait } => {
                Phase::Open { failures, wait: wait.map(|wait| Wait { until: moved(wait.until), ..wait }) }
            }
            Phase::HalfOpen(probing) => Phase::HalfOpen(Probing { active: moved(probing.active), ..probing }),
        })
    }
}
