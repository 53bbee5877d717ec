//! The error that a consumer throws into a generator.

use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopAsyncIteration, PyStopIteration, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use crate::ffi::{call_host, call_host_plainly, inherits, unless_it_raised};
use crate::imports::Imports;

/// The exception that `throw(kind, error, trace)` throws.
pub fn instance_of<'py>(
    kind: &Bound<'py, PyAny>,
    error: Option<&Bound<'py, PyAny>>,
    trace: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let error = error.filter(|error| !error.is_none());
    let error = match (kind.cast::<PyType>(), error) {
        (Err(_), Some(_)) => return Err(PyTypeError::new_err("instance exception may not have a separate value")),
        (Err(_), None) => kind.clone(),
        (Ok(class), None) => call_host_plainly(class)?,
        (Ok(class), Some(error)) if error.is_instance(class)? => error.clone(),
        (Ok(class), Some(error)) => match error.cast::<PyTuple>() {
            Ok(arguments) => call_host(class, arguments, None)?,
            Err(_) => call_host(class, &PyTuple::new(error.py(), [error])?, None)?,
        },
    };
    if !error.is_instance_of::<PyBaseException>() {
        return Err(PyTypeError::new_err("exceptions must be classes or instances deriving from BaseException"));
    }
    if let Some(trace) = trace.filter(|trace| !trace.is_none()) {
        error.setattr(&Imports::get(error.py())?.names.traceback, trace)?;
    }
    Ok(error)
}

/// Whether an exception that was thrown into a generator has come back. Python wraps a `StopIteration` that leaves a
/// generator, and a task group wraps each exception that leaves its block.
pub fn has_come_back(error: &Bound<'_, PyAny>, thrown: &Bound<'_, PyAny>) -> PyResult<bool> {
    let stops = thrown.is_instance_of::<PyStopIteration>() || thrown.is_instance_of::<PyStopAsyncIteration>();
    if error.is(thrown)
        || stops && error.is_instance_of::<PyRuntimeError>() && cause_of(error).is_some_and(|cause| cause.is(thrown))
    {
        return Ok(true);
    }
    let imports = Imports::get(error.py())?;
    if !inherits(error, imports.exception_group.bind(error.py())) {
        return Ok(false);
    }
    let of_both = PyTuple::new(error.py(), [error, thrown])?;
    let answer = call_host(imports.has_only_members_of.bind(error.py()), &of_both, None);
    Ok(unless_it_raised(error.py(), answer.and_then(|answer| answer.is_truthy()))?.unwrap_or(false))
}

fn cause_of<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let cause = PyErr::from_value(error.clone()).cause(error.py())?;
    Some(cause.into_value(error.py()).into_bound(error.py()).into_any())
}
