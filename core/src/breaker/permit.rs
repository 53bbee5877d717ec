//! Permission to make one call.

use core::mem::ManuallyDrop;
use core::time::Duration;

use super::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::control::{Ending, Outcome, Rejected, Stamp};
use crate::evidence::Stripe;

/// Permission to make one call. Dropped unsettled, it is settled as cancelled.
///
/// Each method that settles takes the permit, so none can be settled twice.
#[derive(Debug)]
#[must_use = "a permit that is dropped is settled as cancelled"]
pub struct Permit<'b, C: Clock> {
    breaker: &'b CircuitBreaker<C>,
    ticket: Ticket,
}

impl<'b, C: Clock> Permit<'b, C> {
    #[inline]
    pub(super) fn new(breaker: &'b CircuitBreaker<C>, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    /// The call did what was asked.
    pub fn success(self) {
        self.settle(Outcome::Success);
    }

    /// The call failed, and the provider is to blame.
    pub fn failure(self) {
        self.settle(Outcome::Failure);
    }

    /// The call failed, and that says nothing about the provider.
    pub fn ignore(self) {
        self.settle(Outcome::Ignored);
    }

    /// The call was given up before it ended.
    pub fn cancel(self) {
        // Dropped, it says so itself.
    }

    /// The call ended so.
    #[inline]
    pub fn settle(self, ending: impl Into<Ending>) {
        let permit = ManuallyDrop::new(self);
        permit.hand_back(ending.into());
    }

    /// Runs once: here, or when the permit is dropped.
    #[inline]
    fn hand_back(&self, ending: Ending) {
        let Ticket { stamp, stripe, start } = self.ticket;
        self.breaker.settle(Ticket { stamp, stripe, start }, ending);
    }
}

/// How the breaker counted a call that has been settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledCall {
    /// Not always what it was settled with: a call that was cancelled late may count as a failure.
    pub outcome: Outcome,
    /// How long it took; `None` where durations are not recorded.
    pub duration: Option<Duration>,
}

impl<C: Clock> Drop for Permit<'_, C> {
    #[inline]
    fn drop(&mut self) {
        self.hand_back(Outcome::Cancelled.into());
    }
}

impl<'b, C: Clock> Permit<'b, C> {
    /// Asks for a permit for a call that is made inside this one.
    ///
    /// Inside a probe of the present round it rides on the probe's permit: it takes no slot, has no vote and is not
    /// counted. Otherwise it is a call like any other.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    pub fn acquire_nested(&self) -> Result<Permit<'b, C>, Rejected> {
        let ticket = self.breaker.admit_inside(|| Some(self.ticket.stamp))?;
        Ok(Permit::new(self.breaker, ticket))
    }

    /// The stamp that nested calls find.
    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        self.ticket.stamp
    }
}

impl Ticket {
    /// The stamp that a nested call passes to [`CircuitBreaker::admit_inside`].
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether the call was admitted as a probe, so that calls made inside it may ride on its permit.
    pub fn is_probe(&self) -> bool {
        self.stamp.is_probe()
    }

    /// Whether the call rides on another one's permit, so that it is not counted.
    pub fn is_riding(&self) -> bool {
        self.stripe.is_riding()
    }

    /// Excludes a time from the call's duration, for example the time that the consumer of a stream took.
    pub fn exclude(&mut self, time: Duration) {
        self.start = self.start.later_by(time);
    }
}

/// A permit as plain data, for bindings whose own objects decide when it is settled.
///
/// [`CircuitBreaker::settle`] consumes it. A dropped ticket leaves its call in flight for ever; Rust code uses
/// [`Permit`].
#[derive(Debug)]
#[must_use = "a ticket that is dropped leaves its call in flight for ever"]
pub struct Ticket {
    pub(super) stamp: Stamp,
    pub(super) stripe: Stripe,
    pub(super) start: Start,
}

/// When a call began; [`UNTIMED`](Self::UNTIMED) if no rule needs its duration.
///
/// Half the size of an `Option<Tick>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start(Tick);

impl Start {
    pub(super) const UNTIMED: Self = Self(Tick::from_nanos(u64::MAX));

    pub(super) const fn at(now: Tick) -> Self {
        Self(now)
    }

    fn later_by(self, time: Duration) -> Self {
        if self == Self::UNTIMED { self } else { Self(self.0.after(time)) }
    }

    /// The duration of the call in nanoseconds; `None` if it is not timed.
    #[inline]
    pub(super) fn lasted(self, now: Tick) -> Option<u64> {
        (self != Self::UNTIMED).then(|| now.nanos_since(self.0))
    }
}
