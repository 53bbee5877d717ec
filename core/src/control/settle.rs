//! Settling a call.

use super::backoff::Wait;
use super::outcome::Judged;
use super::transition::{Cause, Transition};
use super::{Control, Outcome, Phase, Probing, Stamp};
use crate::clock::Tick;
use crate::config::Rules;

/// The result of a settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settlement {
    /// Whether the permit belongs to the current generation, so that its outcome counts.
    pub current: bool,
    /// The state change, if there was one.
    pub transition: Option<Transition>,
}

impl Control {
    /// Settles a permit. `rate` is the rate that the window reaches with this call.
    ///
    /// A settle that is not current changes nothing: its permit is of an older generation, or an operator decides.
    ///
    /// Inlined into the one place that settles under the lock, because its result is large: a failure takes a tenth more
    /// instructions otherwise.
    #[inline(always)]
    pub(crate) fn settle(
        self,
        rules: &Rules,
        stamp: Stamp,
        call: Judged,
        rate: Option<Cause>,
        now: Tick,
    ) -> (Self, Settlement) {
        if !self.is_current(stamp) {
            return (self, Settlement { current: false, transition: None });
        }
        let (next, transition) = match self.phase {
            Phase::Closed { failures, resets_at } => {
                let failures = match call.outcome {
                    Outcome::Success => 0,
                    Outcome::Failure { .. } => failures.saturating_add(1),
                    Outcome::Ignored | Outcome::Cancelled => failures,
                };
                self.with(Phase::Closed { failures, resets_at }).judge(rules, call, rate, now)
            }
            Phase::HalfOpen(probing) => {
                // A probe whose slot was reclaimed still votes, but has no slot to free.
                let freed = u8::from(stamp.slot_epoch == probing.slot_epoch);
                let slots = probing.slots.saturating_sub(freed);
                let remaining = Probing { slots, active: probing.active.max(now), ..probing };
                self.settle_probe(rules, remaining, call, now)
            }
            // Opening started a new generation, and an open circuit admits no call into it.
            Phase::Open { .. } => (self, None),
        };
        (next, Settlement { current: true, transition })
    }

    /// Opens a closed circuit because a rate is reached with the calls in flight that are overdue.
    pub(crate) fn open_overdue(self, rules: &Rules, cause: Cause, now: Tick) -> (Self, Option<Transition>) {
        let no_hint = Judged { outcome: Outcome::Success, slow: true };
        self.opened(rules, self.consecutive_failures(), cause, no_hint, now)
    }

    /// Evaluates the opening policies in their order, after a success or a failure of a closed circuit.
    fn judge(self, rules: &Rules, call: Judged, rate: Option<Cause>, now: Tick) -> (Self, Option<Transition>) {
        let failures = self.consecutive_failures();
        let streak = rules.failure_threshold.is_some_and(|threshold| failures >= threshold.into());
        match call.outcome {
            Outcome::Ignored | Outcome::Cancelled => (self, None),
            Outcome::Success | Outcome::Failure { .. } => match streak.then_some(Cause::ConsecutiveFailures).or(rate) {
                Some(cause) => self.opened(rules, failures, cause, call, now),
                None => (self, None),
            },
        }
    }

    fn settle_probe(self, rules: &Rules, remaining: Probing, call: Judged, now: Tick) -> (Self, Option<Transition>) {
        match call.outcome {
            Outcome::Failure { .. } => self.opened(rules, 1, Cause::ProbeFailed, call, now),
            Outcome::Success if call.slow && rules.slow_call_rate.is_some() => {
                self.opened(rules, 1, Cause::ProbeSlow, call, now)
            }
            Outcome::Success => {
                let successes = remaining.successes.saturating_add(1);
                if successes >= rules.success_threshold {
                    let resets_at = now.after(self.openings.wait());
                    self.moved(Phase::Closed { failures: 0, resets_at }, Cause::ProbesSucceeded)
                } else {
                    (self.with(Phase::HalfOpen(Probing { successes, ..remaining })), None)
                }
            }
            Outcome::Ignored | Outcome::Cancelled => (self.with(Phase::HalfOpen(remaining)), None),
        }
    }

    fn opened(self, rules: &Rules, failures: u32, cause: Cause, call: Judged, now: Tick) -> (Self, Option<Transition>) {
        let hint = if let Outcome::Failure { retry_after } = call.outcome { retry_after } else { None };
        // The jitter depends on the generation that this opening starts.
        let openings = self.open_streak_at(now).next(rules, self.generation + 1, hint, self.jitter);
        let wait = Some(Wait::from(now, openings.wait()));
        Self { openings, ..self }.moved(Phase::Open { failures, wait }, cause)
    }
}
