//! Replays a log of what happened to a pool: it makes the same choices again.
//!
//! A log is a document of the vectors' format (`docs/pool.md`), so that any host can record one and every language
//! replays it.

use alloc::string::String;
use alloc::vec::Vec;

use super::document::millis;
use super::{CallKind, Circuit, Exhausted, MoveAfter, Need, Order, Pool, Price, Readiness};
use crate::classify::Scope;
use crate::clock::Tick;
use crate::config::document::Fields;
use crate::config::{InvalidValue, Value};
use crate::control::{Outcome, Reason};
use crate::names::Named;

/// Replays a log and returns what each step shows: a list with one map for each.
///
/// # Errors
/// [`InvalidValue`] for a document that is not a log, naming the field.
pub fn replay(log: &Value) -> Result<Value, InvalidValue> {
    let fields = Fields::of("log", log)?.only(&["pool", "steps"])?;
    let mut replayed = Replayed::read(fields.value("pool"))?;
    let shown: Result<_, _> = fields.get::<&[Value]>("steps")?.iter().map(|step| replayed.step(step)).collect();
    Ok(Value::List(shown?))
}

/// A pool, the circuits of its providers, and the prices that were paid.
struct Replayed {
    pool: Pool,
    circuits: Vec<Circuit>,
    prices: Vec<Price>,
}

const STEPS: &[&str] = &[
    "at_ms",
    "expect",
    "choose",
    "deadline_ms",
    "set",
    "success",
    "failure",
    "latency_ms",
    "kind",
    "limited",
    "scope",
    "refused",
    "retry_after_ms",
    "outrun",
    "hedge",
    "move",
    "from",
    "hold",
    "settle",
    "earn",
];

impl Replayed {
    fn read(document: &Value) -> Result<Self, InvalidValue> {
        let pool = Pool::from_value(document, 0)?;
        let circuits = alloc::vec![Circuit::CLOSED; pool.providers().len()];
        Ok(Self { pool, circuits, prices: Vec::new() })
    }

    fn step(&mut self, step: &Value) -> Result<Value, InvalidValue> {
        let fields = Fields::of("steps", step)?.only(STEPS)?;
        let now = tick(&fields, "at_ms")?.unwrap_or(Tick::ZERO);
        let mut shown = Vec::new();
        let hint = millis(&fields, "retry_after_ms")?;
        let latency = millis(&fields, "latency_ms")?.unwrap_or_default();
        let kind = fields.get_or("kind", CallKind::default())?;
        if let Some(id) = fields.get("success")? {
            self.pool.succeeded(self.index(id)?, now, latency, kind);
        } else if let Some(id) = fields.get("failure")? {
            self.pool.failed(self.index(id)?, now);
        } else if let Some(id) = fields.get("limited")? {
            let scope = fields.get_or("scope", Scope::KeyAndModel)?;
            self.pool.cool(self.index(id)?, scope, hint, now);
        } else if let Some(id) = fields.get("refused")? {
            self.pool.cool(self.index(id)?, Scope::Key, None, now);
        } else if let Value::Map(set) = fields.value("set") {
            for (id, situation) in set {
                self.set(id, situation, now)?;
            }
        } else if let Some(id) = fields.get("outrun")? {
            self.pool.outrun(self.index(id)?, now, latency, kind);
        } else if let Some(id) = fields.get("hedge")? {
            let delay = self.pool.hedge_after(self.index(id)?, kind, now);
            shown.push(("hedge_after_ms".into(), delay.map(|delay| delay.as_nanos() as f64 / 1e6).into()));
        } else if let Some(after) = fields.get::<Option<MoveAfter>>("move")? {
            let from = self.index(fields.get("from")?)?;
            let price = self.pool.price_of_move(from, self.circuits[from], after, now);
            self.paid(price, &mut shown);
        } else if fields.get_or("hold", false)? {
            let price = self.pool.hold();
            self.paid(price, &mut shown);
        } else if let Some(outcome) = fields.get::<Option<Outcome>>("settle")? {
            let price = self.prices.pop().ok_or_else(|| InvalidValue::new("settle", step, "after a payment"))?;
            self.pool.settle(Some(price), outcome);
        } else if fields.get_or("earn", false)? {
            self.pool.settle(None, Outcome::Success);
        } else if let Some(need) = fields.get::<Option<&Value>>("choose")? {
            shown = self.choose(need, now, tick(&fields, "deadline_ms")?)?;
        }
        let budget = self.pool.budget();
        shown.push(("tokens".into(), f64::from(budget.tokens()).into()));
        shown.push(("held".into(), f64::from(budget.held()).into()));
        Ok(Value::Map(shown))
    }

