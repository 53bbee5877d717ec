//! Pauses a call in flight while another party than its provider takes time.

use super::{CircuitBreaker, Ticket};
use crate::clock::{Clock, Tick};

/// Whether calls in flight can be overdue now. If not, a host need not call [`pause`] and [`resume`].
#[inline]
pub fn tracks_calls<C: Clock>(breaker: &CircuitBreaker<C>) -> bool {
    breaker.hot.mirror.mirrored().admits_tracked().is_some()
}

/// From now on another party than the provider takes time, for example the consumer of a stream, until [`resume`]. A
/// paused call is not overdue. Pausing it again changes nothing. The host [excludes](Ticket::exclude) the time.
pub fn pause<C: Clock>(breaker: &CircuitBreaker<C>, ticket: &mut Ticket) {
    let group = ticket.stripe.group();
    if group != 0 {
        breaker.inner.lock().leave_group(breaker.newest_group(), group);
        ticket.stripe = ticket.stripe.in_group(0);
    }
}

/// The provider's time runs again. The call becomes overdue as if it had begun `now`.
pub fn resume<C: Clock>(breaker: &CircuitBreaker<C>, ticket: &mut Ticket, now: Tick) {
    if ticket.stripe.group() != 0 || breaker.hot.mirror.mirrored().admits_tracked() != Some(ticket.stamp) {
        return;
    }
    let mut inner = breaker.inner.lock();
    if inner.control.is_current(ticket.stamp) {
        ticket.stripe = ticket.stripe.in_group(inner.track(breaker.newest_group(), now));
    }
}
