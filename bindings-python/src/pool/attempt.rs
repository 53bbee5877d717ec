//! `Attempt`: one attempt of a call at one provider, from its permit to its end.

use std::time::Duration;

use halfopen::Outcome;
use halfopen::classify::Scope;
use halfopen::clock::Tick;
use halfopen::pool::{CallKind, Order, Pick, Price, Role};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::PyPool;
use super::choice::{Passed, passed_over};
use crate::convert::{named, outcome_of, outcome_with_hint};
use crate::healthy_session::PyHealthySession;
use crate::lock::Lock;
use crate::permit::PyPermit;

/// An attempt of a call. It ends once; dropped before its end, it is cancelled.
#[pyclass(frozen, name = "Attempt", module = "halfopen._core")]
pub struct PyAttempt {
    pub pool: Py<PyPool>,
    pub pick: Pick,
    pub order: Order,
    pub begun: Tick,
    pub permit: PyPermit,
    pub kind: CallKind,
    pub price: Option<Price>,
    pub state: Lock<State>,
}

#[derive(Default)]
pub struct State {
    /// Whether the call is no longer in flight.
    has_left: bool,
    /// Whether its end was reported to the budget.
    is_settled: bool,
    /// The rest of a long call that was counted as a success before its end.
    session: Option<PyHealthySession>,
    first_item: Option<Duration>,
}

impl PyAttempt {
    /// The call is no longer in flight, and its end is reported to the budget; false if it was not in flight before.
    fn leave(&self, outcome: Outcome) -> bool {
        let (first, session) = {
            let mut state = self.state.lock();
            (!std::mem::replace(&mut state.has_left, true), state.session.take())
        };
        // Without the lock, because dropping a breaker may run Python.
        drop(session);
        if first {
            self.pool.get().pool.lock().leave(self.pick.index);
            self.settle(outcome);
        }
        first
    }

    fn settle(&self, outcome: Outcome) {
        if !std::mem::replace(&mut self.state.lock().is_settled, true) {
            self.pool.get().pool.lock().settle(self.price, outcome);
        }
    }

    /// Reports a success to the pool if it has just been reported to the breaker; returns how long the attempt has
    /// lasted.
    fn succeeded_now(&self, has_counted: bool) -> Duration {
        let (this, index) = (self.pool.get(), self.pick.index);
        let (now, lasted) = this.since(self.begun);
        if has_counted {
            let latency = self.state.lock().first_item.unwrap_or(lasted);
            // Its own success may have closed the circuit.
            let is_probe = self.pick.role == Role::Probe;
            let closed = if is_probe { this.breaker(index).get().core().closed_since() } else { None };
            let mut pool = this.pool.lock();
            pool.closed(index, closed);
            pool.succeeded(index, now, latency, self.kind);
        }
        lasted
    }
}

#[pymethods]
impl PyAttempt {
    /// The index of the provider.
    #[getter]
    fn index(&self) -> usize {
        self.pick.index
    }

    /// The id of the provider.
    #[getter]
    fn provider(&self, py: Python<'_>) -> Py<PyString> {
        self.pool.get().id(py, self.pick.index)
    }

