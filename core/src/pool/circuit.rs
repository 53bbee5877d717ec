//! Reads a circuit's readiness for a pool.

use super::{Circuit, Readiness};
use crate::breaker::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::control;

impl<C: Clock> CircuitBreaker<C> {
    /// Reads what a choice at `now` looks at, without taking a permit or changing anything.
    pub fn circuit_at(&self, now: Tick) -> Circuit {
        Circuit { readiness: self.readiness_at(now), closed_since: self.closed_since() }
    }

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
