//! A call in flight rests while somebody else than its provider takes time.

use super::{CircuitBreaker, Ticket};
use crate::clock::{Clock, Tick};

impl<C: Clock> CircuitBreaker<C> {
    /// Whether calls in flight can be overdue.
    pub(crate) fn tracks_calls(&self) -> bool {
        self.hot.mirror.mirrored().admits_tracked().is_some()
    }

    /// See [`host::pause`](crate::host::pause).
    pub(crate) fn pause(&self, ticket: &mut Ticket) {
        let group = ticket.stripe.group();
        if group != 0 {
            self.inner.lock().leave_group(self.newest_group(), group);
            ticket.stripe = ticket.stripe.in_group(0);
        }
    }

    /// See [`host::resume`](crate::host::resume).
    pub(crate) fn resume(&self, ticket: &mut Ticket, now: Tick) {
        if ticket.stripe.group() != 0 || self.hot.mirror.mirrored().admits_tracked() != Some(ticket.stamp) {
            return;
        }
        let mut inner = self.inner.lock();
        if inner.control.is_current(ticket.stamp) {
            ticket.stripe = ticket.stripe.in_group(inner.track(self.newest_group(), now));
        }
    }
}
