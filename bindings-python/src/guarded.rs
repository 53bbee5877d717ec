//! A call that is made and judged here: what it returns and what it raises say how it ended.

use pyo3::exceptions::PyTypeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyTuple, PyType};

use crate::awaiting::Awaiting;
use crate::breaker::PyBreaker;
use crate::ffi::{attached, call_host, call_object, has_await, inherits};
use crate::imports::Imports;
use crate::pending::PendingCall;
use crate::stream::PyStream;

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
    let mut pending = breaker.get().begin_call(py)?;
    pending.enter(py)?;
    let result = run();
    pending.leave(py);
    let result = match result {
        Ok(result) => result,
        Err(error) => return Err(failed(function, pending, error)),
    };
    match Returned::of(&result)? {
        Returned::Value => pending.returned(&result).map(|()| result),
        Returned::Awaitable | Returned::Future => followed(&call_object(breaker, pending)?, &result),
        Returned::Stream => guarded_stream(breaker, pending, &result),
    }
}

/// The call raised this, which is what the caller gets.
///
/// Not inlined, for an error is large: a success would be slower by a tenth.
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
    error.get_type(py).is(py.get_type::<PyTypeError>()) && error.traceback(py).is_none() && {
        let asked = Imports::get(py).and_then(|imports| {
            let arguments = PyTuple::new(py, [function])?;
            call_host(imports.is_python_function.bind(py), &arguments, None)
        });
        asked.is_ok_and(|answer| answer.is(PyBool::new(py, true)))
    }
}

/// What a function returned.
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
        if has_await(result) {
            return Ok(Self::Awaitable);
        }
        Ok(match EndsLater::of(result)? {
            None => Self::Value,
            Some(EndsLater::Future) => Self::Future,
            Some(EndsLater::Stream) => Self::of_stream(result)?,
        })
    }

    /// A generator may be a coroutine of the kind that was written with a decorator.
    #[cold]
    fn of_stream(result: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(if is_generator_based_coroutine(result)? { Self::Awaitable } else { Self::Stream })
    }
}

fn is_generator_based_coroutine(stream: &Bound<'_, PyAny>) -> PyResult<bool> {
    /// `inspect.CO_ITERABLE_COROUTINE`. (`inspect` itself does not work any more when the interpreter is nearly gone.)
    const ITERABLE_COROUTINE: u32 = 0x100;
    let py = stream.py();
    let names = &Imports::get(py)?.names;
    let Some(code) = stream.getattr_opt(&names.generator_code)? else { return Ok(false) };
    let flags: u32 = code.getattr(&names.code_flags)?.extract()?;
    Ok(flags & ITERABLE_COROUTINE != 0)
}

/// A value that ends the call that returned it when it ends itself.
pub enum EndsLater {
    /// A `concurrent.futures.Future`.
    Future,
    /// A generator or an async generator.
    Stream,
}

impl EndsLater {
    #[inline]
    pub fn of(result: &Bound<'_, PyAny>) -> PyResult<Option<Self>> {
        let py = result.py();
        let classes = Imports::get(py)?;
        // The classes of streams can have no subclasses.
        if is_exactly(result, &classes.generator) || is_exactly(result, &classes.async_generator) {
            return Ok(Some(Self::Stream));
        }
        Ok(inherits(result, classes.future.bind(py)).then_some(Self::Future))
    }
}

fn is_exactly(object: &Bound<'_, PyAny>, class: &Py<PyType>) -> bool {
    object.get_type_ptr() == class.bind(object.py()).as_type_ptr()
}

/// Whether `await` takes it.
#[pyfunction]
#[pyo3(signature = (result, /))]
pub fn is_awaitable(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(matches!(Returned::of(result)?, Returned::Awaitable))
}

/// What a call returned, which settles the call when its own outcome is known.
pub fn followed<'py>(call: &Bound<'py, PyAny>, result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = call.py();
    if is_exactly(result, &Imports::get(py)?.coroutine) {
        let awaiting = Awaiting::new(call.clone().unbind(), result.clone().unbind());
        return Ok(Bound::new(py, awaiting)?.into_any());
    }
    call_host(Imports::get(py)?.followed.bind(py), &PyTuple::new(py, [call, result])?, None)
}

/// The stream that a call returned, which settles the call when it ends.
pub fn guarded_stream<'py>(
    breaker: &Bound<'py, PyBreaker>,
    pending: PendingCall<'_>,
    generator: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = breaker.py();
    let stream = PyStream::new(breaker, generator, pending);
    // Nobody has asked for an item yet.
    stream.pause(py);
    call_host(Imports::get(py)?.guarded_stream.bind(py), &(stream, generator).into_pyobject(py)?, None)
}
