//! A guarded generator or async generator: the call that made it ends when it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use halfopen::Outcome;
use halfopen::clock::{Clock, Tick};
use pyo3::exceptions::{PyBaseException, PyRuntimeError, PyStopAsyncIteration, PyStopIteration, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::iterator::PySendResult;
use pyo3::types::{PyTuple, PyType};

use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;
use crate::ffi::{call_host, call_host_method, call_host_plainly, send_host};
use crate::imports::Imports;
use crate::nesting::Probe;
use crate::pending::PendingCall;

/// `Stream`: a generator and the call that made it.
///
/// Around a generator it is what `yield from` takes. Around an async generator, the function that awaits its items says
/// here when it asks for one and when it hands one over. The call's duration is the generator's time alone: what the
/// consumer takes between two items is left out.
#[pyclass(frozen, name = "Stream", module = "halfopen._core")]
pub struct PyStream {
    breaker: Py<PyBreaker>,
    generator: Py<PyAny>,
    is_probe: bool,
    call: Mutex<Call>,
}

struct Call {
    /// Taken by whoever settles the call.
    admitted: Option<AdmittedCall>,
    /// Since when the consumer has had the last item, where calls are timed.
    paused_at: Option<Tick>,
    /// Whether an item that counts as content has been received.
    has_content: bool,
    /// Whether the last item that the protocol requires has been received.
    has_ended: bool,
    /// The consumer's error, which was thrown into the generator.
    thrown: Option<Py<PyAny>>,
}

impl PyStream {
    /// A stream whose call has begun.
    pub fn new(breaker: &Bound<'_, PyBreaker>, generator: &Bound<'_, PyAny>, pending: PendingCall<'_>) -> Self {
        let admitted = pending.release();
        let is_probe = admitted.as_ref().is_some_and(|admitted| admitted.probe().is_some());
        let call = Mutex::new(Call { admitted, paused_at: None, has_content: false, has_ended: false, thrown: None });
        Self { breaker: breaker.clone().unbind(), generator: generator.clone().unbind(), is_probe, call }
    }

    fn call(&self) -> MutexGuard<'_, Call> {
        self.call.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn probe(&self) -> Option<Arc<Probe>> {
        if !self.is_probe {
            return None;
        }
        self.call().admitted.as_ref().and_then(AdmittedCall::probe).cloned()
    }

    fn take(&self, py: Python<'_>) -> Option<PendingCall<'_>> {
        let admitted = self.call().admitted.take()?;
        let pending = PendingCall::new(self.breaker.get(), admitted);
        pending.leave(py);
        Some(pending)
    }

    fn settle(&self, py: Python<'_>, outcome: Outcome) {
        if let Some(mut pending) = self.take(py) {
            pending.settle(outcome);
        }
    }

    fn now(&self) -> Option<Tick> {
        let breaker = self.breaker.get();
        breaker.times_calls().then(|| breaker.clock().now())
    }

    /// The answer to the consumer, after the generator has made a step.
    fn answer<'py>(&self, py: Python<'py>, step: PyResult<PySendResult<'py>>) -> PyResult<Bound<'py, PyAny>> {
        match step {
            Ok(PySendResult::Next(item)) => {
                self.pause(&item)?;
                Ok(item)
            }
            Ok(PySendResult::Return(result)) => {
                self.returned(py);
                Err(PyStopIteration::new_err((result.unbind(),)))
            }
            Err(error) => self.raised(error.value(py)).and(Err(error)),
        }
    }
}

#[pymethods]
impl PyStream {
    /// The generator that is guarded.
    #[getter]
    fn generator(&self, py: Python<'_>) -> Py<PyAny> {
        self.generator.clone_ref(py)
    }

    /// The consumer asks for the next item.
    fn resume(&self, py: Python<'_>) -> PyResult<()> {
        let paused_at = self.call().paused_at.take();
        if paused_at.is_some() {
            let now = self.breaker.get().clock().now();
            if let Some(admitted) = &mut self.call().admitted {
                admitted.exclude_since(paused_at, now);
            }
        }
        self.probe().map_or(Ok(()), |probe| probe.enter(py))
    }

    /// The consumer does something else from now on, until it asks for an item.
    pub fn rest(&self, py: Python<'_>) {
        if let Some(probe) = self.probe() {
            probe.leave(py);
        }
        // The clock may be the host's, so it is read without the lock.
        let now = self.now();
        self.call().paused_at = now;
    }

    /// The consumer has received an item; returns whether one that counts as content has been received.
    #[pyo3(signature = (item, /))]
    fn pause(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.rest(item.py());
        let items = &self.breaker.get().stream_items;
        let has_content = self.call().has_content;
        if !has_content && items.is_content(item)? {
            let mut call = self.call();
            call.has_content = true;
            let waited = call.paused_at.and_then(|now| call.admitted.as_ref()?.ticket.lasted(now));
            drop(call);
            if let Some(waited) = waited {
                items.record_first_item(waited);
            }
        }
        if items.is_end(item)? {
            self.call().has_ended = true;
            self.settle(item.py(), Outcome::Success);
        }
        Ok(self.call().has_content)
    }

    /// The consumer does not want any more items.
    fn cancelled(&self, py: Python<'_>) {
        self.settle(py, Outcome::Cancelled);
    }

    /// The breaker of the call.
    #[getter]
    fn breaker(&self, py: Python<'_>) -> Py<PyBreaker> {
        self.breaker.clone_ref(py)
    }

    /// The consumer throws this into the generator.
    #[pyo3(signature = (error, /))]
    fn thrown(&self, error: &Bound<'_, PyAny>) {
        let before = self.call().thrown.replace(error.clone().unbind());
        drop(before);
    }

    /// The generator has ended.
    fn returned(&self, py: Python<'_>) {
        let is_complete = self.call().has_ended || !self.breaker.get().stream_items.needs_end();
        self.settle(py, if is_complete { Outcome::Success } else { Outcome::FAILURE });
    }

    /// The generator raised this. What its consumer threw in, and came back as it was, is nobody's failure.
    #[pyo3(signature = (error, /))]
    fn raised(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let thrown = self.call().thrown.take();
        match self.take(error.py()) {
            Some(mut pending) if thrown.is_some_and(|thrown| is_same(error, thrown.bind(error.py()))) => {
                pending.settle(Outcome::Cancelled);
                Ok(())
            }
            Some(pending) => pending.raised(error),
            None => Ok(()),
        }
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.send(py.None().bind(py))
    }

    /// Sends a value into the generator.
    #[pyo3(signature = (value, /))]
    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.resume(value.py())?;
        let step = send_host(self.generator.bind(value.py()), value);
        self.answer(value.py(), step)
    }

    /// Throws the consumer's error into the generator.
    #[pyo3(signature = (kind, error = None, trace = None, /))]
    fn throw<'py>(
        &self,
        kind: &Bound<'py, PyAny>,
        error: Option<&Bound<'py, PyAny>>,
        trace: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = kind.py();
        let error = instance_of(kind, error)?;
        if let Some(trace) = trace.filter(|trace| !trace.is_none()) {
            error.setattr(&Imports::get(py)?.names.traceback, trace)?;
        }
        self.thrown(&error);
        self.resume(py)?;
        let step = match call_host_method(self.generator.bind(py), &Imports::get(py)?.names.throw, (error,)) {
            Ok(item) => Ok(PySendResult::Next(item)),
            Err(end) if end.is_instance_of::<PyStopIteration>(py) => {
                end.value(py).getattr(&Imports::get(py)?.names.value).map(PySendResult::Return)
            }
            Err(error) => Err(error),
        };
        self.answer(py, step)
    }

    /// The consumer stops early.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.resume(py)?;
        match call_host_method(self.generator.bind(py), &Imports::get(py)?.names.close, ()) {
            Ok(_) => {
                self.settle(py, Outcome::Cancelled);
                Ok(())
            }
            Err(error) => self.raised(error.value(py)).and(Err(error)),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.breaker)?;
        visit.call(&self.generator)?;
        // Whoever holds the lock does so for an instant, and the collector will come again.
        let Ok(call) = self.call.try_lock() else { return Ok(()) };
        visit.call(&call.thrown)
    }
}

