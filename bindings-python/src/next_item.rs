//! Awaits the next item of a guarded async stream.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use pyo3::exceptions::{PyGeneratorExit, PyRuntimeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::async_stream::AsyncStream;
use crate::ffi::{Step, call_host_method, step_host, throw_host};
use crate::object_slot::ObjectSlot;
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
            step: ObjectSlot::default(),
        }
    }

    /// It serves another item.
    #[inline]
    pub fn renew(&self, py: Python<'_>) {
        if self.state.load(Ordering::Relaxed) == state::SUSPENDED {
            drop(self.step.take(py));
        }
        self.state.store(state::FRESH, Ordering::Relaxed);
    }

    /// Takes a step; the first one asks the source.
    #[inline(always)]
    pub fn send<'py>(&self, value: &Bound<'py, PyAny>) -> Step<'py> {
        self.advance(value.py(), |step| step_host(step, value))
    }

    #[inline(always)]
    fn advance<'py>(&self, py: Python<'py>, take: impl FnOnce(&Bound<'py, PyAny>) -> Step<'py>) -> Step<'py> {
        let is_fresh = self.state.load(Ordering::Relaxed) == state::FRESH;
        self.state.store(state::DONE, Ordering::Relaxed);
        let step = if is_fresh {
            match self.begin(py) {
                Ok(Some(step)) => step,
                Ok(None) => return self.closed(py),
                Err(error) => return Step::raise(py, error),
            }
        } else {
            match self.step.take(py) {
                Some(step) => step,
                None => return Step::raise(py, self.reused()),
            }
        };
        match take(&step) {
            Step::Return(item) => self.received(item),
            Step::Next(waits_for) => self.suspended(step, waits_for),
            Step::Raise => self.raised(py),
        }
    }

    /// As [`Self::first_step`]; also tells the stream of the step if the step belongs to the call.
    #[inline(always)]
    fn begin<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stream = self.stream.get();
        let is_guarded = stream.admits(py, &self.request).map_err(|refusal| self.refused(py, refusal))?;
        self.is_guarded.store(is_guarded, Ordering::Relaxed);
        if is_guarded && let Err(error) = stream.asked(py, &self.request) {
            return Err(self.failed(py, error));
        }
        match self.first_step(py) {
            Err(error) => Err(self.failed(py, error)),
            step => step,
        }
    }

    /// The step may not begin. Up to Python 3.12.3, an item that was refused because another step runs can be awaited again.
    #[cold]
    fn refused(&self, py: Python<'_>, refusal: PyErr) -> PyErr {
        let asks_for_item = matches!(self.request, Request::Next | Request::Send(_));
        if asks_for_item && self.stream.get().is_running() && py.version_info() < (3, 12, 4) {
            self.state.store(state::FRESH, Ordering::Relaxed);
        }
        refusal
    }

    /// The source's awaitable; `None` if the source stays open, because it is not a generator and is only to be closed.
    ///
    /// Not made earlier: CPython 3.13 warns of one that is dropped before its first step.
    #[inline(always)]
    fn first_step<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stream = self.stream.get();
        let source = stream.source(py);
        if matches!(self.request, Request::Close) && !stream.is_generator {
            return Ok(None);
        }
        let step = if stream.registration.is_done() {
            self.ask(source)?
        } else {
            stream.registration.first_step(source, || self.ask(source))?
        };
        Ok(Some(step))
    }

    #[inline(always)]
    fn ask<'py>(&self, source: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match &self.request {
            Request::Next => self.stream.get().anext.call(source),
            Request::Send(value) => call_host_method(source, |names| &names.asend, (value,)),
            Request::Throw(error) => call_host_method(source, |names| &names.athrow, (error,)),
            Request::Close => call_host_method(source, |names| &names.aclose, ()),
        }
    }

    #[inline(always)]
    fn received<'py>(&self, item: Bound<'py, PyAny>) -> Step<'py> {
        if self.is_guarded.load(Ordering::Relaxed)
            && let Err(interrupt) = self.stream.get().received(&item, &self.request)
        {
            let py = item.py();
            return Step::raise(py, self.failed(py, interrupt));
        }
        Step::Return(item)
    }

    #[inline(always)]
    fn suspended<'py>(&self, step: Bound<'py, PyAny>, waits_for: Bound<'py, PyAny>) -> Step<'py> {
        if self.is_guarded.load(Ordering::Relaxed)
            && let Err(interrupt) = self.stream.get().suspended(step.py(), &self.request)
        {
            return self.interrupted(step, interrupt);
        }
        self.step.put(step);
        self.state.store(state::SUSPENDED, Ordering::Relaxed);
        Step::Next(waits_for)
    }

    /// The watch was interrupted before it knew of this wait. So the step does not wait: the interrupt is thrown into it.
    #[cold]
    fn interrupted<'py>(&self, step: Bound<'py, PyAny>, interrupt: PyErr) -> Step<'py> {
        let py = step.py();
        match throw_host(&step, (interrupt.into_value(py),)) {
            Step::Return(item) => self.received(item),
            Step::Next(waits_for) => self.suspended(step, waits_for),
            Step::Raise => self.raised(py),
        }
    }

    #[cold]
    fn raised<'py>(&self, py: Python<'py>) -> Step<'py> {
        Step::raise(py, self.failed(py, PyErr::fetch(py)))
    }

    /// The consumer closed a source that stays open.
    #[cold]
    fn closed<'py>(&self, py: Python<'py>) -> Step<'py> {
        match self.stream.get().stopped(py) {
            Ok(()) => Step::Return(py.None().into_bound(py)),
            Err(error) => Step::raise(py, error),
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
        self.send(py.None().bind(py)).answer(py)
    }

    #[pyo3(name = "send", signature = (value, /))]
    fn send_once<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.send(value).answer(value.py())
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = error.py();
        self.advance(py, |step| throw_host(step, error.clone())).answer(py)
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.state.store(state::DONE, Ordering::Relaxed);
        let Some(step) = self.step.take(py) else { return Ok(()) };
        let closed = call_host_method(&step, |names| &names.close, ());
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
