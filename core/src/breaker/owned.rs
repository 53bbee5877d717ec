//! A permit that owns a handle on its breaker.

use alloc::sync::Arc;

use super::permit::settling_methods;
use super::{CircuitBreaker, Ticket};
use crate::clock::{Clock, DefaultClock};
use crate::control::{Outcome, Rejected};

/// A [`Permit`](super::Permit) that keeps its breaker alive, for spawned tasks and structs.
///
/// Dropped unsettled, it is settled as cancelled.
///
/// ```
/// use std::sync::Arc;
///
/// use halfopen::{CircuitBreaker, Config};
///
/// let breaker = Arc::new(CircuitBreaker::new(Config::default()));
/// let permit = breaker.acquire_owned()?;
/// std::thread::spawn(move || permit.success()).join().unwrap();
/// assert_eq!(breaker.status().counts.successful_calls, 1);
/// # Ok::<(), halfopen::Rejected>(())
/// ```
#[derive(Debug)]
#[must_use = "a permit that is dropped is settled as cancelled"]
pub struct OwnedPermit<C: Clock = DefaultClock> {
    breaker: Arc<CircuitBreaker<C>>,
    /// Taken when it is settled.
    ticket: Option<Ticket>,
}

impl<C: Clock> CircuitBreaker<C> {
    /// As [`acquire`](Self::acquire), with a permit that keeps the breaker alive.
    ///
    /// # Errors
    /// [`Rejected`], with the rest of the wait.
    pub fn acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit<C>, Rejected> {
        let ticket = Some(self.admit(|| None)?);
        Ok(OwnedPermit { breaker: Arc::clone(self), ticket })
    }
}

impl<C: Clock> OwnedPermit<C> {
    settling_methods!();

    /// As [`Permit::acquire_nested`](super::Permit::acquire_nested).
    ///
    /// # Errors
    /// [`Rejected`], with the rest of the wait.
    pub fn acquire_nested(&self) -> Result<Self, Rejected> {
        let ticket = Some(self.breaker.admit(|| self.ticket.as_ref().map(Ticket::stamp))?);
        Ok(Self { breaker: Arc::clone(&self.breaker), ticket })
    }

    /// Settles the permit with `outcome`.
    pub fn settle(mut self, outcome: Outcome) {
        self.settle_as(outcome);
    }

    fn settle_as(&mut self, outcome: Outcome) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, outcome);
        }
    }
}

impl<C: Clock> Drop for OwnedPermit<C> {
    fn drop(&mut self) {
        self.settle_as(Outcome::Cancelled);
    }
}
