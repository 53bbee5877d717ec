//! A guarded generator or async generator: the call that made it ends when it does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use halfopen::Outcome;
use halfopen::clock::{Clock, Tick};
use halfopen::host;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;
use crate::ffi::{Step, call_host_method, is_shared, step_host, throw_host};
use crate::judging::Judging;
use crate::lock::Lock;
use crate::nesting::Probe;
use crate::object_slot::ObjectSlot;
use crate::pause::Pause;
use crate::pending::PendingCall;
use crate::permit::PyPermit;
use crate::thrown::{has_come_back, instance_of};

/// `Stream`: a generator and the call that made it.
///
/// Around a generator it is what `yield from` takes. Around an async generator, [`crate::async_stream`] says here when it
/// asks for an item and when it hands one over. The call's duration is the generator's time alone,
/// without the consumer's time between two items.
///
/// Only one step runs at a time, so what each item reads and writes needs no lock: two locks a step would take as long as
/// all else that guards it.
#[pyclass(frozen, name = "Stream", module = "halfopen._core")]
pub struct PyStream {
    /// The breaker of the call.
    #[pyo3(get)]
    breaker: Py<PyBreaker>,
    /// The generator that is guarded.
    #[pyo3(get)]
    generator: Py<PyAny>,
    has_begun: AtomicBool,
    is_probe: AtomicBool,
    /// Whether the breaker has functions that look at each item.
    looks_at_items: bool,
    /// Taken to settle the call.
    call: Lock<Option<AdmittedCall>>,
    pause: Pause,
    /// Whether an item that counts as content has been received.
    has_content: AtomicBool,
    /// Whether the last item that the protocol requires has been received.
    has_ended: AtomicBool,
    /// The consumer's error, which was thrown into the generator and may come back.
    thrown: Lock<Option<Py<PyAny>>>,
    /// Whether `thrown` holds one.
    has_thrown: AtomicBool,
    /// The response that an SDK's stream reads.
    response: ObjectSlot,
    /// The socket whose close code says how the stream ended, because its items end without an error.
    socket: ObjectSlot,
}

impl PyStream {
    /// A stream whose call has begun.
    pub fn new(breaker: &Bound<'_, PyBreaker>, generator: &Bound<'_, PyAny>, pending: PendingCall<'_>) -> Self {
        let stream = Self::not_begun(breaker, generator);
        stream.has_begun_with(pending);
        stream
    }

    /// A stream whose call has yet to begin.
    pub fn not_begun(breaker: &Bound<'_, PyBreaker>, generator: &Bound<'_, PyAny>) -> Self {
        Self {
            breaker: breaker.clone().unbind(),
            generator: generator.clone().unbind(),
            has_begun: AtomicBool::new(false),
            is_probe: AtomicBool::new(false),
            looks_at_items: !breaker.get().stream_items.is_empty(),
            call: Lock::new(None),
            pause: Pause::new(),
            has_content: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            thrown: Lock::new(None),
            has_thrown: AtomicBool::new(false),
            response: ObjectSlot::default(),
            socket: ObjectSlot::default(),
        }
    }

    /// Asks the breaker for permission to make the call, if it has not begun yet.
    pub fn begin(&self, py: Python<'_>) -> PyResult<()> {
        if !self.has_begun() {
            self.has_begun_with(PendingCall::begin(self.breaker.get(), py)?);
        }
        Ok(())
    }

