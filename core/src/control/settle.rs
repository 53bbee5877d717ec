//! A call ends.

use super::transition::{Cause, Transition};
use super::{Control, Outcome, Phase, Probing, Stamp, Wait};
use crate::clock::Tick;
use crate::config::Rules;

/// What a settle did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Whether it was of the machine's own generation, and so had a say.
    pub current: bool,
    /// Set where it changed the state.
    pub transition: Option<Transition>,
}

impl Control {
    /// A call gives its permit back.
    ///
    /// A settle that is not current (its permit is of an older generation, or an operator decides) changes nothing.
    pub fn settle(self, rules: &Rules, stamp: Stamp, outcome: Outcome, now: Tick) -> (Self, Settlement) {
        if stamp.generation != self.generation || !self.listens() {
            return (self, Settlement { current: false, transition: None });
        }
        let (next, transition) = match self.phase {
            Phase::Closed { failures } => self.settle_closed(rules, failures, outcome, now),
            Phase::HalfOpen(probing) => {
                // A probe whose slot was taken back still votes; it only has no slot to free.
                let freed = u8::from(stamp.lap == probing.lap);
                let slots = probing.slots.saturating_sub(freed);
                let left = Probing { slots, active: probing.active.max(now), ..probing };
                self.settle_probe(rules, left, outcome, now)
            }
            // Opening started a new generation, and an open circuit admits nobody into it.
            Phase::Open { .. } => (self, None),
        };
        (next, Settlement { current: true, transition })
    }

    fn settle_closed(self, rules: &Rules, failures: u32, outcome: Outcome, now: Tick) -> (Self, Option<Transition>) {
        match outcome {
            Outcome::Success => (self.with(Phase::Closed { failures: 0 }), None),
            Outcome::Failure => {
                let failures = failures.saturating_add(1);
                if rules.failure_threshold.is_some_and(|threshold| failures >= threshold.into()) {
                    self.opened(rules, failures, Cause::ConsecutiveFailures, now)
                } else {
                    (self.with(Phase::Closed { failures }), None)
                }
            }
            Outcome::Ignored | Outcome::Cancelled => (self, None),
        }
    }

    fn settle_probe(self, rules: &Rules, left: Probing, outcome: Outcome, now: Tick) -> (Self, Option<Transition>) {
        match outcome {
            Outcome::Success => {
                let successes = left.successes.saturating_add(1);
                if successes >= rules.success_threshold {
                    self.moved(Phase::Closed { failures: 0 }, Cause::ProbesSucceeded)
                } else {
                    (self.with(Phase::HalfOpen(Probing { successes, ..left })), None)
                }
            }
            Outcome::Failure => self.opened(rules, 1, Cause::ProbeFailed, now),
            Outcome::Ignored | Outcome::Cancelled => (self.with(Phase::HalfOpen(left)), None),
        }
    }

    fn opened(self, rules: &Rules, failures: u32, cause: Cause, now: Tick) -> (Self, Option<Transition>) {
        let wait = Some(Wait::from(now, rules.timeout));
        self.moved(Phase::Open { failures, wait }, cause)
    }
}
