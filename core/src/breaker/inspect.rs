//! A breaker at one moment, with the evidence for its decisions, for the simulation.

use core::time::Duration;

use super::CircuitBreaker;
use crate::clock::Clock;
use crate::evidence::{SavedWindow, Status};

/// A consistent reading of a breaker and its evidence.
pub(crate) struct Inspection {
    pub status: Status,
    /// The probe slots that are taken.
    pub probe_slots: u8,
    /// If no slot is free: the time until all are taken back, provided that no probe shows a sign of life.
    pub probes_busy_for: Option<Duration>,
    pub window: SavedWindow,
}

impl<C: Clock> CircuitBreaker<C> {
    pub(crate) fn inspect(&self) -> Inspection {
        let now = self.hot.clock.now();
        let inner = self.inner.lock();
        Inspection {
            status: self.status_of(&inner, now),
            probe_slots: inner.control.probe_slots(),
            probes_busy_for: inner.control.probes_busy_for(&inner.rules, now),
            window: inner.window.saved(&inner.rules, now),
        }
    }
}