    fn has_begun_with(&self, pending: PendingCall<'_>) {
        let admitted = pending.release();
        self.is_probe.store(admitted.as_ref().is_some_and(AdmittedCall::is_probe), Ordering::Relaxed);
        *self.call.lock() = admitted;
        self.has_begun.store(true, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// The generator that is guarded.
    pub fn items<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.generator.bind(py)
    }

    #[inline]
    fn probe(&self) -> Option<Arc<Probe>> {
        if !self.is_probe.load(Ordering::Relaxed) {
            return None;
        }
        self.call.lock().as_ref().and_then(AdmittedCall::probe).cloned()
    }

    fn take(&self, py: Python<'_>) -> Option<PendingCall<'_>> {
        let mut admitted = self.call.lock().take()?;
        self.pause.exclude_from(&mut admitted);
        let pending = PendingCall::new(self.breaker.get(), admitted);
        pending.leave(py);
        Some(pending)
    }

    fn settle(&self, py: Python<'_>, outcome: Outcome) {
        if let Some(mut pending) = self.take(py) {
            pending.settle(outcome);
        }
    }

    /// The first item that counts as content has come.
    #[cold]
    fn begin_content(&self, py: Python<'_>) {
        self.has_content.store(true, Ordering::Relaxed);
        let waited = self.pause.since().and_then(|now| {
            let mut call = self.call.lock();
            let call = call.as_mut()?;
            self.pause.exclude_from(call);
            call.ticket.lasted(now)
        });
        if let Some(waited) = waited {
            self.breaker.get().record_first_item(py, waited);
        }
    }

    /// The consumer asks for the next item. Returns the time, if it was read from the system's clock.
    #[inline]
    pub fn resume(&self, py: Python<'_>) -> PyResult<Option<Tick>> {
        let now = self.end_pause();
        if let Some(probe) = self.probe() {
            probe.enter(py)?;
        }
        Ok(now.filter(|_| self.breaker.get().clock().is_system()))
    }

    /// Ends the pause, so that the call's duration runs on. Returns the time, if there was a pause.
    #[inline]
    fn end_pause(&self) -> Option<Tick> {
        let breaker = self.breaker.get();
        let now = self.pause.end(breaker.clock())?;
        if host::tracks_calls(breaker.core())
            && let Some(call) = self.call.lock().as_mut()
        {
            host::resume(breaker.core(), &mut call.ticket, now);
        }
        Some(now)
    }

    /// The consumer throws this into the generator.
    pub fn thrown(&self, error: &Bound<'_, PyAny>) {
        let before = self.thrown.lock().replace(error.clone().unbind());
        self.has_thrown.store(true, Ordering::Relaxed);
        drop(before.map(|before| before.into_bound(error.py())));
    }

    /// The generator has handled the consumer's error. If nobody else has that any more, it cannot come back.
    #[cold]
    fn handled(&self, py: Python<'_>) {
        let mut thrown = self.thrown.lock();
        if thrown.as_ref().is_some_and(|error| is_shared(error.bind(py))) {
            return;
        }
        let error = thrown.take();
        drop(thrown);
        self.has_thrown.store(false, Ordering::Relaxed);
        drop(error.map(|error| error.into_bound(py)));
    }

    /// The consumer has received an item; returns whether one that counts as content has been received.
    #[inline]
    pub fn pause(&self, item: &Bound<'_, PyAny>) -> PyResult<bool> {
        self.rest(item.py());
        if self.has_thrown.load(Ordering::Relaxed) {
            self.handled(item.py());
        }
        if !Judging::is_plain_item(item) {
            self.look_for_error(item)?;
        }
        if self.looks_at_items {
            self.look_at(item)?;
        } else if !self.has_content.load(Ordering::Relaxed) {
            self.begin_content(item.py());
        }
        Ok(self.has_content.load(Ordering::Relaxed))
    }

    /// Ends the call if the provider reports an error in an item.
    #[cold]
    #[inline(never)]
    fn look_for_error(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(outcome) = Judging::event(self.breaker.bind(item.py()), item)? else { return Ok(()) };
        let Some(pending) = self.take(item.py()) else { return Ok(()) };
        match self.response.take(item.py()) {
            Some(response) => pending.ended_with_event(outcome, &[item, &response]),
            None => pending.ended_with_event(outcome, &[item]),
        }
    }

    /// Asks the breaker's functions about an item.
    #[cold]
    fn look_at(&self, item: &Bound<'_, PyAny>) -> PyResult<()> {
        let items = &self.breaker.get().stream_items;
        if !self.has_content.load(Ordering::Relaxed) && items.is_content(item)? {
            self.begin_content(item.py());
        }
        if items.is_end(item)? {
            self.has_ended.store(true, Ordering::Relaxed);
            self.settle(item.py(), Outcome::Success);
        }
        Ok(())
    }

    /// The generator has ended.
    pub fn returned(&self, py: Python<'_>) -> PyResult<()> {
        let closed = self.socket.take(py).map_or(Ok(None), |socket| Judging::closed(&socket))?;
        let is_complete = self.has_ended.load(Ordering::Relaxed) || !self.breaker.get().stream_items.needs_end();
        self.settle(py, closed.unwrap_or(if is_complete { Outcome::Success } else { Outcome::FAILURE }));
        Ok(())
    }

    /// The answer to the consumer, after the generator has made a step.
    fn answer<'py>(&self, py: Python<'py>, step: Step<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &step {
            Step::Next(item) => drop(self.pause(item)?),
            Step::Return(_) => self.returned(py)?,
            Step::Raise => {
                let error = PyErr::fetch(py);
                return self.raised(error.value(py)).and(Err(error));
            }
        }
        step.answer(py)
    }
}

#[pymethods]
impl PyStream {
    /// The context manager that yields the stream is entered from now on, which is part of the call.
    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.probe().map_or(Ok(()), |probe| probe.enter(py))
    }

