//! The pool of the core: choosing among live breakers, the attempts of calls, and logs.

mod attempt;
mod begin;
mod checks;
mod choice;
mod need;
mod replay;

use std::time::Duration;

use halfopen::clock::{Clock, Tick};
use halfopen::host;
use halfopen::pool::{
    CallKind, Circuit, MoveAfter, Need, Order, PassReason, Pick, Pool, Price, Provider, Readiness, Role,
};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyString;

pub use attempt::PyAttempt;
pub use checks::{check_policy, check_provider};
pub use choice::PyOrder;
pub use need::PyNeed;
use need::{Asked, kind_of};
pub use replay::replay_pool;

use crate::breaker::PyBreaker;
use crate::clock::PyClock;
use crate::convert::{Boolean, Items, named, value_of};
use crate::error::{refused, to_python};
use crate::lock::Lock;
use crate::nesting::Probe;

/// Providers behind breakers: chooses among them and keeps their records, cooldowns, calls in flight and the budget.
///
/// Its lock is held for steps of Rust alone: clocks are read and permits taken without it.
#[pyclass(frozen, weakref, name = "Pool", module = "halfopen._core")]
pub struct PyPool {
    pool: Lock<Pool>,
    breakers: Vec<Py<PyBreaker>>,
    ids: Vec<Py<PyString>>,
    clock: PyClock,
}

impl PyPool {
    fn circuits(&self, py: Python<'_>, now: Tick) -> Vec<Circuit> {
        self.breakers.iter().map(|breaker| circuit_of(py, breaker.get(), now)).collect()
    }

    fn id(&self, py: Python<'_>, index: usize) -> Py<PyString> {
        self.ids[index].clone_ref(py)
    }

    fn breaker(&self, index: usize) -> &Py<PyBreaker> {
        &self.breakers[index]
    }

    fn check_index(&self, py: Python<'_>, index: usize) -> PyResult<()> {
        if index < self.breakers.len() {
            return Ok(());
        }
        Err(refused(py, "index", &(index as u64).into(), "the index of a provider"))
    }
}

#[pymethods]
impl PyPool {
    /// `document` describes policy and providers as docs/pool.md does; the breakers stand in the same order.
    #[new]
    #[pyo3(signature = (document, breakers, clock = None, /))]
    fn new(document: &Bound<'_, PyAny>, breakers: Items<Py<PyBreaker>>, clock: Option<Py<PyAny>>) -> PyResult<Self> {
        let breakers = breakers.0;
        let py = document.py();
        let pool = Pool::from_value(&value_of(document), host::random_jitter().seed);
        let pool = pool.map_err(|error| to_python(py, &error))?;
        let ids = pool.providers().iter().map(|provider| PyString::new(py, &provider.id).unbind()).collect();
        for breaker in &breakers {
            breaker.get().ready(py)?;
            if !breaker.get().clock().is(py, clock.as_ref()) {
                let allowed = "breakers with the clock of the pool, so that their times can be compared";
                return Err(refused(py, "breaker", &value_of(breaker.bind(py)), allowed));
            }
        }
        if breakers.len() != pool.providers().len() {
            let count = (breakers.len() as u64).into();
            return Err(refused(py, "breakers", &count, "one for each provider"));
        }
        Ok(Self { pool: Lock::new(pool), breakers, ids, clock: PyClock::new(py, clock)? })
    }

