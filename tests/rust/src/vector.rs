//! Runs one vector on a breaker with a manual clock and compares the results with the expected values.

use std::collections::HashMap;
use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::host::Value as Field;
use halfopen::host::{self, Entries, Spelling};
use halfopen::{CircuitBreaker, Config, InvalidValue, Outcome, Permit, Rejected, Snapshot};
use serde_json::{Map, Value, json};

type Breaker = CircuitBreaker<ManualClock>;
type Admission = Option<Result<(), Rejected>>;

/// Runs a vector; `Err` describes the first difference.
pub fn run(vector: &Value) -> Result<(), String> {
    let built = config(&vector["config"]);
    if let Some(field) = vector.get("config_error").and_then(Value::as_str) {
        return match built {
            Err(error) if error.field() == field => Ok(()),
            Err(error) => Err(format!("expected an error naming {field}, seen: {error}")),
            Ok(_) => Err(format!("expected an error naming {field}, seen: none")),
        };
    }
    let clock = ManualClock::new();
    let config = built.map_err(|error| error.to_string())?;
    let breaker = leaked(Breaker::with_clock(config, clock.clone()));
    let mut session = Session { breaker, permits: HashMap::new(), fetched_to: 0, announced: Vec::new() };
    let steps = vector["steps"].as_array().ok_or("neither steps nor config_error")?;
    for (number, step) in steps.iter().enumerate() {
        let at_ms = step["at_ms"].as_u64().ok_or("at_ms is not an integer")?;
        clock.set(Tick::ZERO.after(Duration::from_millis(at_ms)));
        session.step(step).map_err(|difference| format!("step {} {step}: {difference}", number + 1))?;
    }
    Ok(())
}

pub fn config(fields: &Value) -> Result<Config, InvalidValue> {
    host::config_from(&Field::from_json("config", &fields.to_string())?, Spelling::SnakeCase)
}

/// A permit may outlive a restart and borrows its breaker, so this short program leaks its breakers.
fn leaked(breaker: Breaker) -> &'static Breaker {
    Box::leak(Box::new(breaker))
}

struct Session {
    breaker: &'static Breaker,
    permits: HashMap<String, Option<Permit<'static, ManualClock>>>,
    /// The sequence number of the last fetched transition.
    fetched_to: u64,
    /// The fetched transitions that no step has compared yet.
    announced: Vec<Value>,
}

impl Session {
    fn step(&mut self, step: &Value) -> Result<(), String> {
        let keys: Vec<&str> = step.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        let mut admission = None;
        let mut refused = None;
        match keys.iter().find(|key| !matches!(**key, "at_ms" | "expect" | "inside" | "outcome" | "retry_after_ms")) {
            None => {}
            Some(&"acquire") => admission = Some(self.acquire(text(&step["acquire"])?, step["inside"].as_str())),
            Some(&"settle") => self.settle(step)?,
            Some(&"drop") => drop(self.permits.insert(text(&step["drop"])?.to_owned(), None)),
            Some(&"force_open") => refused = self.force_open(&step["force_open"]).err(),
            Some(&"disable") => self.breaker.disable(),
            Some(&"reset") => self.breaker.reset(),
            Some(&"restart") => self.restart()?,
            Some(&"reconfigure") => refused = self.reconfigure(&step["reconfigure"]).err(),
            Some(unknown) => return Err(format!("unknown kind of step: {unknown}")),
        }
        let expect = step.get("expect").and_then(Value::as_object).cloned().unwrap_or_default();
        if let Some(error) = refused.as_ref().filter(|_| !expect.contains_key("error")) {
            return Err(format!("refused: {error}"));
        }
        let seen = self.seen(&admission, refused);
        for (key, expected) in &expect {
            let seen = if key == "transitions" { Some(self.transitions()) } else { seen.get(key).cloned() };
            if seen.as_ref() != Some(expected) {
                return Err(format!("{key}: expected {expected}, seen {}", seen.unwrap_or_else(|| json!("nothing"))));
            }
        }
        Ok(())
    }