    /// The consumer does something else from now on, until it asks for an item.
    #[inline]
    pub fn rest(&self, py: Python<'_>) {
        if let Some(probe) = self.probe() {
            probe.leave(py);
        }
        let breaker = self.breaker.get();
        self.pause.begin(breaker.times_calls().then(|| breaker.clock().now()));
        if host::tracks_calls(breaker.core())
            && let Some(call) = self.call.lock().as_mut()
        {
            host::pause(breaker.core(), &mut call.ticket);
        }
    }

    /// The context manager that the call returned is entered, and will yield these items: the same call goes on with them.
    /// `None` if the call has ended.
    #[pyo3(signature = (generator, /))]
    fn hand_on(&self, generator: &Bound<'_, PyAny>) -> Option<Self> {
        self.end_pause();
        let mut admitted = self.call.lock().take()?;
        self.pause.exclude_from(&mut admitted);
        let breaker = self.breaker.bind(generator.py());
        Some(Self::new(breaker, generator, PendingCall::new(breaker.get(), admitted)))
    }

    /// The context manager yielded a response: the same call goes on until the end of its body. `None` if it has ended.
    fn as_permit(&self, py: Python<'_>) -> Option<PyPermit> {
        let admitted = self.take(py)?.release()?;
        Some(PyPermit::new(self.breaker.clone_ref(py), admitted))
    }

    /// The stream reads this response. A guarded HTTP client inside it may have counted the failure of that.
    #[pyo3(signature = (response, /))]
    fn reads(&self, response: Bound<'_, PyAny>) {
        self.response.put(response);
    }

    /// The stream is this socket.
    #[pyo3(signature = (socket, /))]
    fn ends_with(&self, socket: Bound<'_, PyAny>) {
        self.socket.put(socket);
    }

    /// The consumer does not want any more items.
    pub fn cancelled(&self, py: Python<'_>) {
        self.settle(py, Outcome::Cancelled);
    }

    /// The call has ended with this instead of a stream.
    #[pyo3(signature = (result, /))]
    fn resulted_in(&self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        self.take(result.py()).map_or(Ok(()), |pending| pending.returned(result))
    }

    /// The generator raised this. An exception that the consumer threw in, and that came back as it was or in a group of
    /// nothing else, is not a failure.
    #[pyo3(signature = (error, /))]
    pub fn raised(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let thrown = self.thrown.lock().take().map(|thrown| thrown.into_bound(error.py()));
        let Some(mut pending) = self.take(error.py()) else { return Ok(()) };
        if thrown.map_or(Ok(false), |thrown| has_come_back(error, &thrown))? {
            pending.settle(Outcome::Cancelled);
            return Ok(());
        }
        pending.raised(error)
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
        self.answer(value.py(), step_host(self.generator.bind(value.py()), value))
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
        let error = instance_of(kind, error, trace)?;
        self.thrown(&error);
        self.resume(py)?;
        self.answer(py, throw_host(self.generator.bind(py), (error,)))
    }

    /// The consumer stops early.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.resume(py)?;
        match call_host_method(self.generator.bind(py), |names| &names.close, ()) {
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
        self.response.traverse(&visit)?;
        self.socket.traverse(&visit)?;
        self.thrown.traverse(|thrown| visit.call(thrown))
    }
}

impl Drop for PyStream {
    fn drop(&mut self) {
        if let Some(mut admitted) = self.call.get_mut().take() {
            self.pause.exclude_from(&mut admitted);
            self.breaker.get().abandon(admitted, self.pause.since());
        }
    }
}
