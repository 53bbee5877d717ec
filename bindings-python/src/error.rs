//! The one place where the core's errors become Python's. The classes stand in `halfopen/errors.py`.

use halfopen::{InvalidValue, Rejected};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

static INVALID_VALUE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static CIRCUIT_OPEN: PyOnceLock<Py<PyType>> = PyOnceLock::new();

const ERRORS: &str = "halfopen.errors";

/// `InvalidValueError`.
pub fn to_python(py: Python<'_>, error: &InvalidValue) -> PyErr {
    INVALID_VALUE
        .import(py, ERRORS, "InvalidValueError")
        .and_then(|class| class.call1((error.field(), error.value().to_string(), error.allowed())))
        .map_or_else(|broken| broken, PyErr::from_value)
}

/// `CircuitBreakerOpenError`, a fresh one for each rejection.
pub fn rejection(py: Python<'_>, circuit_name: &str, rejected: &Rejected) -> PyErr {
    let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
    CIRCUIT_OPEN
        .import(py, ERRORS, "CircuitBreakerOpenError")
        .and_then(|class| class.call1((circuit_name, retry_after, rejected.reason.as_str())))
        .map_or_else(|broken| broken, PyErr::from_value)
}
