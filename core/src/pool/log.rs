//! A log of what happened to a pool, replayed: the choices come out as they did.
//!
//! A log is a document of the vectors' format (`docs/pool.md`), so that any host can record one and every language
//! replays it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{
    AttemptBudget, CallKind, Candidate, Cooldown, Meter, Need, OnExhausted, Order, Policy, PoolState, Price, Provider,
    Readiness, Strategy, choose,
};
use crate::clock::Tick;
use crate::config::{Fields, InvalidValue, Value};
use crate::control::{Jitter, Reason};

/// Replays a log and returns what each step shows: a list with one map for each.
///
/// # Errors
/// [`InvalidValue`] for a document that is no log, naming the field.
pub fn replay(log: &Value) -> Result<Value, InvalidValue> {
    let fields = Fields::of("log", log, &["pool", "steps"])?;
    let mut pool = Pool::read(fields.get("pool"))?;
    let steps = fields.list("steps")?;
    let shown: Result<_, _> = steps.iter().map(|step| pool.step(step)).collect();
    Ok(Value::List(shown?))
}

/// A pool with the situation of its providers.
struct Pool {
    policy: Policy,
    jitter: Jitter,
    providers: Vec<Provider>,
    situations: Vec<Situation>,
    /// Taken and given back by each choice.
    state: PoolState,
    budget: AttemptBudget,
    prices: Vec<Price>,
}

#[derive(Clone)]
struct Situation {
    readiness: Readiness,
    cooldown: Cooldown,
    in_flight: u32,
    meter: Meter,
    closed_since: Option<Tick>,
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
    "refused",
    "retry_after_ms",
    "pay",
    "earn",
    "refund",
];

impl Pool {
    fn read(pool: &Value) -> Result<Self, InvalidValue> {
        let fields = Fields::of(
            "pool",
            pool,
            &["strategy", "min_health", "strict_pin", "slow_start_ms", "on_exhausted", "seed", "providers"],
        )?;
        let default = Policy::default();
        let policy = Policy {
            strategy: fields.named("strategy", Strategy::ALL, Strategy::NAMES, default.strategy)?,
            min_health: fields.number("min_health", 0.0..=1.0)?.unwrap_or(default.min_health),
            strict_pin: fields.flag("strict_pin", default.strict_pin)?,
            slow_start: fields.count("slow_start_ms")?.map_or(default.slow_start, Duration::from_millis),
            on_exhausted: fields.named("on_exhausted", OnExhausted::ALL, OnExhausted::NAMES, default.on_exhausted)?,
        };
        let seed = fields.count("seed")?.unwrap_or(0);
        let providers: Vec<Provider> =
            fields.list("providers")?.iter().map(provider).collect::<Result<_, InvalidValue>>()?;
        let new = Situation {
            readiness: Readiness::Closed,
            cooldown: Cooldown::default(),
            in_flight: 0,
            meter: Meter::default(),
            closed_since: None,
        };
        let situations = alloc::vec![new; providers.len()];
        let (state, jitter) = (PoolState::new(seed), Jitter { seed });
        Ok(Self { policy, jitter, providers, situations, state, budget: AttemptBudget::default(), prices: Vec::new() })
    }

    fn step(&mut self, step: &Value) -> Result<Value, InvalidValue> {
        let fields = Fields::of("steps", step, STEPS)?;
        let now = millis(fields.count("at_ms")?.unwrap_or(0));
        let mut shown = Vec::new();
        let hint = fields.count("retry_after_ms")?.map(Duration::from_millis);
        if let Some(id) = fields.text("success")? {
            let latency = Duration::from_millis(fields.count("latency_ms")?.unwrap_or(0));
            let kind = kind(&fields)?;
            let situation = self.situation(id)?;
            situation.meter = situation.meter.success(now, latency, kind);
            situation.cooldown = situation.cooldown.succeeded();
        } else if let Some(id) = fields.text("failure")? {
            let situation = self.situation(id)?;
            situation.meter = situation.meter.failure(now);
        } else if let Some(id) = fields.text("limited")? {
            let jitter = self.jitter;
            let situation = self.situation(id)?;
            situation.cooldown = situation.cooldown.limited(now, hint, jitter);
        } else if let Some(id) = fields.text("refused")? {
            let situation = self.situation(id)?;
            situation.cooldown = situation.cooldown.refused(now);
        } else if let Value::Map(set) = fields.get("set") {
            for (id, situation) in set {
                self.set(id, situation, now)?;
            }
        } else if let Value::Bool(after_timeout) = *fields.get("pay") {
            let paid = self.budget.pay(after_timeout);
            if let Some((budget, price)) = paid {
                self.budget = budget;
                self.prices.push(price);
            }
            shown.push(("paid".into(), Value::Bool(paid.is_some())));
        } else if let Value::Bool(true) = *fields.get("earn") {
            self.budget = self.budget.earn();
        } else if let Value::Bool(true) = *fields.get("refund") {
            let price = self.prices.pop().ok_or_else(|| InvalidValue::new("refund", step, "after a payment"))?;
            self.budget = self.budget.refund(price);
        } else if *fields.get("choose") != Value::Null {
            let deadline = fields.count("deadline_ms")?.map(millis);
            shown = self.choose(fields.get("choose"), now, deadline)?;
        }
        shown.push(("tokens".into(), u64::from(self.budget.tokens()).into()));
        Ok(Value::Map(shown))
    }