    /// The order that a call would get now; nothing changes.
    #[pyo3(signature = (asked, /))]
    fn look<'py>(&self, py: Python<'py>, asked: Asked<'py>) -> PyOrder {
        self.ordered(py, &asked, |pool, circuits, need, now| pool.look(circuits, need, now))
    }

    /// As `look`, but a choice: it takes a turn in the strategy.
    #[pyo3(signature = (asked, /))]
    fn choose<'py>(&self, py: Python<'py>, asked: Asked<'py>) -> PyOrder {
        self.ordered(py, &asked, Pool::choose)
    }

    /// Chooses, and begins an attempt at the first provider that admits it. If the call moves, `left` is the provider
    /// that it leaves, and `after` is the reason. Returns the order if no provider admits the attempt or the budget
    /// does not pay for the move.
    #[pyo3(signature = (asked, left, after, /))]
    fn begin<'py>(
        slf: &Bound<'py, Self>,
        asked: Asked<'py>,
        left: Option<usize>,
        after: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        left.map_or(Ok(()), |left| slf.get().check_index(slf.py(), left))?;
        let after = after.map_or(Ok(MoveAfter::Failure), move_after)?;
        Self::begin_paid(slf, &asked, |pool, circuits, now| {
            left.map_or(Some(None), |left| pool.price_of_move(left, circuits[left], after, now).map(Some))
        })
    }

    /// Begins an attempt beside one that is slow, at another provider; returns the order if there is none, or if the budget
    /// does not pay. A probe comes last, because the call is waiting.
    #[pyo3(signature = (asked, /))]
    fn begin_beside<'py>(slf: &Bound<'py, Self>, mut asked: Asked<'py>) -> PyResult<Bound<'py, PyAny>> {
        asked.replayable = false;
        Self::begin_paid(slf, &asked, |pool, _, _| pool.hold().map(Some))
    }

    /// How many seconds an attempt at this provider may take before its call gets a second one; `None` for as long as it
    /// takes.
    #[pyo3(signature = (index, is_stream, /))]
    fn hedge_after(&self, py: Python<'_>, index: usize, is_stream: Boolean) -> PyResult<Option<f64>> {
        self.check_index(py, index)?;
        let now = self.clock.now();
        Ok(self.pool.lock().hedge_after(index, kind_of(is_stream), now).map(|delay| delay.as_secs_f64()))
    }

    /// Begins an attempt at this provider alone, if its circuit is closed and nothing else keeps calls away; `None` if it
    /// cannot take it, or if the budget does not pay for it. With `as_probe` the circuit must offer a probe, and nothing
    /// is paid.
    #[pyo3(signature = (index, is_stream, as_probe, /))]
    fn begin_at<'py>(
        slf: &Bound<'py, Self>,
        index: usize,
        is_stream: Boolean,
        as_probe: Boolean,
    ) -> PyResult<Option<Bound<'py, PyAttempt>>> {
        let (py, this) = (slf.py(), slf.get());
        this.check_index(py, index)?;
        let now = this.clock.now();
        let circuit = this.breaker(index).get().core().circuit_at(now);
        let (wanted, role) =
            if as_probe.0 { (Readiness::Probe, Role::Probe) } else { (Readiness::Closed, Role::Normal) };
        let price = {
            let mut pool = this.pool.lock();
            let takes_it = circuit.readiness == wanted && pool.cooling_until(index, now).is_none();
            if as_probe.0 { takes_it.then_some(Price::FREE) } else { takes_it.then(|| pool.hold()).flatten() }
        };
        let Some(price) = price else { return Ok(None) };
        let order = Order { picks: vec![Pick { index, role }], ..Default::default() };
        let begun = Self::begin_first(slf, order, Some(price), kind_of(is_stream), now)?;
        // Otherwise it is the order, in which the provider is passed over.
        Ok(begun.cast_into::<PyAttempt>().ok())
    }

    /// Adds a call that was made without an attempt to a provider's record; `latency` is the length of a success in seconds,
    /// if it is known.
    #[pyo3(signature = (index, succeeded, latency, /))]
    fn note(&self, py: Python<'_>, index: usize, succeeded: Boolean, latency: Option<f64>) -> PyResult<()> {
        self.check_index(py, index)?;
        let latency = latency.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let now = self.clock.now();
        let mut pool = self.pool.lock();
        match (succeeded.0, latency) {
            (true, Some(latency)) => pool.succeeded(index, now, latency, CallKind::Unary),
            (true, None) => pool.untimed_success(index, now),
            (false, _) => pool.failed(index, now),
        }
        Ok(())
    }

    /// Declares a provider anew, from the next choice on.
    #[pyo3(signature = (index, document, /))]
    fn declare(&self, index: usize, document: &Bound<'_, PyAny>) -> PyResult<()> {
        self.check_index(document.py(), index)?;
        let provider = Provider::from_value(&value_of(document)).map_err(|error| to_python(document.py(), &error))?;
        self.pool.lock().declare(index, provider);
        Ok(())
    }

    /// The time of the clock, in seconds.
    fn now(&self) -> f64 {
        self.clock.now().as_seconds()
    }

    /// The tokens left in the budget; a debt is negative.
    #[getter]
    fn tokens(&self) -> i32 {
        self.pool.lock().budget().tokens()
    }

    /// A provider's calls in flight; its recent success rate, and its latency in seconds as a unary call and as a stream,
    /// each `None` if it is not known; the seconds for which it cools down, or `None`.
    #[pyo3(signature = (index, /))]
    fn record(&self, py: Python<'_>, index: usize) -> PyResult<Record> {
        self.check_index(py, index)?;
        let now = self.clock.now();
        let pool = self.pool.lock();
        let meter = pool.meter(index);
        let known = !meter.is_cold(now);
        Ok((
            pool.in_flight(index),
            meter.success_rate().filter(|_| known),
            meter.latency(CallKind::Unary).filter(|_| known),
            meter.latency(CallKind::Stream).filter(|_| known),
            pool.cooling_until(index, now).map(|until| until.since(now).as_secs_f64()),
        ))
    }

    /// The share of its weight that a provider gets in its slow start, from 0.1 to 1, and the seconds until it has the whole;
    /// `None` if there is no slow start now.
    #[pyo3(signature = (index, /))]
    fn slow_start(&self, py: Python<'_>, index: usize) -> PyResult<Option<(f64, f64)>> {
        self.check_index(py, index)?;
        let now = self.clock.now();
        let closed_since = self.breaker(index).get().core().circuit_at(now).closed_since;
        let slow_start = self.pool.lock().policy().slow_start_at(closed_since, now);
        Ok(slow_start.map(|it| (f64::from(it.share) / 1000.0, it.left.as_secs_f64())))
    }

    /// In the child of a fork: separates the inherited pool from that of the parent.
    fn after_fork(&self) {
        self.pool.lock().after_fork(host::random_jitter().seed);
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.clock.traverse(&visit)?;
        self.breakers.iter().try_for_each(|breaker| visit.call(breaker))
    }
}

