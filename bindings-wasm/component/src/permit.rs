//! The resource `permit`.

use std::cell::Cell;
use std::sync::Arc;

use halfopen::clock::Clock;
use halfopen::host::{self, Stamp, Ticket};
use halfopen::{CircuitBreaker, Outcome};

use crate::clock::HostClock;
use crate::wit;

/// Permission to make one call, as long as it has its ticket. It keeps its breaker alive, so the order in which a host
/// drops the two does not matter.
pub(crate) struct Permit {
    core: Arc<CircuitBreaker<HostClock>>,
    ticket: Cell<Option<Ticket>>,
}

impl Permit {
    pub(crate) fn new(core: Arc<CircuitBreaker<HostClock>>, ticket: Ticket) -> Self {
        Self { core, ticket: Cell::new(Some(ticket)) }
    }

    /// The stamp for a call made inside this one, unless this one has ended.
    fn stamp(&self) -> Option<Stamp> {
        let ticket = self.ticket.take();
        let stamp = ticket.as_ref().map(Ticket::stamp);
        self.ticket.set(ticket);
        stamp
    }

    /// Whether this call settled it.
    fn settle_as(&self, outcome: Outcome) -> bool {
        let Some(ticket) = self.ticket.take() else { return false };
        let Err(ticket) = host::try_settle(&self.core, ticket, outcome, None) else { return true };
        // A host's clock must not throw. If it does, the ticket must not be lost.
        self.ticket.set(Some(ticket));
        let now = self.core.clock().now();
        self.ticket.take().is_some_and(|ticket| host::try_settle(&self.core, ticket, outcome, Some(now)).is_ok())
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.settle_as(Outcome::Cancelled);
    }
}

impl wit::GuestPermit for Permit {
    fn acquire_nested(&self) -> Result<wit::Permit, wit::Rejected> {
        let ticket = host::admit(&self.core, || self.stamp())?;
        Ok(wit::Permit::new(Permit::new(Arc::clone(&self.core), ticket)))
    }

    fn success(&self) -> bool {
        self.settle_as(Outcome::Success)
    }

    fn failure(&self, retry_after_seconds: Option<f64>) -> Result<bool, wit::InvalidValue> {
        self.settle(wit::Outcome::Failure, retry_after_seconds)
    }

    fn ignore(&self) -> bool {
        self.settle_as(Outcome::Ignored)
    }

    fn cancel(&self) -> bool {
        self.settle_as(Outcome::Cancelled)
    }

    fn settle(&self, outcome: wit::Outcome, retry_after_seconds: Option<f64>) -> Result<bool, wit::InvalidValue> {
        Ok(self.settle_as(host::outcome_with_hint(outcome.into(), "retry_after_seconds", &retry_after_seconds.into())?))
    }

    fn settled(&self) -> bool {
        self.stamp().is_none()
    }
}
