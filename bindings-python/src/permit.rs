//! `Permit`.

use std::sync::{Mutex, PoisonError};

use halfopen::{Ending, Outcome, Stamp, Ticket};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::breaker::PyBreaker;
use crate::convert::{ending_of, outcome_of};

/// The leave to make one call. It is settled once; one that is dropped unsettled counts as cancelled.
///
/// Each method that settles returns whether it was the one that did.
#[pyclass(frozen, name = "Permit", module = "halfopen")]
pub struct PyPermit {
    /// The breaker stays alive, and so stays counted, as long as a call of it may end.
    breaker: Py<PyBreaker>,
    ticket: Mutex<Option<Ticket>>,
}

impl PyPermit {
    pub fn new(breaker: Py<PyBreaker>, ticket: Ticket) -> Self {
        Self { breaker, ticket: Mutex::new(Some(ticket)) }
    }

    /// The stamp for a call of this breaker that is made inside this one; `None` where it has ended, or is another
    /// breaker's.
    pub fn stamp_for(&self, breaker: &Bound<'_, PyBreaker>) -> Option<Stamp> {
        let ticket = self.ticket.lock().unwrap_or_else(PoisonError::into_inner);
        ticket.as_ref().filter(|_| self.breaker.is(breaker)).map(Ticket::stamp)
    }

    fn take(&self) -> Option<Ticket> {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn hand_back(&self, ending: impl Into<Ending>) -> bool {
        // Settling may call the host's clock, so the lock is free again by then.
        let Some(ticket) = self.take() else { return false };
        self.breaker.get().settle(ticket, ending.into());
        true
    }

    /// The block that the permit was handed out to has been left, with this error or `None`.
    pub fn left(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let ended = if error.is_none() { Outcome::Success } else { self.breaker.get().outcome_of(error)? };
        self.hand_back(ended);
        Ok(())
    }
}

#[pymethods]
impl PyPermit {
    /// The call did what was asked.
    fn success(&self) -> bool {
        self.hand_back(Outcome::Success)
    }

    /// The call failed, and the provider is to blame; `retry_after` is how long it asked to be left alone, in seconds.
    #[pyo3(signature = (retry_after = None))]
    fn failure(&self, py: Python<'_>, retry_after: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        Ok(self.hand_back(ending_of(py, Outcome::Failure, retry_after)?))
    }

    /// The call failed, and that says nothing about the provider.
    fn ignore(&self) -> bool {
        self.hand_back(Outcome::Ignored)
    }

    /// The call was given up before it ended.
    fn cancel(&self) -> bool {
        self.hand_back(Outcome::Cancelled)
    }

    /// The call ended with the outcome of that name.
    #[pyo3(signature = (outcome, retry_after = None))]
    fn settle(
        &self,
        py: Python<'_>,
        outcome: &Bound<'_, PyAny>,
        retry_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        Ok(self.hand_back(ending_of(py, outcome_of(py, outcome)?, retry_after)?))
    }

    /// Whether it has been settled.
    #[getter]
    fn settled(&self) -> bool {
        self.ticket.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// The breaker that handed it out.
    #[getter]
    fn breaker(&self, py: Python<'_>) -> Py<PyBreaker> {
        self.breaker.clone_ref(py)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.breaker)
    }
}

impl Drop for PyPermit {
    fn drop(&mut self) {
        let ticket = self.ticket.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(ticket) = ticket {
            self.breaker.get().abandon(ticket, None);
        }
    }
}