    fn acquire(&mut self, id: &str, inside: Option<&str>) -> Result<(), Rejected> {
        // A settled permit is consumed, so no call can be nested in its call.
        let outer = inside.and_then(|outer| self.permits.get(outer)).and_then(Option::as_ref);
        let permit = outer.map_or_else(|| self.breaker.acquire(), Permit::acquire_nested)?;
        self.permits.insert(id.to_owned(), Some(permit));
        Ok(())
    }

    fn settle(&mut self, step: &Value) -> Result<(), String> {
        let (id, outcome) = (text(&step["settle"])?, outcome(&step["outcome"])?);
        let retry_after = step["retry_after_ms"].as_u64().map(Duration::from_millis);
        // Settling consumes a permit, so it cannot be settled twice.
        if let Some(permit) = self.permits.get_mut(id).and_then(Option::take) {
            permit.settle(outcome.with_retry_after(retry_after));
        }
        Ok(())
    }

    fn force_open(&self, duration: &Value) -> Result<(), InvalidValue> {
        let seconds = duration.as_f64().map_or(Field::Null, |millis| Field::Number(millis / 1e3));
        host::force_open(self.breaker, &seconds)
    }

    fn reconfigure(&self, fields: &Value) -> Result<(), InvalidValue> {
        self.breaker.reconfigure(config(fields)?);
        Ok(())
    }

    fn restart(&mut self) -> Result<(), String> {
        self.fetch();
        let document = self.breaker.snapshot().to_value().to_json();
        let read = Field::from_json("snapshot", &document).map_err(|error| error.to_string())?;
        let snapshot = Snapshot::from_value(&read).map_err(|error| error.to_string())?;
        let next = Breaker::with_clock(self.breaker.config(), self.breaker.clock().clone());
        next.restore(&snapshot).map_err(|error| error.to_string())?;
        self.breaker = leaked(next);
        Ok(())
    }

    fn seen(&self, admission: &Admission, refused: Option<InvalidValue>) -> Map<String, Value> {
        let status = self.breaker.status();
        let mut seen: Map<String, Value> =
            status.entries().map(|(name, value)| (name.to_owned(), to_json(&value))).collect();
        seen.insert("retry_after_ms".into(), millis(status.retry_after));
        if let Some(admission) = admission {
            seen.insert("admitted".into(), admission.is_ok().into());
            seen.extend([("reason".to_owned(), Value::Null), ("retry_after_ms".to_owned(), Value::Null)]);
            if let Err(rejected) = admission {
                seen.insert("reason".into(), rejected.reason.as_str().into());
                seen.insert("retry_after_ms".into(), millis(rejected.retry_after));
            }
        }
        seen.extend(refused.map(|error| ("error".to_owned(), error.code().into())));
        seen
    }

    fn transitions(&mut self) -> Value {
        self.fetch();
        std::mem::take(&mut self.announced).into()
    }

    fn fetch(&mut self) {
        for event in self.breaker.events(self.fetched_to) {
            let transition = event.transition;
            self.fetched_to = event.sequence;
            self.announced.push(json!([transition.from.as_str(), transition.to.as_str(), transition.cause.as_str()]));
        }
    }
}

pub fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("{value} is not a string"))
}

fn to_json(value: &Field) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// An integer if the wait is a whole number of milliseconds, otherwise a fraction, so that a difference shows.
fn millis(wait: Option<Duration>) -> Value {
    match wait {
        None => Value::Null,
        Some(wait) if wait.as_nanos().is_multiple_of(1_000_000) => (wait.as_millis() as u64).into(),
        // One division gives the double that is nearest to the number in the vector.
        Some(wait) => (wait.as_nanos() as f64 / 1e6).into(),
    }
}

pub fn outcome(name: &Value) -> Result<Outcome, String> {
    let name = text(name)?;
    Outcome::ALL.iter().copied().find(|known| known.as_str() == name).ok_or_else(|| format!("unknown outcome: {name}"))
}
