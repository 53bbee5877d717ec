//! Settling: without the lock if a success changes nothing but counters, under the lock otherwise.

use core::time::Duration;

use super::inner::Settled;
use super::ticket::Start;
use super::{CircuitBreaker, SettledCall, Ticket};
use crate::clock::{Clock, Tick};
use crate::control::{Outcome, Stamp};
use crate::evidence::Stripe;

impl<C: Clock> CircuitBreaker<C> {
    /// See [`host::settle`](crate::host::settle).
    #[inline(always)]
    pub(crate) fn settle(&self, ticket: Ticket, outcome: Outcome) {
        if let Err(Ticket { stamp, stripe, start }) = self.settle_without_time(ticket, outcome) {
            self.settle_now(stamp, stripe, start, &outcome);
        }
    }

    /// Settles a ticket if that needs no time. Otherwise nothing has changed, and the ticket comes back.
    #[inline(always)]
    pub(crate) fn settle_without_time(&self, ticket: Ticket, outcome: Outcome) -> Result<(), Ticket> {
        let mirrored = self.hot.mirror.mirrored();
        if outcome.is_success() && !mirrored.is_timed() {
            if mirrored.unmoved_by_success(ticket.stamp) {
                self.counters.succeed(ticket.stripe);
                return Ok(());
            }
            if mirrored.counts_calls() && self.count_success(&ticket) {
                return Ok(());
            }
        }
        Err(ticket)
    }

    /// Settles a ticket at `now` and returns how the call was counted.
    ///
    /// The rules are read here, because `settle_at` must not return a result: with one, the compiler spills registers,
    /// and a [`call`](Self::call) of a closed circuit takes 12 ns instead of 4.
    pub(crate) fn settle_and_report(&self, ticket: Ticket, outcome: Outcome, now: Tick) -> SettledCall {
        let recording = self.hot.mirror.mirrored().is_recording();
        let lasted = ticket.start.lasted(now).map(Duration::from_nanos);
        // The rules change no other outcome, so only this one needs the lock.
        let counted = if outcome == Outcome::Cancelled {
            outcome.judged(&self.inner.lock().rules, lasted).outcome
        } else {
            outcome
        };
        self.settle_at(ticket, outcome, now);
        SettledCall { outcome: counted, duration: lasted.filter(|_| recording) }
    }

    /// A ticket is passed in parts, because one with an address could not stay in registers.
    #[inline(never)]
    fn settle_now(&self, stamp: Stamp, stripe: Stripe, start: Start, outcome: &Outcome) {
        self.settle_at(Ticket { stamp, stripe, start }, *outcome, self.hot.clock.now());
    }

    #[inline]
    fn settle_at(&self, ticket: Ticket, outcome: Outcome, now: Tick) {
        let mirrored = self.hot.mirror.mirrored();
        let nanos = ticket.start.lasted(now);
        let current = if outcome.is_success() && mirrored.unmoved_by_success(ticket.stamp) {
            self.counters.succeed(ticket.stripe);
            true
        } else {
            let settled = self.settle_locked(&ticket, outcome, nanos, now);
            if !settled.outcome.is_success() {
                return;
            }
            settled.current
        };
        if let Some(nanos) = nanos.filter(|_| mirrored.is_recording()) {
            self.counters.record_success(ticket.stripe, nanos, current.then_some(now));
        }
    }

    /// Adds a success to a window of calls. Returns false, and changes nothing, if that is not enough.
    #[inline(never)]
    fn count_success(&self, ticket: &Ticket) -> bool {
        let mut inner = self.inner.lock();
        let counted = inner.count_success(ticket.stamp);
        if counted {
            self.counters.succeed(ticket.stripe);
        }
        counted
    }

    // Calls that share a permit get here as well, because their stamp is never that of a closed circuit.
    #[inline(never)]
    fn settle_locked(&self, ticket: &Ticket, outcome: Outcome, nanos: Option<u64>, now: Tick) -> Settled {
        if ticket.stripe.shares_permit() {
            return Settled::NOT_COUNTED;
        }
        self.change(|inner| {
            if inner.is_inherited(ticket.stamp) {
                return Settled::NOT_COUNTED;
            }
            inner.leave_group(self.newest_group(), ticket.stripe.group());
            let before = inner.control;
            let settled = inner.settle(ticket.stamp, outcome, nanos, now);
            self.counters.settle(ticket.stripe, settled.outcome, settled.slow, settled.current.then_some(now));
            if settled.current && settled.outcome.is_failure() {
                inner.begin_streak(0, self.counters.current_successes());
            } else if !before.is_closed() && inner.control.is_closed() {
                // The probe that closed the circuit is counted by now, and the streak of the probes goes on.
                let streak = u64::from(before.probe_successes()) + 1;
                inner.begin_streak(streak, self.counters.current_successes());
            }
            settled
        })
    }
}
