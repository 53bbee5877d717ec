//! Awaits the next item of a guarded async stream.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::types::iterator::PySendResult;

use crate::async_stream::AsyncStream;
use crate::ffi::{ObjectSlot, anext_host, call_host_method, send_host, throw_host};
use crate::imports::Imports;
use crate::request::Request;

/// `NextItem`: what `__anext__`, `asend`, `athrow` and `aclose` of a guarded async stream return.
///
/// [`crate::ffi`] adds the slots by which `await` takes its steps.
#[pyclass(frozen, subclass, module = "halfopen._core")]
pub struct NextItem {
    stream: Py<AsyncStream>,
    request: Request,
    state: AtomicU8,
    /// Whether its steps are steps of the call.
    is_guarded: AtomicBool,
    /// The awaitable of the source, while it is suspended.
    step: ObjectSlot,
}

/// As those of a generator's own awaitables.
mod state {
    pub const FRESH: u8 = 0;
    pub const SUSPENDED: u8 = 1;
    pub const DONE: u8 = 2;
}

impl NextItem {
    pub fn asking(stream: Py<AsyncStream>, request: Request) -> Self {
        Self {
            stream,
            request,
            state: AtomicU8::new(state::FRESH),
            is_guarded: AtomicBool::new(false),
            step: ObjectSlot::new(),
        }
    }

    /// It serves another item.
    #[inline]
    pub fn renew(&self, py: Python<'_>) {
        if self.state.swap(state::FRESH, Ordering::Relaxed) == state::SUSPENDED {
            drop(self.step.take(py));
        }
    }

    /// Takes a step; the first one asks the source.
    #[inline]
    pub fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<PySendResult<'py>> {
        self.advance(value.py(), |step| send_host(step, value))
    }

    #[inline(always)]
    fn advance<'py>(
        &self,
        py: Python<'py>,
        take: impl FnOnce(&Bound<'py, PyAny>) -> PyResult<PySendResult<'py>>,
    ) -> PyResult<PySendResult<'py>> {
        let stream = self.stream.get();
        let step = match self.state.load(Ordering::Relaxed) {
            state::FRESH => {
                self.state.store(state::DONE, Ordering::Relaxed);
                let is_guarded = stream.admits(py, &self.request)?;
                self.is_guarded.store(is_guarded, Ordering::Relaxed);
                let asked = if is_guarded { stream.asked(py, &self.request) } else { Ok(()) };
                match asked.and_then(|()| self.first_step(py)) {
                    Ok(Some(step)) => step,
                    Ok(None) => return stream.stopped(py).map(|()| PySendResult::Return(py.None().into_bound(py))),
                    Err(error) => return Err(self.failed(py, error)),
                }
            }
            state::SUSPENDED => {
                self.state.store(state::DONE, Ordering::Relaxed);
                match self.step.take(py) {
                    Some(step) => step,
                    None => return Err(self.reused()),
                }
            }
            _ => return Err(self.reused()),
        };
        let result = take(&step);
        self.stepped(&step, result)
    }

    /// The source's awaitable; `None` if the source stays open, because it is not a generator and is only to be closed.
    ///
    /// Not made earlier: CPython 3.13 warns of one that is dropped before its first step.
    #[inline]
    fn first_step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stream = self.stream.get();
        let source = stream.source(py);
        match &self.request {
            Request::Close if !stream.is_generator => return Ok(None),
            _ if stream.introduction.is_made() => self.ask(source),
            _ => stream.introduction.make(source, || self.ask(source)),
        }
        .map(Some)
    }

    #[inline]
    fn ask<'py>(&self, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = source.py();
        match &self.request {
            Request::Next => anext_host(source),
            Request::Send(value) => call_host_method(source, &Imports::get(py)?.names.asend, (value,)),
            Request::Throw(error) => call_host_method(source, &Imports::get(py)?.names.athrow, (error,)),
            Request::Close => call_host_method(source, &Imports::get(py)?.names.aclose, ()),
        }
    }

    #[inline]
    fn stepped<'py>(
        &self,
        step: &Bound<'py, PyAny>,
        result: PyResult<PySendResult<'py>>,
    ) -> PyResult<PySendResult<'py>> {
        let py = step.py();
        let is_guarded = self.is_guarded.load(Ordering::Relaxed);
        match result {
            Ok(PySendResult::Return(item)) => {
                if is_guarded && let Err(interrupt) = self.stream.get().received(&item, &self.request) {
                    return Err(self.failed(py, interrupt));
                }
                Ok(PySendResult::Return(item))
            }
            Ok(PySendResult::Next(waits_for)) => {
                if is_guarded && let Err(interrupt) = self.stream.get().suspended(py, &self.request) {
                    return self.stepped(step, throw_host(step, (interrupt.into_value(py),)));
                }
                self.step.put(step.clone());
                self.state.store(state::SUSPENDED, Ordering::Relaxed);
                Ok(PySendResult::Next(waits_for))
            }
            Err(error) => Err(self.failed(py, error)),
        }
    }

    /// The error for the consumer if the source ended the step with this one.
    #[cold]
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if self.is_guarded.load(Ordering::Relaxed) {
            return self.stream.get().failed(py, error, &self.request);
        }
        error
    }

    #[cold]
    fn reused(&self) -> PyErr {
        let what = match self.request {
            Request::Next | Request::Send(_) => "__anext__()/asend()",
            Request::Throw(_) | Request::Close => "aclose()/athrow()",
        };
        PyRuntimeError::new_err(format!("cannot reuse already awaited {what}"))
    }
}

#[pymethods]
impl NextItem {
    #[new]
    #[pyo3(signature = (stream, /))]
    fn new(stream: Py<AsyncStream>) -> Self {
        Self::asking(stream, Request::Next)
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.send(py.None().bind(py))?)
    }

    #[pyo3(name = "send", signature = (value, /))]
    fn send_once<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.send(value)?)
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.advance(error.py(), |step| throw_host(step, error.clone()))?)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.state.store(state::DONE, Ordering::Relaxed);
        let Some(step) = self.step.take(py) else { return Ok(()) };
        let closed = call_host_method(&step, &Imports::get(py)?.names.close, ());
        let ended_with =
            closed.as_ref().err().map_or_else(|| PyGeneratorExit::new_err(()), |error| error.clone_ref(py));
        drop(self.failed(py, ended_with));
        closed.map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream)?;
        match &self.request {
            Request::Next | Request::Close => {}
            Request::Send(value) => visit.call(value)?,
            Request::Throw(error) => visit.call(error)?,
        }
        self.step.traverse(&visit)
    }
}

/// As `send` of an iterator says what its step was.
fn yielded(step: PySendResult<'_>) -> PyResult<Bound<'_, PyAny>> {
    match step {
        PySendResult::Next(waits_for) => Ok(waits_for),
        PySendResult::Return(item) => Err(PyStopIteration::new_err((item.unbind(),))),
    }
}