    /// Why it was chosen.
    #[getter]
    fn role(&self) -> &'static str {
        self.pick.role.as_str()
    }

    /// Whether its success or failure decides about a half-open circuit.
    #[getter]
    fn is_probe(&self) -> bool {
        self.pick.role == Role::Probe
    }

    /// Whether calls of the same breaker that are made inside it share its permit.
    #[getter]
    fn shares_permit(&self) -> bool {
        self.permit.probe().is_some()
    }

    /// The provider's function runs from now on.
    fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.permit.enter(py)
    }

    /// The provider's function does not run any more, or waits for the consumer.
    fn leave_context(&self, py: Python<'_>) {
        self.permit.leave(py);
    }

    /// The providers passed over at the choice, each with the reason and the seconds until it may be back.
    #[getter]
    fn passed_over(&self) -> Vec<Passed> {
        passed_over(&self.order, self.begun)
    }

    /// Whether it is paid from the budget.
    #[getter]
    fn is_paid(&self) -> bool {
        self.price.is_some_and(|price| !price.is_free())
    }

    /// Whether it has ended.
    #[getter]
    fn has_ended(&self) -> bool {
        self.state.lock().has_left
    }

    /// The seconds since it began.
    #[getter]
    fn seconds(&self) -> f64 {
        self.pool.get().since(self.begun).1.as_secs_f64()
    }

    /// The seconds to the first content item, if one has come.
    #[getter]
    fn first_item_seconds(&self) -> Option<f64> {
        self.state.lock().first_item.map(|waited| waited.as_secs_f64())
    }

    /// Whether a result may be anything but a success, so that its breaker's judge should see it.
    #[pyo3(signature = (result, /))]
    fn looks_at(&self, result: &Bound<'_, PyAny>) -> bool {
        self.pool.get().breaker(self.pick.index).get().judging().looks_at(result)
    }

    /// The first content item of the stream has come; returns the seconds that it took.
    fn first_item(&self, py: Python<'_>) -> f64 {
        let waited = self.pool.get().since(self.begun).1;
        self.state.lock().first_item.get_or_insert(waited);
        self.pool.get().breaker(self.pick.index).get().record_first_item(py, waited);
        waited.as_secs_f64()
    }

    /// The consumer has an item. Until `resume` or the end, time does not count as the provider's.
    fn pause(&self) {
        self.permit.pause();
    }

    /// The consumer waits for the next item.
    fn resume(&self) {
        self.permit.resume();
    }

    /// The provider did what was asked; returns the seconds that it took, or `None` if the attempt had ended before.
    fn succeeded(&self) -> Option<f64> {
        if !self.leave(Outcome::Success) {
            return None;
        }
        Some(self.succeeded_now(self.permit.success()).as_secs_f64())
    }

    /// A call that lasts has shown that the provider is well, and goes on: it votes now and not at its end, because a probe
    /// would hold the circuit half-open for as long. Its later failure counts as a call of its own.
    fn healthy(&self, py: Python<'_>) {
        let Some(session) = self.permit.healthy(py) else { return };
        self.succeeded_now(true);
        self.settle(Outcome::Success);
        self.state.lock().session = Some(session);
    }

    /// The attempt ended with this error, or with a result that is one, and with the verdict on it: the outcome, the hint,
    /// the scope and its cooldown. Returns the seconds for which that scope cools down now.
    #[pyo3(signature = (error, outcome, retry_after = None, scope = None, cooldown = None, /))]
    fn ended(
        &self,
        error: &Bound<'_, PyAny>,
        outcome: &Bound<'_, PyAny>,
        retry_after: Option<&Bound<'_, PyAny>>,
        scope: Option<&Bound<'_, PyAny>>,
        cooldown: Option<f64>,
    ) -> PyResult<Option<f64>> {
        let py = error.py();
        let outcome = outcome_with_hint(py, outcome_of(outcome)?, retry_after)?;
        let scope = scope.map(|name| named("scope", name, Scope::ALL, Scope::as_str)).transpose()?;
        let session = self.state.lock().session.take();
        if !self.leave(outcome) {
            return Ok(None);
        }
        self.permit.ended_with(error, outcome)?;
        session.map_or(Ok(()), |session| session.ended_with(error, outcome))?;
        let this = self.pool.get();
        let (now, index) = (this.since(self.begun).0, self.pick.index);
        let mut pool = this.pool.lock();
        let until = match outcome {
            Outcome::Failure { retry_after } => {
                pool.failed(index, now);
                retry_after.and_then(|hint| pool.cool(index, Scope::Provider, Some(hint), now))
            }
            Outcome::Ignored => {
                let hint = cooldown.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                scope.and_then(|scope| pool.cool(index, scope, hint, now))
            }
            Outcome::Success | Outcome::Cancelled => None,
        };
        Ok(until.map(|until| until.since(now).as_secs_f64()))
    }

    /// The caller gave up.
    fn cancelled(&self) -> bool {
        self.leave(Outcome::Cancelled) && self.permit.cancel()
    }

    /// The attempt says nothing about the provider's health: another one was faster.
    fn ignored(&self) -> bool {
        if !self.leave(Outcome::Ignored) {
            return false;
        }
        if !self.price.is_some_and(|price| price.is_spare()) {
            let (now, lasted) = self.pool.get().since(self.begun);
            self.pool.get().pool.lock().outrun(self.pick.index, now, lasted, self.kind);
        }
        self.permit.ignore()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.pool)?;
        self.state.traverse(|state| state.session.as_ref().map_or(Ok(()), |session| session.__traverse__(visit)))?;
        self.permit.__traverse__(visit)
    }
}

impl Drop for PyAttempt {
    fn drop(&mut self) {
        // The permit, which is dropped as well, cancels itself.
        self.leave(Outcome::Cancelled);
    }
}