    fn set(&mut self, id: &str, situation: &Value, now: Tick) -> Result<(), InvalidValue> {
        let fields = Fields::of("set", situation, &["circuit", "until_ms", "in_flight"])?;
        let until = fields.count("until_ms")?.map(millis);
        let in_flight = fields.count("in_flight")?;
        let situation = self.situation(id)?;
        situation.in_flight = in_flight.map_or(situation.in_flight, |calls| calls as u32);
        match fields.text("circuit")? {
            None => {}
            Some("closed") => {
                // The outage says nothing about a circuit that has closed.
                if situation.readiness != Readiness::Closed {
                    (situation.closed_since, situation.meter) = (Some(now), Meter::default());
                }
                situation.readiness = Readiness::Closed;
            }
            Some("half_open") => situation.readiness = Readiness::Probe,
            Some(name) => {
                let reason = Reason::ALL.iter().find(|reason| reason.as_str() == name);
                let allowed = "closed, half_open, open, probes_busy or forced_open";
                let reason = *reason.ok_or_else(|| InvalidValue::new("circuit", &name.into(), allowed))?;
                situation.readiness = Readiness::Rejected { reason, until };
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
        let fields =
            Fields::of("choose", need, &["capabilities", "size", "larger_than", "tried", "pin", "replayable", "kind"])?;
        let (capabilities, tried) = (fields.texts("capabilities")?, fields.texts("tried")?);
        let need = Need {
            capabilities: &capabilities,
            size: fields.count("size")?.unwrap_or(0),
            larger_than: fields.count("larger_than")?,
            tried: &tried,
            pin: fields.text("pin")?,
            replayable: fields.flag("replayable", true)?,
            kind: kind(&fields)?,
        };
        let situated = |(provider, situation): (_, &Situation)| Candidate {
            provider,
            readiness: situation.readiness,
            cooling_until: situation.cooldown.until(now),
            in_flight: situation.in_flight,
            meter: situation.meter,
            closed_since: situation.closed_since,
        };
        let candidates: Vec<Candidate<'_>> = self.providers.iter().zip(&self.situations).map(situated).collect();
        let (state, order) = choose(&self.policy, self.state.clone(), &candidates, &need, now);
        self.state = state;
        Ok(self.shown(&order, now, deadline))
    }

    fn shown(&self, order: &Order, now: Tick, deadline: Option<Tick>) -> Vec<(String, Value)> {
        let id = |index: usize| Value::from(self.providers[index].id.as_str());
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
            let (name, value) = match order.exhausted(&self.policy, now, deadline) {
                super::Exhausted::WaitUntil(back) => ("wait_until_ms", time(Some(back))),
                super::Exhausted::Fail { retry_after } => {
                    ("retry_after_ms", retry_after.map(|wait| wait.as_nanos() as f64 / 1e6).into())
                }
            };
            shown.push((name.into(), value));
        }
        shown
    }

    fn situation(&mut self, id: &str) -> Result<&mut Situation, InvalidValue> {
        let at = self.providers.iter().position(|provider| provider.id == id);
        at.map(|at| &mut self.situations[at]).ok_or_else(|| InvalidValue::new("id", &id.into(), "one of the providers"))
    }
}

fn provider(provider: &Value) -> Result<Provider, InvalidValue> {
    let known = &["id", "tier", "weight", "enabled", "capabilities", "limit", "max_concurrent_calls", "last_resort"];
    let fields = Fields::of("providers", provider, known)?;
    let id = fields.text("id")?.ok_or_else(|| InvalidValue::new("id", provider, "a text"))?;
    let small = |name: &str| {
        let count = fields.count(name)?;
        let fits = count.map(u32::try_from).transpose();
        fits.map_err(|_| InvalidValue::new(name, fields.get(name), &format!("at most {}", u32::MAX)))
    };
    let default = Provider::new(id);
    Ok(Provider {
        tier: small("tier")?.unwrap_or(default.tier),
        weight: small("weight")?.unwrap_or(default.weight),
        enabled: fields.flag("enabled", default.enabled)?,
        capabilities: fields.texts("capabilities")?,
        limit: fields.count("limit")?,
        max_concurrent_calls: small("max_concurrent_calls")?,
        last_resort: fields.flag("last_resort", default.last_resort)?,
        ..default
    })
}

fn kind(fields: &Fields<'_>) -> Result<CallKind, InvalidValue> {
    fields.named("kind", CallKind::ALL, CallKind::NAMES, CallKind::default())
}

fn millis(millis: u64) -> Tick {
    Tick::ZERO.after(Duration::from_millis(millis))
}
