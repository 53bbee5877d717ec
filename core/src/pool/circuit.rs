//! Reads a circuit's readiness for a pool.

use super::Readiness;
use crate::breaker::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::control;

impl<C: Clock> CircuitBreaker<C> {
    /// Reads the circuit's readiness for a call at `now`, without taking a permit or changing anything.
    pub fn readiness_at(&self, now: Tick) -> Readiness {
        match self.peek(now) {
            control::Admission::Rejected(rejected) => {
                Readiness::Rejected { reason: rejected.reason, until: rejected.retry_after.map(|wait| now.after(wait)) }
            }
            control::Admission::Admitted { stamp, .. } if stamp.is_probe() => Readiness::Probe,
            control::Admission::Admitted { .. } => Readiness::Closed,
        }
    }
}
