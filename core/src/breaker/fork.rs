//! Breakers in the child of a fork.

use super::CircuitBreaker;
use crate::clock::Clock;
use crate::control::Jitter;

impl<C: Clock> CircuitBreaker<C> {
    /// Makes a breaker that a forked child has inherited the child's own. A host calls it in the child, in the thread that
    /// forked, before anything else uses the breaker there.
    ///
    /// - State, mode, window, counters and a running wait stay as they were. `jitter` spreads the waits to come, so that
    ///   the children of one parent do not probe together.
    /// - The calls in flight are the parent's, and it settles them. Here they count as cancelled and hold no probe slot,
    ///   and a ticket from before the fork has no say and is not counted.
    /// - Transitions from before the fork are told to listeners in the parent only.
    pub fn after_fork(&self, jitter: Jitter) {
        self.change(|inner| {
            inner.inherit(jitter);
            self.counters.cancel_in_flight();
        });
        self.listeners.inherit();
    }
}
