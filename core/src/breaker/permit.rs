//! Permission to make one call.

use core::mem::ManuallyDrop;

use super::{CircuitBreaker, Ticket};
use crate::clock::{Clock, DefaultClock};
use crate::control::{Outcome, Rejected, Stamp};

/// The four ways to settle, for each kind of permit.
macro_rules! settling_methods {
    () => {
        /// The call did what was asked.
        pub fn success(self) {
            self.settle(Outcome::Success);
        }

        /// The call failed, and the provider is to blame.
        pub fn failure(self) {
            self.settle(Outcome::FAILURE);
        }

        /// The call failed, and that says nothing about the provider.
        pub fn ignore(self) {
            self.settle(Outcome::Ignored);
        }

        /// The call was given up before it ended.
        pub fn cancel(self) {
            self.settle(Outcome::Cancelled);
        }
    };
}

pub(super) use settling_methods;

/// Permission to make one call. Dropped unsettled, it is settled as cancelled.
///
/// Each method that settles takes the permit, so none can be settled twice.
#[derive(Debug)]
#[must_use = "a permit that is dropped is settled as cancelled"]
pub struct Permit<'b, C: Clock = DefaultClock> {
    breaker: &'b CircuitBreaker<C>,
    ticket: Ticket,
}

impl<'b, C: Clock> Permit<'b, C> {
    settling_methods!();

    #[inline]
    pub(super) fn new(breaker: &'b CircuitBreaker<C>, ticket: Ticket) -> Self {
        Self { breaker, ticket }
    }

    /// Settles the permit with `outcome`.
    #[inline]
    pub fn settle(self, outcome: Outcome) {
        let permit = ManuallyDrop::new(self);
        permit.settle_as(outcome);
    }

    /// Asks for a permit for a nested call.
    ///
    /// Inside a current probe it shares the probe's permit: it takes no slot and is not counted. Otherwise it is an
    /// ordinary call.
    ///
    /// # Errors
    /// [`Rejected`], with the rest of the wait.
    pub fn acquire_nested(&self) -> Result<Permit<'b, C>, Rejected> {
        let ticket = self.breaker.admit(|| Some(self.ticket.stamp))?;
        Ok(Permit::new(self.breaker, ticket))
    }

    /// Runs once: here, or when the permit is dropped.
    #[inline]
    fn settle_as(&self, outcome: Outcome) {
        let Ticket { stamp, stripe, start } = self.ticket;
        self.breaker.settle(Ticket { stamp, stripe, start }, outcome);
    }

    /// The stamp that nested calls inherit.
    #[inline]
    pub(super) fn stamp(&self) -> Stamp {
        self.ticket.stamp
    }
}

impl<C: Clock> Drop for Permit<'_, C> {
    #[inline]
    fn drop(&mut self) {
        self.settle_as(Outcome::Cancelled);
    }
}
