//! `Order`: the result of a choice.

use halfopen::clock::Tick;
use halfopen::pool::{Exhausted, Order, PassReason, PassedOver, Policy};
use pyo3::prelude::*;

/// The providers to try and those passed over, by their index. Times are seconds from the choice on.
#[pyclass(frozen, get_all, name = "Order", module = "halfopen._core")]
pub struct PyOrder {
    /// The providers to try, with their roles.
    pub picks: Vec<(usize, &'static str)>,
    /// The providers passed over, each with the reason and the seconds until it may be back, if they are known.
    pub passed_over: Vec<Passed>,
    /// The seconds until the first of them may be back, if they are known.
    pub earliest: Option<f64>,
    /// Whether the policy says to wait for it.
    pub waits: bool,
    /// Whether the budget did not pay for a further attempt.
    pub is_unpaid: bool,
}

impl PyOrder {
    pub fn new(order: &Order, now: Tick, policy: &Policy) -> Self {
        let waits = matches!(order.exhausted(policy, now, None), Exhausted::WaitUntil(_));
        Self {
            picks: order.picks.iter().map(|pick| (pick.index, pick.role.as_str())).collect(),
            passed_over: passed_over(order, now),
            earliest: order.earliest.map(|back| back.since(now).as_secs_f64()),
            waits: waits && order.picks.is_empty(),
            is_unpaid: false,
        }
    }
}

/// The index of a provider, why it was passed over, and the seconds until it may be back.
pub type Passed = (usize, &'static str, Option<f64>);

pub fn passed_over(order: &Order, now: Tick) -> Vec<Passed> {
    let passed = |passed: &PassedOver| {
        (passed.index, passed.reason.as_str(), passed.until.map(|until| until.since(now).as_secs_f64()))
    };
    order.passed_over.iter().map(passed).collect()
}

/// Moves the first pick to those passed over.
pub fn pass_over(order: &mut Order, reason: PassReason, until: Option<Tick>) {
    let pick = order.picks.remove(0);
    order.passed_over.push(PassedOver { index: pick.index, reason, until });
    order.earliest = [order.earliest, until].into_iter().flatten().min();
}
