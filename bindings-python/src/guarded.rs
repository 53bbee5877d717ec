//! A call that is made and judged here: what it returns and what it raises say how it ended.

use halfopen::{Ending, Outcome, Ticket};
use pyo3::exceptions::PyException;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::breaker::PyBreaker;
use crate::convert::outcome_of;
use crate::raw::{call_object, has_await, while_handling};
use crate::stream::PyStream;

const GUARD: &str = "halfopen.guard";

/// The leave to make one call, on Rust's own stack. Dropped unsettled, it is cancelled.
pub struct Held<'b> {
    breaker: &'b PyBreaker,
    ticket: Option<Ticket>,
}

impl<'b> Held<'b> {
    pub fn new(breaker: &'b PyBreaker, ticket: Ticket) -> Self {
        Self { breaker, ticket: Some(ticket) }
    }

    pub fn settle(mut self, ending: impl Into<Ending>) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.settle(ticket, ending.into());
        }
    }

    pub fn raised(self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let outcome = self.breaker.outcome_of(error)?;
        self.settle(outcome);
        Ok(())
    }

    /// Leaves it to whoever takes the ticket to settle the call.
    pub fn release(mut self) -> Option<Ticket> {
        self.ticket.take()
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.breaker.abandon(ticket, None);
        }
    }
}

/// `GuardedFunction`: a function with the breaker that guards it; [`crate::raw`] adds what calls it.
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
    run: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = breaker.py();
    let held = breaker.get().hold(py)?;
    let result = match run() {
        Ok(result) => result,
        // Attached once more, so that PyO3 knows of it and lets go at once of what it holds.
        Err(error) => return Python::attach(|py| held.raised(error.value(py)).and(Err(error))),
    };
    match Returned::of(&result)? {
        Returned::Value => {
            held.settle(Outcome::Success);
            Ok(result)
        }
        Returned::Awaitable => guarded_awaitable(&call_object(breaker, held)?, &result),
        Returned::Stream => guarded_stream(breaker, held, &result),
    }
}

impl PyBreaker {
    /// What an exception says about the provider.
    ///
    /// `asyncio.CancelledError`, `KeyboardInterrupt`, `SystemExit` and `GeneratorExit` are no `Exception`: they tell
    /// that the caller gave up, not that the provider failed.
    pub fn outcome_of(&self, error: &Bound<'_, PyAny>) -> PyResult<Outcome> {
        static CLASSIFIED: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        if !error.is_instance_of::<PyException>() {
            return Ok(Outcome::Cancelled);
        }
        let Some(classify) = self.classifier() else { return Ok(Outcome::Failure) };
        let py = error.py();
        let classified = CLASSIFIED.import(py, GUARD, "classified")?;
        outcome_of(py, &while_handling(error, || classified.call1((classify, error)))?)
    }
}

/// What a function returned.
enum Returned {
    Value,
    Awaitable,
    Stream,
}

impl Returned {
    fn of(result: &Bound<'_, PyAny>) -> PyResult<Self> {
        if has_await(result) {
            return Ok(Self::Awaitable);
        }
        if !is_stream(result)? {
            return Ok(Self::Value);
        }
        // A generator may be a coroutine of the kind that was written with a decorator.
        static IS_AWAITABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let is_awaitable = IS_AWAITABLE.import(result.py(), "inspect", "isawaitable")?;
        Ok(if is_awaitable.call1((result,))?.extract()? { Self::Awaitable } else { Self::Stream })
    }
}

/// Whether it is a generator or an async generator: the call that returned it ends when it does.
pub fn is_stream(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    // Neither class can have subclasses.
    static CLASSES: PyOnceLock<[Py<PyType>; 2]> = PyOnceLock::new();
    let py = result.py();
    let classes = CLASSES.get_or_try_init(py, || {
        let types = py.import("types")?;
        let class = |name| Ok::<_, PyErr>(types.getattr(name)?.cast_into()?.unbind());
        Ok::<_, PyErr>([class("GeneratorType")?, class("AsyncGeneratorType")?])
    })?;
    Ok(classes.iter().any(|class| result.get_type_ptr() == class.bind(py).as_type_ptr()))
}

/// Whether `await` takes it.
#[pyfunction]
#[pyo3(signature = (result, /))]
pub fn is_awaitable(result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(matches!(Returned::of(result)?, Returned::Awaitable))
}

/// The awaitable that a call returned, which settles the call when it has been awaited.
fn guarded_awaitable<'py>(call: &Bound<'py, PyAny>, awaitable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    FUNCTION.import(call.py(), GUARD, "guarded_awaitable")?.call1((call, awaitable))
}

/// The stream that a call returned, which settles the call when it ends.
pub fn guarded_stream<'py>(
    breaker: &Bound<'py, PyBreaker>,
    held: Held<'_>,
    generator: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    static FUNCTION: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let py = breaker.py();
    let stream = PyStream::new(breaker, generator, held);
    // Nobody has asked for an item yet.
    stream.pause();
    FUNCTION.import(py, GUARD, "guarded_stream")?.call1((stream, generator))
}