    fn paid(&mut self, price: Option<Price>, shown: &mut Vec<(String, Value)>) {
        self.prices.extend(price);
        shown.push(("paid".into(), Value::Bool(price.is_some())));
    }

    fn set(&mut self, id: &str, situation: &Value, now: Tick) -> Result<(), InvalidValue> {
        let fields = Fields::of("set", situation)?.only(&["circuit", "until_ms", "in_flight"])?;
        let until = tick(&fields, "until_ms")?;
        let index = self.index(id)?;
        if let Some(calls) = fields.get("in_flight")? {
            self.pool.set_in_flight(index, calls);
        }
        let circuit = &mut self.circuits[index];
        match fields.get("circuit")? {
            None => {}
            Some("closed") if circuit.readiness == Readiness::Closed => {}
            Some("closed") => {
                *circuit = Circuit { readiness: Readiness::Closed, closed_since: Some(now) };
                self.pool.closed(index, Some(now));
            }
            Some("half_open") => circuit.readiness = Readiness::Probe,
            Some(name) => {
                let allowed = "closed, half_open, open, probes_busy or forced_open";
                let reason = Reason::from_name(name).ok_or_else(|| fields.refused("circuit", allowed))?;
                circuit.readiness = Readiness::Rejected { reason, until };
            }
        }
        Ok(())
    }

    fn choose(
        &mut self,
        need: &Value,
        now: Tick,
        deadline: Option<Tick>,
    ) -> Result<Vec<(String, Value)>, InvalidValue> {
        let known = &["capabilities", "size", "larger_than", "tried", "pin", "replayable", "kind"];
        let fields = Fields::of("choose", need)?.only(known)?;
        let (capabilities, tried): (Vec<String>, Vec<String>) = (fields.get("capabilities")?, fields.get("tried")?);
        let need = Need {
            capabilities: &capabilities,
            size: fields.get_or("size", 0)?,
            larger_than: fields.get("larger_than")?,
            tried: &tried,
            pin: fields.get("pin")?,
            replayable: fields.get_or("replayable", true)?,
            kind: fields.get_or("kind", CallKind::default())?,
        };
        let order = self.pool.choose(&self.circuits, &need, now);
        Ok(self.shown(&order, now, deadline))
    }

    fn shown(&self, order: &Order, now: Tick, deadline: Option<Tick>) -> Vec<(String, Value)> {
        let id = |index: usize| Value::from(self.pool.providers()[index].id.as_str());
        let time = |until: Option<Tick>| until.map(|until| until.as_nanos() as f64 / 1e6).into();
        let picks = order.picks.iter().map(|pick| Value::List(alloc::vec![id(pick.index), pick.role.as_str().into()]));
        let passed = order.passed_over.iter().map(|passed| {
            Value::List(alloc::vec![id(passed.index), passed.reason.as_str().into(), time(passed.until)])
        });
        let mut shown = alloc::vec![
            ("picks".into(), Value::List(picks.collect())),
            ("passed_over".into(), Value::List(passed.collect())),
            ("earliest_ms".into(), time(order.earliest)),
        ];
        if order.picks.is_empty() {
            let (name, value) = match order.exhausted(self.pool.policy(), now, deadline) {
                Exhausted::WaitUntil(back) => ("wait_until_ms", time(Some(back))),
                Exhausted::Fail { retry_after } => {
                    ("retry_after_ms", retry_after.map(|wait| wait.as_nanos() as f64 / 1e6).into())
                }
            };
            shown.push((name.into(), value));
        }
        shown
    }

    fn index(&self, id: &str) -> Result<usize, InvalidValue> {
        let at = self.pool.providers().iter().position(|provider| provider.id == id);
        at.ok_or_else(|| InvalidValue::new("id", &id.into(), "one of the providers"))
    }
}

/// A moment in whole milliseconds.
fn tick(fields: &Fields<'_, '_>, name: &str) -> Result<Option<Tick>, InvalidValue> {
    Ok(millis(fields, name)?.map(|millis| Tick::ZERO.after(millis)))
}
