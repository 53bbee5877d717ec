//! A Python object that is notified of every call of a breaker, however the call is made.
//!
//! `halfopen.compat` has one, for a backend whose metrics, logs and errors have their own form. Without an observer
//! this costs one read of an empty cell.

use std::sync::OnceLock;

use halfopen::Rejected;
use halfopen::host::SettledCall;
use pyo3::exceptions::{PyBaseException, PyException};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::report;
use crate::ffi::call_host_method;
use crate::imports::Method;

#[derive(Default)]
pub struct PyObserver(OnceLock<Py<PyAny>>);

impl PyObserver {
    /// Takes the observer; false where there is one already.
    pub fn set(&self, observer: Py<PyAny>) -> bool {
        self.0.set(observer).is_ok()
    }

    pub fn is_there(&self) -> bool {
        self.0.get().is_some()
    }

    /// A call has been admitted. Fails only if there was an interrupt, which the caller must get.
    pub fn admitted(&self, py: Python<'_>) -> PyResult<()> {
        self.notify(py, |names| &names.admitted, ()).map(drop)
    }

    /// A call has been rejected: the observer's own error for the caller, where it has one.
    pub fn rejected(&self, py: Python<'_>, rejected: &Rejected) -> Option<PyErr> {
        let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
        match self.notify(py, |names| &names.rejected, (retry_after, rejected.reason.as_str())) {
            Ok(answer) => answer.filter(|it| it.is_instance_of::<PyBaseException>()).map(PyErr::from_value),
            Err(interrupt) => Some(interrupt),
        }
    }

    /// The answer of the observer; `None` where it has none, because there is no observer or it raised an `Exception`.
    fn notify<'py>(
        &self,
        py: Python<'py>,
        method: Method,
        arguments: impl IntoPyObject<'py, Target = PyTuple>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let Some(observer) = self.0.get() else { return Ok(None) };
        match call_host_method(observer.bind(py), method, arguments) {
            Err(error) if error.is_instance_of::<PyException>(py) => {
                error.write_unraisable(py, Some(observer.bind(py)));
                Ok(None)
            }
            answer => answer.map(Some),
        }
    }

    /// A call has been settled. The call is over and its result on the way, so an interrupt is raised a moment later.
    pub fn settled(&self, py: Python<'_>, call: SettledCall) {
        let seconds = call.duration.map(|duration| duration.as_secs_f64());
        let notified = self.notify(py, |names| &names.settled, (call.outcome.as_str(), seconds));
        if let (Err(interrupt), Some(observer)) = (notified, self.0.get()) {
            report(interrupt, observer.bind(py));
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.get().map_or(Ok(()), |observer| visit.call(observer))
    }
}
