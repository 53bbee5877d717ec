//! The one place where the core's errors become Python's. The classes stand in `halfopen/errors.py`.

use halfopen::{InvalidValue, Rejected};
use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyString, PyType};

use crate::raw::inherits;

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

/// Whether it is the rejection of a call, or a group of nothing else.
pub fn is_rejection(error: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = error.py();
    if inherits(error, circuit_open(py)?.0.bind(py)) {
        return Ok(true);
    }
    static GROUP: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    if !inherits(error, GROUP.import(py, "builtins", "ExceptionGroup")?) {
        return Ok(false);
    }
    // Groups may stand in each other, as deep as their maker likes.
    let mut groups = vec![error.clone()];
    while let Some(group) = groups.pop() {
        for member in group.getattr(intern!(py, "exceptions"))?.try_iter()? {
            let member = member?;
            if inherits(&member, GROUP.import(py, "builtins", "ExceptionGroup")?) {
                groups.push(member);
            } else if !inherits(&member, circuit_open(py)?.0.bind(py)) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn circuit_open(py: Python<'_>) -> PyResult<&'static (Py<PyType>, Py<PyAny>)> {
    CIRCUIT_OPEN.get_or_try_init(py, || {
        let class = py.import(ERRORS)?.getattr("CircuitBreakerOpenError")?.cast_into::<PyType>()?;
        Ok::<_, PyErr>((class.unbind(), py.get_type::<PyException>().getattr("__new__")?.unbind()))
    })
}

/// `CircuitBreakerOpenError`, a fresh one for each rejection.
///
/// Its arguments are all that it holds, and they are put there by `Exception.__new__`: a rejection runs no Python code.
pub fn rejection(py: Python<'_>, circuit_name: &Bound<'_, PyString>, rejected: &Rejected) -> PyErr {
    let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
    circuit_open(py)
        .and_then(|(class, new)| new.call1(py, (class, circuit_name, retry_after, rejected.reason.as_str())))
        .map_or_else(|broken| broken, |error| PyErr::from_value(error.into_bound(py)))
}
