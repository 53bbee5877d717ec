//! A permit that borrows nothing.

use alloc::sync::Arc;

use super::{CircuitBreaker, Ticket};
use crate::clock::{Clock, DefaultClock};
use crate::control::{Ending, Outcome, Rejected};

/// A [`Permit`](super::Permit) that keeps its breaker alive, for a task that is spawned or a struct that is kept.
///
/// Dropped without a word, it is settled as cancelled.
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
    /// As [`acquire`](Self::acquire), for a permit that borrows nothing.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    pub fn acquire_owned(self: &Arc<Self>) -> Result<OwnedPermit<C>, Rejected> {
        let ticket = Some(self.admit()?);
        Ok(OwnedPermit { breaker: Arc::clone(self), ticket })
    }
}

impl<C: Clock> OwnedPermit<C> {
    /// As [`Permit::acquire_nested`](super::Permit::acquire_nested).
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    pub fn acquire_nested(&self) -> Result<Self, Rejected> {
        let ticket = Some(self.breaker.admit_inside(|| self.ticket.as_ref().map(Ticket::stamp))?);
        Ok(Self { breaker: Arc::clone(&self.breaker), ticket })
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
        self.settle(Outcome::Cancelled);
    }

    /// The call ended so.
    pub fn settle(mut self, ending: impl Into<Ending>) {
        self.give_back(ending.into());
    }

    fn give_back(&mut self, ending: Ending) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, ending);
        }
    }
}

impl<C: Clock> Drop for OwnedPermit<C> {
    fn drop(&mut self) {
        self.give_back(Outcome::Cancelled.into());
    }
}
