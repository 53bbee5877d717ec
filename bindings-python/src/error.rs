//! The one place where the core's errors become Python's. The classes stand in `halfopen/errors.py`.

use halfopen::host::Value;
use halfopen::{InvalidValue, Rejected};
use pyo3::call::PyCallArgs;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

use crate::ffi::{handled_error, inherits, raise_soon, says_yes};
use crate::imports::Imports;

/// `InvalidValueError`.
pub fn to_python(py: Python<'_>, error: &InvalidValue) -> PyErr {
    instance(py, |imports| &imports.invalid_value, (error.field(), error.value().to_string(), error.allowed()))
}

/// `InvalidValueError` for this value.
pub fn refused(py: Python<'_>, field: &str, value: &Value, allowed: &str) -> PyErr {
    to_python(py, &InvalidValue::new(field, value, allowed))
}

/// `RegistryFullError`.
pub fn registry_full(py: Python<'_>, bound: usize) -> PyErr {
    instance(py, |imports| &imports.registry_full, (bound,))
}

fn instance<'py>(py: Python<'py>, class: fn(&Imports) -> &Py<PyType>, arguments: impl PyCallArgs<'py>) -> PyErr {
    let error = Imports::get(py).and_then(|imports| class(imports).bind(py).call1(arguments));
    in_context(py, error.map_or_else(|broken| broken, PyErr::from_value))
}

/// An error that is raised now: the error that is being handled is its context, as in Python's `raise`.
pub fn in_context(py: Python<'_>, error: PyErr) -> PyErr {
    let handled = handled_error(py).filter(|handled| !handled.is(error.value(py)));
    if let Some(handled) = handled {
        error.set_context(py, Some(PyErr::from_value(handled)));
    }
    error
}

/// Whether it is the rejection of a call, or a group of nothing else.
pub fn is_rejection(error: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = error.py();
    let imports = Imports::get(py)?;
    if inherits(error, imports.circuit_open.bind(py)) {
        return Ok(true);
    }
    let is_group = inherits(error, imports.exception_group.bind(py));
    Ok(is_group && says_yes(&imports.is_rejection, error)?.unwrap_or(false))
}

/// `CircuitBreakerOpenError`, a fresh one for each rejection.
///
/// It holds its arguments only, and `Exception.__new__` stores them, so a rejection runs no Python code.
pub fn rejection(py: Python<'_>, circuit_name: &Bound<'_, PyString>, rejected: &Rejected) -> PyErr {
    let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
    Imports::get(py)
        .and_then(|imports| {
            let Imports { circuit_open, new_exception, .. } = imports;
            new_exception.call1(py, (circuit_open, circuit_name, retry_after, imports.reason(rejected.reason)))
        })
        .map_or_else(|broken| broken, |error| PyErr::from_value(error.into_bound(py)))
}

/// Reports an error of the host's code (a listener, a clock) that must not reach the guarded call.
///
/// A signal handler may raise in the main thread while such code runs. A `SystemExit` or `KeyboardInterrupt` must not
/// be lost, so an error that is not an `Exception` is raised there a moment later. All others go to
/// `sys.unraisablehook`.
pub fn report(error: PyErr, object: &Bound<'_, PyAny>) {
    let py = object.py();
    let is_interrupt = !error.is_instance_of::<PyException>(py) && in_main_thread(py).unwrap_or(false);
    let left = if is_interrupt { raise_soon(error) } else { Err(error) };
    if let Err(error) = left {
        error.write_unraisable(py, Some(object));
    }
}

/// Reports an exception of the host's code that must not reach the guarded call, for the part that is written in Python.
#[pyfunction]
#[pyo3(signature = (error, object, /))]
pub fn report_unraisable(error: Bound<'_, PyAny>, object: &Bound<'_, PyAny>) {
    report(PyErr::from_value(error), object);
}

fn in_main_thread(py: Python<'_>) -> PyResult<bool> {
    let imports = Imports::get(py)?;
    Ok(imports.current_thread.call0(py)?.is(&imports.main_thread.call0(py)?))
}
