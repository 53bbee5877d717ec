//! A call that is made and judged here, by its result or its exception.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::awaiting::Awaiting;
use crate::breaker::PyBreaker;
use crate::ffi::{PLAIN_VALUES, attached, call_object, has_await, is_exactly, says_yes};
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
    if pending.is_probe() {
        pending.enter(py)?;
    }
    let result = run();
    pending.leave(py);
    let result = match result {
        Ok(result) => result,
        Err(error) => return Err(failed(function, pending, error)),
    };
    match Returned::of(&result)? {
        Returned::Value => pending.returned(&result).map(|()| result),
        Returned::Awaitable | Returned::Future => awaited(&call_object(breaker, pending.release())?, &result),
        Returned::Stream => guarded_stream(breaker, pending, &result),
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
    match pending.raised(error.value(py)) {
        Ok(()) => error,
        Err(interrupt) => {
            // Attached, so that PyO3 releases the error at once.
            attached(|_| drop(error));
            interrupt
        }
    }
}

/// Whether a function that is written in Python was called with wrong arguments: then nothing of it has run, and the
/// traceback has no entry of it.
fn has_refused_arguments(function: &Bound<'_, PyAny>, error: &PyErr) -> bool {
    let py = function.py();
    error.value(py).is_exact_instance_of::<PyTypeError>() && error.traceback(py).is_none() && {
        let asked = Imports::get(py).and_then(|imports| says_yes(&imports.is_python_function, function));
        asked.is_ok_and(|said| said == Some(true))
    }
}

/// The kind of value that a function returned.
enum Returned {
    Value,
    Awaitable,
    /// A `concurrent.futures.Future`.
    Future,
    Stream,
}

impl Returned {
    #[inline]
    fn of(result: &Bound<'_, PyAny>) -> PyResult<Self> {
        if !PLAIN_VALUES.contains(result) && has_await(result) {
            return Ok(Self::Awaitable);
        }
        Ok(match EndsLater::of(result)? {
            None => Self::Value,
            Some(EndsLater::Future) => Self::Future,
            Some(EndsLater::Stream) => Self::of_stream(result)?,
        })
    }

    #[cold]
    fn of_stream(result: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(if is_generator_based_coroutine(result)? { Self::Awaitable } else { Self::Stream })
    }
}

/// Whether `await` takes it.
#[pyfunction]
#[pyo3(signature = (result, /))]
pub fn is_awaitable(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(matches!(Returned::of(result)?, Returned::Awaitable))
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
