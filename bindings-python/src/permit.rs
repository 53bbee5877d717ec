//! `Permit`.

use std::sync::Arc;

use halfopen::Outcome;
use halfopen::clock::{Clock, Tick};
use halfopen::host::Stamp;
use pyo3::exceptions::PyAttributeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;
use crate::context::Ready;
use crate::convert::{outcome_of, outcome_with_hint, value_of};
use crate::error::refused;
use crate::ffi::{attached, handled_error};
use crate::healthy_session::PyHealthySession;
use crate::lock::Lock;
use crate::nesting::Probe;
use crate::pending::PendingCall;

/// Permission to make one call. It is settled once; one that is dropped unsettled counts as cancelled.
///
/// Each method that settles returns whether it was the one that did.
#[pyclass(frozen, name = "Permit", module = "halfopen")]
pub struct PyPermit {
    /// The breaker that handed it out.
    // It stays alive, and so stays counted, as long as a call of it may end.
    #[pyo3(get)]
    breaker: Py<PyBreaker>,
    /// The number of the call.
    number: u64,
    unsettled: Lock<Unsettled>,
}

struct Unsettled {
    /// `None` if it has been settled.
    call: Option<AdmittedCall>,
    /// Since when the consumer has been busy with what the call has given so far, where calls are timed.
    paused_at: Option<Tick>,
}

impl PyPermit {
    pub fn new(breaker: Py<PyBreaker>, call: AdmittedCall) -> Self {
        Self { breaker, number: call.number, unsettled: Lock::new(Unsettled { call: Some(call), paused_at: None }) }
    }

    /// The permit that a host hands in as `inside`.
    pub fn of_argument<'a>(inside: &'a Bound<'_, PyAny>) -> PyResult<&'a Self> {
        let permit = inside.cast::<Self>().map(Bound::get);
        permit.map_err(|_| refused(inside.py(), "inside", &value_of(inside), "a Permit, or None"))
    }

    /// The stamp for a call of this breaker that is made inside this one; `None` where it has ended, or is another
    /// breaker's.
    pub fn stamp_for(&self, breaker: &Bound<'_, PyBreaker>) -> Option<Stamp> {
        self.unsettled.lock().call.as_ref().filter(|_| self.breaker.is(breaker)).map(|call| call.ticket.stamp())
    }

    /// Takes the call, to settle it. Settling may call the host's clock, so the lock is free again by then.
    fn take(&self) -> Option<AdmittedCall> {
        let mut unsettled = self.unsettled.lock();
        if unsettled.paused_at.is_some() {
            drop(unsettled);
            self.resume();
            unsettled = self.unsettled.lock();
        }
        unsettled.call.take()
    }

    /// The host says how the call ended. Calls around it may end with the error that is being handled now.
    fn settle_as(&self, outcome: Outcome) -> bool {
        let Some(call) = self.take() else { return false };
        self.breaker.get().settle(call, outcome);
        if outcome.is_failure() {
            attached(|py| handled_error(py).map(|error| self.breaker.get().note_failure(self.number, &error)));
        }
        true
    }

    /// The call as a probe; `None` if it is not one, or has ended.
    pub fn probe(&self) -> Option<Arc<Probe>> {
        self.unsettled.lock().call.as_ref().and_then(AdmittedCall::probe).cloned()
    }

    /// The block that the permit was handed out to has been left, with this error or `None`.
    pub fn left(&self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some(call) = self.take() else { return Ok(()) };
        let mut pending = PendingCall::new(self.breaker.get(), call);
        pending.leave(error.py());
        if error.is_none() {
            pending.settle(Outcome::Success);
            return Ok(());
        }
        pending.raised(error)
    }

    /// The call ended with this error, or with a result that is an error; `outcome` is the verdict on it. A call inside
    /// this one may have counted it.
    pub fn ended_with(&self, error: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
        self.take().map_or(Ok(()), |call| PendingCall::new(self.breaker.get(), call).ended_with(error, outcome))
    }
}

#[pymethods]
impl PyPermit {
    /// The call did what was asked.
    pub fn success(&self) -> bool {
        self.settle_as(Outcome::Success)
    }

    /// The call failed, and the provider is to blame; `retry_after` is how long it asked to be left alone, in seconds.
    #[pyo3(signature = (retry_after = None))]
    fn failure(&self, py: Python<'_>, retry_after: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
        Ok(self.settle_as(outcome_with_hint(py, Outcome::FAILURE, retry_after)?))
    }

