//! Awaits the items of a guarded async generator, one after the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use halfopen::clock::{Clock, SystemClock, Tick};
use pyo3::exceptions::{PyGeneratorExit, PyStopAsyncIteration, PyStopIteration};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use pyo3::types::iterator::PySendResult;

use crate::ffi::{anext_host, attached, call_host_method, send_host, throw_host};
use crate::imports::Imports;
use crate::stream::PyStream;

/// `NextItem`: each `await` asks the stream for its next item; it raises `StopAsyncIteration` at the end.
///
/// One object serves all items of a stream, because only one can be awaited at a time. [`crate::ffi`] adds the slots by
/// which `await` takes its steps.
#[pyclass(frozen, subclass, module = "halfopen._core")]
pub struct NextItem {
    stream: Py<PyStream>,
    watch: Option<Watch>,
    /// Whether there is a step.
    has_step: AtomicBool,
    step: Mutex<Option<Step>>,
}

/// The awaitable of an item.
enum Step {
    /// Made by the consumer, which sent or threw something in.
    Prepared(Py<PyAny>),
    Suspended(Py<PyAny>),
}

/// The timeouts of a stream: an object of `halfopen._stream_timeouts`.
struct Watch {
    object: Py<PyAny>,
    /// Whether it needs to know of a wait before the first step, and not only if the step suspends.
    is_eager: bool,
    /// Whether it knows of this wait.
    has_begun: AtomicBool,
    /// Whether an item that counts as content has come.
    has_content: AtomicBool,
    clock: SystemClock,
    /// When the stream was asked for the item, in nanoseconds of that clock.
    asked_at: AtomicU64,
}

impl Watch {
    fn new(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self {
            is_eager: object.getattr("is_eager")?.is_truthy()?,
            object: object.clone().unbind(),
            has_begun: AtomicBool::new(false),
            has_content: AtomicBool::new(false),
            clock: SystemClock::new(),
            asked_at: AtomicU64::new(0),
        })
    }

    /// How long the consumer has waited for the item, in seconds.
    fn waited(&self) -> f64 {
        self.clock.now().since(Tick::from_nanos(self.asked_at.load(Ordering::Relaxed))).as_secs_f64()
    }

    /// The stream is asked for an item.
    fn asked(&self, py: Python<'_>) -> PyResult<()> {
        if self.is_eager {
            return self.begin(py, 0.0);
        }
        self.asked_at.store(self.clock.now().as_nanos(), Ordering::Relaxed);
        Ok(())
    }

    /// The stream suspends the task that asked.
    fn suspended(&self, py: Python<'_>) -> PyResult<()> {
        if self.has_begun.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.begin(py, self.waited())
    }

    fn begin(&self, py: Python<'_>, waited: f64) -> PyResult<()> {
        self.has_begun.store(true, Ordering::Relaxed);
        attached(|_| call_host_method(self.object.bind(py), &Imports::get(py)?.names.begin, (waited,)).map(drop))
    }

    /// An item came.
    #[inline]
    fn received(&self, py: Python<'_>, has_content: bool) -> PyResult<()> {
        if self.has_begun.load(Ordering::Relaxed) {
            self.end(py, has_content)
        } else if !self.has_content.load(Ordering::Relaxed) {
            self.passed(py, has_content)
        } else {
            Ok(())
        }
    }

    #[cold]
    fn end(&self, py: Python<'_>, has_content: bool) -> PyResult<()> {
        self.has_begun.store(false, Ordering::Relaxed);
        self.has_content.store(has_content, Ordering::Relaxed);
        attached(|_| call_host_method(self.object.bind(py), &Imports::get(py)?.names.end, (has_content,)).map(drop))
    }

    /// A wait that the watch does not know of is over.
    #[cold]
    fn passed(&self, py: Python<'_>, has_content: bool) -> PyResult<()> {
        self.has_content.store(has_content, Ordering::Relaxed);
        let arguments = (self.waited(), has_content);
        attached(|_| call_host_method(self.object.bind(py), &Imports::get(py)?.names.passed, arguments).map(drop))
    }

    /// The wait ended with this error, and the consumer gets the result.
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        if !self.has_begun.swap(false, Ordering::Relaxed) {
            return error;
        }
        attached(|_| {
            let told = Imports::get(py).and_then(|imports| {
                if error.is_instance_of::<PyStopAsyncIteration>(py) {
                    call_host_method(self.object.bind(py), &imports.names.end, (true,))
                } else {
                    call_host_method(self.object.bind(py), &imports.names.fail, (error.value(py),))
                }
            });
            told.err().unwrap_or(error)
        })
    }
}

