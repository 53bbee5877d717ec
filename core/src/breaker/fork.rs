//! Breakers in the child of a fork.

use super::CircuitBreaker;
use crate::clock::Clock;
use crate::control::Jitter;

/// Separates a breaker in the child of a fork from its parent's. A host calls it in the child, in the thread that forked,
/// before anything else uses the breaker there.
///
/// - State, mode, window, counters and a running wait stay as they were. `jitter` spreads the waits to come, so that
///   the children of one parent do not probe together.
/// - The calls in flight belong to the parent, which settles them. Here they count as cancelled and hold no probe slot,
///   and a ticket from before the fork has no vote and is not counted.
/// - Transitions from before the fork are delivered to the listeners of the parent only.
pub fn after_fork<C: Clock>(breaker: &CircuitBreaker<C>, jitter: Jitter) {
    breaker.change(|inner| {
        inner.inherit(jitter);
        breaker.counters.cancel_in_flight();
    });
    breaker.listeners.inherit();
}
