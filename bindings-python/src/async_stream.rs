//! A guarded async stream: its call, its timeouts, and whether it runs.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use pyo3::exceptions::{PyRuntimeError, PyStopAsyncIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::{Anext, attached, call_host_plainly, unless_replaced};
use crate::registration::Registration;
use crate::request::Request;
use crate::stream::PyStream;
use crate::watch::Watch;

/// The state that [`AsyncItems`](crate::async_items::AsyncItems) and the awaitables of its items share.
#[pyclass(frozen, module = "halfopen._core")]
pub struct AsyncStream {
    stream: Py<PyStream>,
    /// Whether the source is an async generator, and not just an async iterator.
    pub is_generator: bool,
    /// Asks the source for an item.
    pub anext: Anext,
    /// Makes the watch, if there are timeouts.
    start_watch: Option<Py<PyAny>>,
    watch: OnceLock<Watch>,
    phase: AtomicU8,
    /// Whether an item is awaited now.
    is_running: AtomicBool,
    pub registration: Registration,
}

/// The progress of a stream. Its call begins when the first item is asked for.
mod phase {
    pub const NEW: u8 = 0;
    pub const GOING: u8 = 1;
    pub const OVER: u8 = 2;
    pub const REJECTED: u8 = 3;
}

impl AsyncStream {
    pub fn new(py: Python<'_>, stream: Py<PyStream>, is_generator: bool, start_watch: Option<Py<PyAny>>) -> Self {
        Self {
            anext: Anext::of(stream.get().items(py)),
            stream,
            is_generator,
            start_watch,
            watch: OnceLock::new(),
            phase: AtomicU8::new(phase::NEW),
            is_running: AtomicBool::new(false),
            registration: Registration::default(),
        }
    }

    /// The async generator or the async iterator.
    pub fn source<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.stream.get().items(py)
    }

    /// Whether a step runs now.
    pub fn is_running(&self) -> bool {
        self.is_running.load(Ordering::Relaxed)
    }

    /// Whether this request is a step of the call. Some are not: those before its beginning and after its end.
    #[inline(always)]
    pub fn admits(&self, py: Python<'_>, request: &Request) -> PyResult<bool> {
        if self.is_running() {
            return Err(already_running(request));
        }
        if self.phase.load(Ordering::Relaxed) == phase::GOING { Ok(true) } else { self.admits_outside(py, request) }
    }

    #[cold]
    fn admits_outside(&self, py: Python<'_>, request: &Request) -> PyResult<bool> {
        let phase = self.phase.load(Ordering::Relaxed);
        let is_new = phase == phase::NEW;
        match request {
            Request::Next => {}
            // Python refuses to send a value into a generator that has not begun.
            Request::Send(value) if is_new && !value.is_none(py) => return Ok(false),
            Request::Send(_) => {}
            Request::Throw(_) | Request::Close => {
                self.phase.store(phase::OVER, Ordering::Relaxed);
                return Ok(self.stream.get().has_begun() && is_new);
            }
        }
        // A generator may ignore that it was closed, and go on. Its call is over.
        if self.is_generator && phase == phase::OVER {
            return Ok(false);
        }
        if !is_new {
            return Err(PyStopAsyncIteration::new_err(()));
        }
        // A stream that was rejected has ended.
        self.phase.store(phase::REJECTED, Ordering::Relaxed);
        attached(|_| {
            if let Some(start) = &self.start_watch {
                let watch = Watch::new(call_host_plainly(start.bind(py))?)?;
                let _ = self.watch.set(watch);
            }
            self.stream.get().begin(py)
        })?;
        self.phase.store(phase::GOING, Ordering::Relaxed);
        Ok(true)
    }

    /// A step of the call begins.
    #[inline(always)]
    pub fn asked(&self, py: Python<'_>, request: &Request) -> PyResult<()> {
        self.is_running.store(true, Ordering::Relaxed);
        let stream = self.stream.get();
        if let Request::Throw(error) = request {
            stream.thrown(error.bind(py));
        }
        let now = stream.resume(py)?;
        match self.watch(request) {
            Some(watch) => watch.asked(py, now),
            None => Ok(()),
        }
    }

    /// The step suspends the running task.
    #[inline(always)]
    pub fn suspended(&self, py: Python<'_>, request: &Request) -> PyResult<()> {
        match self.watch(request) {
            Some(watch) => watch.suspended(py),
            None => Ok(()),
        }
    }

    /// The step ended with this item, or with the end of a close.
    #[inline(always)]
    pub fn received(&self, item: &Bound<'_, PyAny>, request: &Request) -> PyResult<()> {
        if matches!(request, Request::Close) {
            return self.stopped(item.py());
        }
        let has_content = self.stream.get().pause(item)?;
        if let Some(watch) = self.watch.get() {
            watch.received(item.py(), has_content)?;
        }
        self.is_running.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// The step ended with this error. Returns the error for the consumer.
    #[cold]
    pub fn failed(&self, py: Python<'_>, error: PyErr, request: &Request) -> PyErr {
        self.phase.store(phase::OVER, Ordering::Relaxed);
        self.is_running.store(false, Ordering::Relaxed);
        let error = match self.watch(request) {
            None => error,
            Some(watch) => watch.failed(py, error),
        };
        let stream = self.stream.get();
        let settled = if error.is_instance_of::<PyStopAsyncIteration>(py) && !matches!(request, Request::Close) {
            stream.returned(py)
        } else {
            stream.raised(error.value(py))
        };
        unless_replaced(error, settled.and(self.close_watch(py)))
    }

    /// The consumer wants no more items, and the source has been closed if it is a generator.
    #[cold]
    pub fn stopped(&self, py: Python<'_>) -> PyResult<()> {
        self.phase.store(phase::OVER, Ordering::Relaxed);
        self.is_running.store(false, Ordering::Relaxed);
        self.stream.get().cancelled(py);
        self.close_watch(py)
    }

    /// The watch, if it has to know of this step: closing has no timeout.
    #[inline(always)]
    fn watch(&self, request: &Request) -> Option<&Watch> {
        self.watch.get().filter(|_| !matches!(request, Request::Close))
    }

    fn close_watch(&self, py: Python<'_>) -> PyResult<()> {
        self.watch.get().map_or(Ok(()), |watch| watch.close(py))
    }
}

#[pymethods]
impl AsyncStream {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream)?;
        visit.call(&self.start_watch)?;
        self.registration.traverse(&visit)?;
        self.watch.get().map_or(Ok(()), |watch| watch.traverse(&visit))
    }
}

impl Drop for AsyncStream {
    fn drop(&mut self) {
        if *self.phase.get_mut() == phase::GOING
            && let Some(watch) = self.watch.get()
        {
            watch.abandon();
        }
    }
}

#[cold]
fn already_running(request: &Request) -> PyErr {
    PyRuntimeError::new_err(format!("{}(): asynchronous generator is already running", request.name()))
}
