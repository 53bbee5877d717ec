//! `HealthySession`: what is left of a session's call when it has been counted as a success.

use std::sync::atomic::{AtomicBool, Ordering};

use halfopen::{Outcome, State};
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;
use crate::error::is_rejection;
use crate::pending::PendingCall;

/// A session that is healthy and has not ended. An error that ends it counts as a call of its own.
#[pyclass(frozen, name = "HealthySession", module = "halfopen._core")]
pub struct PyHealthySession {
    breaker: Py<PyBreaker>,
    /// The number of the session's call.
    number: u64,
    /// The generation of the circuit when the call had been settled.
    generation: u64,
    has_ended: AtomicBool,
}

impl PyBreaker {
    /// Begins a call for an exception that ended no call, if the circuit is closed.
    fn begin_late(&self, py: Python<'_>) -> PyResult<Option<PendingCall<'_>>> {
        if self.core().state() != State::Closed {
            return Ok(None);
        }
        match PendingCall::begin(self, py) {
            // The state has changed since it was read. In a half-open circuit the exception must not count.
            Ok(pending) if pending.is_probe() => Ok(None),
            Ok(pending) => Ok(Some(pending)),
            Err(rejected) if is_rejection(rejected.value(py))? => Ok(None),
            Err(interrupt) => Err(interrupt),
        }
    }
}

impl PyHealthySession {
    /// Settles the call of a session as a success. Failures that were counted inside it stay noted.
    pub fn begin(breaker: &Py<PyBreaker>, py: Python<'_>, call: AdmittedCall) -> Self {
        let (this, number) = (breaker.get(), call.number);
        this.counted.session_is_healthy();
        this.settle_ticket(call.ticket, Outcome::Success);
        // Read after the success, which may have closed the circuit.
        let generation = this.core().status().generation;
        Self { breaker: breaker.clone_ref(py), number, generation, has_ended: AtomicBool::new(false) }
    }

    /// Ends the session. If its error counts, it is settled as a call of its own.
    fn counted(&self, error: &Bound<'_, PyAny>, settle: impl FnOnce(PendingCall<'_>) -> PyResult<()>) -> PyResult<()> {
        let breaker = self.breaker.get();
        let counts =
            breaker.core().status().generation == self.generation && !breaker.has_counted_error(self.number, error);
        let call = if counts { breaker.begin_late(error.py()) } else { Ok(None) };
        let counted = call.and_then(|call| call.map_or(Ok(()), settle));
        self.end();
        counted
    }

    /// As [`Self::ended`], with the verdict on the error.
    pub fn ended_with(&self, error: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
        self.counted(error, |call| call.ended_with(error, outcome))
    }

    fn end(&self) {
        if !self.has_ended.swap(true, Ordering::Relaxed) {
            self.breaker.get().counted.session_has_ended();
        }
    }
}

#[pymethods]
impl PyHealthySession {
    /// The session has ended, with this error or `None`. An `Exception` counts if the circuit is closed and has been since
    /// the session was healthy, unless a call inside the session has counted it.
    #[pyo3(signature = (error, /))]
    fn ended(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        if !error.is_instance_of::<PyException>() {
            self.end();
            return Ok(());
        }
        self.counted(error, |call| call.raised(error))
    }

    pub fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.breaker)
    }
}

impl Drop for PyHealthySession {
    fn drop(&mut self) {
        self.end();
    }
}
