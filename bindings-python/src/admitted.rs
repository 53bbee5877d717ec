//! A call that a breaker has admitted, as plain data.

use std::sync::Arc;

use halfopen::CircuitBreaker;
use halfopen::clock::Tick;
use halfopen::host::{self, Ticket};
use pyo3::prelude::*;

use crate::clock::PyClock;
use crate::nesting::Probe;

/// A call that has been admitted. A dropped one stays in flight forever, so Rust holds it in a
/// [`PendingCall`](crate::pending::PendingCall).
#[derive(Debug)]
pub struct AdmittedCall {
    pub ticket: Ticket,
    /// Its place in the order in which the breaker's calls began; see [`crate::counted`].
    pub number: u64,
    probe: Option<Arc<Probe>>,
}

impl AdmittedCall {
    #[inline]
    pub fn new(number: u64, ticket: Ticket, probe: Option<Probe>) -> Self {
        Self { ticket, number, probe: probe.map(Arc::new) }
    }

    /// The call as a probe; `None` if it is not one.
    pub fn probe(&self) -> Option<&Arc<Probe>> {
        self.probe.as_ref()
    }

    #[inline]
    pub fn is_probe(&self) -> bool {
        self.probe.is_some()
    }

    /// The call's function runs from now on.
    #[inline]
    pub fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.probe.as_ref().map_or(Ok(()), |probe| probe.enter(py))
    }

    /// The call's function does not run any more.
    #[inline]
    pub fn leave(&self, py: Python<'_>) {
        if let Some(probe) = &self.probe {
            probe.leave(py);
        }
    }

    /// From now on, time does not count as the provider's.
    pub fn pause(&mut self, breaker: &CircuitBreaker<PyClock>) {
        host::pause(breaker, &mut self.ticket);
    }

    /// Time counts as the provider's again; it did not since `paused_at`.
    pub fn resume(&mut self, breaker: &CircuitBreaker<PyClock>, paused_at: Option<Tick>, now: Tick) {
        if let Some(paused_at) = paused_at {
            self.ticket.exclude(now.since(paused_at));
            host::resume(breaker, &mut self.ticket, now);
        }
    }
}