impl NextItem {
    /// Takes a step of the awaited item; the first one asks for it.
    pub fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<PySendResult<'py>> {
        let py = value.py();
        let step = match self.take_step(py) {
            Some((step, true)) => Ok(step),
            Some((step, false)) => self.asked(py).map(|()| step),
            None => self.asked(py).and_then(|()| anext_host(self.stream.get().items(py))),
        };
        match step {
            Ok(step) => self.stepped(&step, send_host(&step, value)),
            Err(error) => Err(self.failed(py, error)),
        }
    }

    fn thrown<'py>(
        &self,
        step: &Bound<'py, PyAny>,
        error: impl IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>, Error: Into<PyErr>>,
    ) -> PyResult<PySendResult<'py>> {
        self.stepped(step, throw_host(step, error))
    }

    fn asked(&self, py: Python<'_>) -> PyResult<()> {
        self.stream.get().resume(py)?;
        self.watch.as_ref().map_or(Ok(()), |watch| watch.asked(py))
    }

    /// The step, and whether it is suspended.
    #[inline]
    fn take_step<'py>(&self, py: Python<'py>) -> Option<(Bound<'py, PyAny>, bool)> {
        if !self.has_step.load(Ordering::Relaxed) {
            return None;
        }
        self.has_step.store(false, Ordering::Relaxed);
        self.step().take().map(|step| match step {
            Step::Prepared(step) => (step.into_bound(py), false),
            Step::Suspended(step) => (step.into_bound(py), true),
        })
    }

    fn set_step(&self, step: Step) {
        *self.step() = Some(step);
        self.has_step.store(true, Ordering::Relaxed);
    }

    fn step(&self) -> MutexGuard<'_, Option<Step>> {
        self.step.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stepped<'py>(
        &self,
        step: &Bound<'py, PyAny>,
        result: PyResult<PySendResult<'py>>,
    ) -> PyResult<PySendResult<'py>> {
        let py = step.py();
        match result {
            Ok(PySendResult::Return(item)) => match self.received(&item) {
                Ok(()) => Ok(PySendResult::Return(item)),
                Err(interrupt) => Err(self.failed(py, interrupt)),
            },
            Ok(PySendResult::Next(waits_for)) => {
                if let Some(Err(interrupt)) = self.watch.as_ref().map(|watch| watch.suspended(py)) {
                    return self.thrown(step, (interrupt.into_value(py),));
                }
                self.set_step(Step::Suspended(step.clone().unbind()));
                Ok(PySendResult::Next(waits_for))
            }
            Err(error) => Err(self.failed(py, error)),
        }
    }

    #[inline]
    fn received(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let has_content = self.stream.get().pause(item)?;
        self.watch.as_ref().map_or(Ok(()), |watch| watch.received(item.py(), has_content))
    }

    /// The error for the consumer if the wait for an item ended with this one.
    fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        match &self.watch {
            None => error,
            Some(watch) => watch.failed(py, error),
        }
    }
}

#[pymethods]
impl NextItem {
    #[new]
    #[pyo3(signature = (stream, watch, /))]
    fn new(stream: Py<PyStream>, watch: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let watch = watch.map(Watch::new).transpose()?;
        Ok(Self { stream, watch, has_step: AtomicBool::new(false), step: Mutex::new(None) })
    }

    /// The next `await` is of this awaitable, by which the consumer sends or throws something into the generator.
    #[pyo3(signature = (step, /))]
    fn prepare(&self, step: Py<PyAny>) {
        self.set_step(Step::Prepared(step));
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.send(py.None().bind(py))?)
    }

    #[pyo3(name = "send")]
    fn send_value<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        yielded(self.send(value)?)
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = error.py();
        match self.take_step(py) {
            Some((step, _)) => yielded(self.thrown(&step, error.clone())?),
            None => Err(PyErr::from_value(error.get_item(0)?)),
        }
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some((step, _)) = self.take_step(py) else { return Ok(()) };
        let closed = call_host_method(&step, &Imports::get(py)?.names.close, ());
        drop(self.failed(py, PyGeneratorExit::new_err(())));
        closed.map(drop)
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream)?;
        if let Some(watch) = &self.watch {
            visit.call(&watch.object)?;
        }
        // The lock is held for an instant only, and the next collection visits it.
        match self.step.try_lock().as_deref() {
            Ok(Some(Step::Prepared(step) | Step::Suspended(step))) => visit.call(step),
            _ => Ok(()),
        }
    }
}

/// As `send` of an iterator says what its step was.
fn yielded(step: PySendResult<'_>) -> PyResult<Bound<'_, PyAny>> {
    match step {
        PySendResult::Next(waits_for) => Ok(waits_for),
        PySendResult::Return(item) => Err(PyStopIteration::new_err((item.unbind(),))),
    }
}
