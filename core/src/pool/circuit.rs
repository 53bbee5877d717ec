//! Reads a circuit's readiness for a pool.

use super::Admission;
use crate::breaker::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::control;

impl<C: Clock> CircuitBreaker<C> {
    /// Reads the circuit's readiness for a call at `now`, without taking a permit or changing anything.
    pub fn admission_at(&self, now: Tick) -> Admission {
        match self.peek(now) {
            control::Admission::Rejected(rejected) => {
                Admission::Rejected { reason: rejected.reason, until: rejected.retry_after.map(|wait| now.after(wait)) }
            }
            control::Admission::Admitted { stamp, .. } if stamp.is_probe() => Admission::Probe,
            control::Admission::Admitted { .. } => Admission::Closed,
        }
    }
}
