//! The one place where the core's errors become Python's. The classes stand in `halfopen/errors.py`.

use halfopen::{InvalidValue, Rejected};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

static INVALID_VALUE: PyOnceLock<Py<PyType>> = PyOnceLock::new();
static CIRCUIT_OPEN: PyOnceLock<(Py<PyType>, Py<PyAny>)> = PyOnceLock::new();

const ERRORS: &str = "halfopen.errors";

/// `InvalidValueError`.
pub fn to_python(py: Python<'_>, error: &InvalidValue) -> PyErr {
    INVALID_VALUE
        .import(py, ERRORS, "InvalidValueError")
        .and_then(|class| class.call1((error.field(), error.value().to_string(), error.allowed())))
        .map_or_else(|broken| broken, PyErr::from_value)
}

/// `CircuitBreakerOpenError`, a fresh one for each rejection.
///
/// Its arguments are all that it holds, and they are put there by `Exception.__new__`: a rejection runs no Python code.
pub fn rejection(py: Python<'_>, circuit_name: &Bound<'_, PyString>, rejected: &Rejected) -> PyErr {
    let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
    let class_and_new = CIRCUIT_OPEN.get_or_try_init(py, || {
        let class = py.import(ERRORS)?.getattr("CircuitBreakerOpenError")?.cast_into::<PyType>()?;
        Ok::<_, PyErr>((class.unbind(), py.get_type::<PyException>().getattr("__new__")?.unbind()))
    });
    class_and_new
        .and_then(|(class, new)| new.call1(py, (class, circuit_name, retry_after, rejected.reason.as_str())))
        .map_or_else(|broken| broken, |error| PyErr::from_value(error.into_bound(py)))
}
