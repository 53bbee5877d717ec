//! Beginning attempts: the budget pays, and the first provider that admits the call gets it.

use halfopen::clock::{Clock, Tick};
use halfopen::pool::{CallKind, Circuit, Order, PassReason, Pool, Price, Readiness};
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use super::need::Asked;
use super::{PyAttempt, PyOrder, PyPool, choice};
use crate::breaker::PyBreaker;
use crate::lock::Lock;

impl PyPool {
    /// Chooses, and begins an attempt at the first provider that admits it, if the budget pays. `price_of` returns the
    /// price, or `None` if the budget does not pay; it is only charged if there is a provider to call. Returns the order
    /// if no attempt began.
    pub(super) fn begin_paid<'py>(
        slf: &Bound<'py, Self>,
        asked: &Asked<'_>,
        price_of: impl FnOnce(&mut Pool, &[Circuit], Tick) -> Option<Option<Price>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        let now = this.clock.now();
        let circuits = this.circuits(py, now);
        let (order, price) = {
            let mut pool = this.pool.lock();
            let order = asked.order(&mut pool, |pool, need| pool.choose(&circuits, need, now));
            let price = if order.picks.is_empty() { Some(None) } else { price_of(&mut pool, &circuits, now) };
            let Some(price) = price else {
                let unpaid = PyOrder { is_unpaid: true, ..PyOrder::new(&order, now, pool.policy()) };
                return Ok(Bound::new(py, unpaid)?.into_any());
            };
            (order, price)
        };
        Self::begin_first(slf, order, price, asked.kind, now)
    }

    /// Begins an attempt at the first provider of an order that admits it, with its price; returns the order if none does.
    pub(super) fn begin_first<'py>(
        slf: &Bound<'py, Self>,
        mut order: Order,
        price: Option<Price>,
        kind: CallKind,
        now: Tick,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, this) = (slf.py(), slf.get());
        while !order.picks.is_empty() {
            let pick = order.picks[0];
            if !this.pool.lock().enter(pick.index) {
                choice::pass_over(&mut order, PassReason::Full, None);
                continue;
            }
            match PyBreaker::acquire(this.breaker(pick.index).bind(py), None) {
                Ok(permit) => {
                    let (pool, state) = (slf.clone().unbind(), Lock::default());
                    let attempt = PyAttempt { pool, pick, order, begun: now, permit, kind, price, state };
                    return Ok(Bound::new(py, attempt)?.into_any());
                }
                Err(rejected) => {
                    this.pool.lock().leave(pick.index);
                    if !rejected.is_instance_of::<PyException>(py) {
                        price.into_iter().for_each(|price| this.pool.lock().release(price));
                        return Err(rejected);
                    }
                    // Another call took the last slot, or opened the circuit, since the choice.
                    let (reason, until) = this.rejection(pick.index, now);
                    choice::pass_over(&mut order, reason, until);
                }
            }
        }
        let mut pool = this.pool.lock();
        price.into_iter().for_each(|price| pool.release(price));
        Ok(Bound::new(py, PyOrder::new(&order, now, pool.policy()))?.into_any())
    }

    /// Why a provider's circuit has just rejected a call.
    fn rejection(&self, index: usize, now: Tick) -> (PassReason, Option<Tick>) {
        match self.breaker(index).get().core().readiness_at(now) {
            Readiness::Rejected { reason, until } => (reason.into(), until),
            // The slot has been freed since the rejection.
            Readiness::Closed | Readiness::Probe => (PassReason::ProbesBusy, Some(now)),
        }
    }
}