    /// The call failed, and that says nothing about the provider.
    pub fn ignore(&self) -> bool {
        self.settle_as(Outcome::Ignored)
    }

    /// The call was given up before it ended.
    pub fn cancel(&self) -> bool {
        self.settle_as(Outcome::Cancelled)
    }

    /// The call ended with the outcome of that name.
    #[pyo3(signature = (outcome, retry_after = None))]
    fn settle(
        &self,
        py: Python<'_>,
        outcome: &Bound<'_, PyAny>,
        retry_after: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<bool> {
        Ok(self.settle_as(outcome_with_hint(py, outcome_of(outcome)?, retry_after)?))
    }

    /// Notes an object by which outer calls recognise its failure: the request or the response of a client.
    #[pyo3(signature = (object, /))]
    fn _note(&self, object: &Bound<'_, PyAny>) {
        self.breaker.get().note_failure(self.number, object);
    }

    /// Whether a call inside this one has counted the failure that this object identifies.
    #[pyo3(signature = (object, /))]
    fn _has_counted(&self, object: &Bound<'_, PyAny>) -> bool {
        self.breaker.get().counted.contains(self.number, object)
    }

    /// The block that the permit was handed out to is entered, or the request of a client is made from now on.
    #[pyo3(name = "_enter")]
    pub fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.probe().map_or(Ok(()), |probe| probe.enter(py))
    }

    /// The request of a client has its response, or its error.
    #[pyo3(name = "_leave")]
    pub fn leave(&self, py: Python<'_>) {
        if let Some(probe) = self.probe() {
            probe.leave(py);
        }
    }

    /// Settles the call of a session as a success, while the session goes on; `None` if it was settled before.
    #[pyo3(name = "_healthy")]
    pub fn healthy(&self, py: Python<'_>) -> Option<PyHealthySession> {
        self.take().map(|call| PyHealthySession::begin(&self.breaker, py, call))
    }

    /// The call has given its consumer an item. Until `resume`, time is the consumer's and not the call's.
    pub fn pause(&self) {
        // The clock may be the host's, so it is read without the lock.
        let now = self.breaker.get().times_calls().then(|| self.breaker.get().clock().now());
        let mut unsettled = self.unsettled.lock();
        unsettled.paused_at = unsettled.paused_at.or(now);
        if let Some(call) = &mut unsettled.call {
            call.pause(self.breaker.get().core());
        }
    }

    /// The consumer waits for the next item.
    pub fn resume(&self) {
        let Some(paused_at) = self.unsettled.lock().paused_at.take() else { return };
        let breaker = self.breaker.get();
        let now = breaker.clock().now();
        if let Some(call) = &mut self.unsettled.lock().call {
            call.resume(breaker.core(), Some(paused_at), now);
        }
    }

    /// A block is entered. It is the call: an exception that leaves it is how the call ended.
    pub fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let py = slf.py();
        if slf.get().settled() {
            let allowed = "a permit that has not been settled";
            return Err(refused(py, "permit", &"settled".into(), allowed));
        }
        slf.get().enter(py)?;
        Ok(slf)
    }

    fn __exit__(&self, _kind: &Bound<'_, PyAny>, error: &Bound<'_, PyAny>, _trace: &Bound<'_, PyAny>) -> PyResult<()> {
        self.left(error)
    }

    fn __aenter__(slf: Py<Self>) -> Ready {
        Ready::entering(slf.into_any(), |permit| {
            Self::__enter__(permit.cast::<Self>()?.clone()).map(|entered| entered.unbind().into_any())
        })
    }

    fn __aexit__(
        &self,
        _kind: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        _trace: &Bound<'_, PyAny>,
    ) -> PyResult<Ready> {
        self.left(error).map(|()| Ready::left())
    }

    /// Whether it has been settled.
    #[getter]
    pub fn settled(&self) -> bool {
        self.unsettled.lock().call.is_none()
    }

    fn __setattr__(&self, name: &str, _value: &Bound<'_, PyAny>) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!(
            "a permit's '{name}' cannot be set; success(), failure(), ignore(), cancel() or settle() settles it"
        )))
    }

    fn __delattr__(&self, name: &str) -> PyResult<()> {
        Err(PyAttributeError::new_err(format!("a permit's '{name}' cannot be deleted")))
    }

    pub fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.breaker)
    }
}

impl Drop for PyPermit {
    fn drop(&mut self) {
        let Unsettled { call, paused_at } = self.unsettled.get_mut();
        if let Some(call) = call.take() {
            self.breaker.get().abandon(call, *paused_at);
        }
    }
}