/// The circuit of a breaker for a call in the running context: inside a probe of the breaker it would share the permit.
fn circuit_of(py: Python<'_>, breaker: &PyBreaker, now: Tick) -> Circuit {
    let circuit = breaker.core().circuit_at(now);
    let is_busy = |reason| PassReason::from(reason) == PassReason::ProbesBusy;
    match circuit.readiness {
        Readiness::Rejected { reason, .. } if is_busy(reason) && Probe::around(py, breaker.number).is_some() => {
            Circuit { readiness: Readiness::Probe, ..circuit }
        }
        _ => circuit,
    }
}

/// Calls in flight, success rate, two latencies and the rest of a cooldown.
type Record = (u32, Option<f64>, Option<f64>, Option<f64>, Option<f64>);

impl PyPool {
    /// The order of the providers now.
    fn ordered<'py>(
        &self,
        py: Python<'py>,
        asked: &Asked<'py>,
        choose: impl FnOnce(&mut Pool, &[Circuit], &Need<'_>, Tick) -> Order,
    ) -> PyOrder {
        let now = self.clock.now();
        let circuits = self.circuits(py, now);
        let mut pool = self.pool.lock();
        let order = asked.order(&mut pool, |pool, need| choose(pool, &circuits, need, now));
        PyOrder::new(&order, now, pool.policy())
    }

    fn since(&self, begun: Tick) -> (Tick, Duration) {
        let now = self.clock.now();
        (now, now.since(begun))
    }
}

fn move_after(name: &Bound<'_, PyAny>) -> PyResult<MoveAfter> {
    named("after", name, MoveAfter::ALL, |after| after.as_str())
}