impl Drop for PyStream {
    fn drop(&mut self) {
        let call = self.call.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(admitted) = call.admitted.take() {
            self.breaker.get().abandon(admitted, call.paused_at);
        }
    }
}

/// The exception that `throw(kind, error)` throws.
fn instance_of<'py>(kind: &Bound<'py, PyAny>, error: Option<&Bound<'py, PyAny>>) -> PyResult<Bound<'py, PyAny>> {
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
    if error.is_instance_of::<PyBaseException>() {
        return Ok(error);
    }
    Err(PyTypeError::new_err("exceptions must be classes or instances deriving from BaseException"))
}

/// Whether what was thrown into a generator has come back. Python lets no `StopIteration` out of a generator: it wraps it.
fn is_same(error: &Bound<'_, PyAny>, thrown: &Bound<'_, PyAny>) -> bool {
    let stops = thrown.is_instance_of::<PyStopIteration>() || thrown.is_instance_of::<PyStopAsyncIteration>();
    error.is(thrown)
        || stops && error.is_instance_of::<PyRuntimeError>() && cause_of(error).is_some_and(|cause| cause.is(thrown))
}

fn cause_of<'py>(error: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let cause = PyErr::from_value(error.clone()).cause(error.py())?;
    Some(cause.into_value(error.py()).into_bound(error.py()).into_any())
}
