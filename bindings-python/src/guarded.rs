//! A call that is made and judged here, by its result or its exception.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::awaiting::Awaiting;
use crate::breaker::PyBreaker;
use crate::ffi::{PLAIN_VALUES, call_object, has_await, is_exactly, says_yes, unless_replaced};
use crate::imports::Imports;
use crate::pending::PendingCall;
use crate::results::{EndsLater, followed, guarded_stream, is_generator_based_coroutine};

/// `GuardedFunction`: a function with the breaker that guards it; [`crate::ffi`] adds what calls it.
#[pyclass(frozen, name = "GuardedFunction", module = "halfopen._core")]
pub struct PyGuardedFunction {
    pub breaker: Py<PyBreaker>,
    pub function: Py<PyAny>,
}

#[pymethods]
impl PyGuardedFunction {
    #[new]
    #[pyo3(signature = (breaker, function, /))]
    fn new(breaker: Py<PyBreaker>, function: Py<PyAny>) -> Self {
        Self { breaker, function }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.breaker)?;
        visit.call(&self.function)
    }
}

/// Makes a whole call, which `run` runs; where its result has yet to be awaited or iterated, it ends when that does.
pub fn call<'py>(
    breaker: &Bound<'py, PyBreaker>,
    function: &Bound<'py, PyAny>,
    run: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = breaker.py();
    let pending = PendingCall::begin(breaker.get(), py)?;
    pending.enter(py)?;
    let result = run();
    pending.leave(py);
    let result = match result {
        Ok(result) => result,
        Err(error) => return Err(failed(function, pending, error)),
    };
    let ends = if is_awaitable(&result)? { Some(EndsLater::Future) } else { EndsLater::of(&result)? };
    match ends {
        None => pending.returned(&result).map(|()| result),
        Some(EndsLater::Future) => awaited(&call_object(breaker, pending.release())?, &result),
        Some(EndsLater::Stream) => guarded_stream(breaker, pending, &result),
    }
}

/// The call raised this, which is what the caller gets.
///
/// Not inlined, because an error is large: a success would be slower by a tenth.
#[inline(never)]
fn failed(function: &Bound<'_, PyAny>, pending: PendingCall<'_>, error: PyErr) -> PyErr {
    let py = function.py();
    if has_refused_arguments(function, &error) {
        // Dropped, the call is cancelled.
        return error;
    }
    let handled = pending.raised(error.value(py));
    unless_replaced(error, handled)
}

/// Whether a function that is written in Python was called with wrong arguments: then nothing of it has run, and the
/// traceback has no entry of it.
fn has_refused_arguments(function: &Bound<'_, PyAny>, error: &PyErr) -> bool {
    let py = function.py();
    error.value(py).is_exact_instance_of::<PyTypeError>() && error.traceback(py).is_none() && {
        let asked = Imports::get(py).and_then(|imports| says_yes(&imports.is_python_function, function));
        asked.is_ok_and(|answer| answer == Some(true))
    }
}

/// Whether `await` takes it.
#[pyfunction]
#[pyo3(signature = (result, /))]
#[inline]
pub fn is_awaitable(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!PLAIN_VALUES.contains(result) && (has_await(result) || is_generator_based_coroutine(result)?))
}

/// The awaitable that a call returned, which settles the call when it ends.
fn awaited<'py>(call: &Bound<'py, PyAny>, result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    if is_exactly(result, &Imports::get(py)?.coroutine) {
        let awaiting = Awaiting::new(call.clone().unbind(), result.clone().unbind());
        return Ok(Bound::new(py, awaiting)?.into_any());
    }
    followed(call, result)
}
