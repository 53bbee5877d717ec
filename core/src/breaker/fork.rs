//! Breakers in the child of a fork.

use super::CircuitBreaker;
use crate::clock::Clock;
use crate::control::Jitter;

impl<C: Clock> CircuitBreaker<C> {
    /// See [`host::after_fork`](crate::host::after_fork).
    pub(crate) fn after_fork(&self, jitter: Jitter) {
        self.change(|inner| {
            inner.inherit(jitter);
            self.counters.cancel_in_flight();
        });
        self.listeners.inherit();
    }
}
