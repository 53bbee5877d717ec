//! Runs one vector on a registry whose breakers have a manual clock.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::host;
use halfopen::registry::{Registry, RegistryError};
use halfopen::{CircuitBreaker, InvalidValue, OwnedPermit};
use serde_json::{Map, Value, json};

use crate::vector::{config, outcome, text};

type Breaker = CircuitBreaker<ManualClock>;

/// Runs a vector; `Err` describes the first difference.
pub fn run(vector: &Value) -> Result<(), String> {
    let clock = ManualClock::new();
    let bound = checked(&vector["registry"]["bound"]);
    if let Some(field) = vector.get("config_error").and_then(Value::as_str) {
        return match bound {
            Err(error) if error.field() == field => Ok(()),
            other => Err(format!("expected an error naming {field}, seen: {other:?}")),
        };
    }
    let handed_out = clock.clone();
    let make_clock: Box<dyn Fn() -> ManualClock> = Box::new(move || handed_out.clone());
    let registry = Registry::new(bound.map_err(|error| error.to_string())?, make_clock);
    let mut session = Session { registry, permits: HashMap::new() };
    for (number, step) in vector["steps"].as_array().ok_or("no steps")?.iter().enumerate() {
        let at_ms = step["at_ms"].as_u64().ok_or("at_ms is not an integer")?;
        clock.set(Tick::ZERO.after(Duration::from_millis(at_ms)));
        session.step(step).map_err(|difference| format!("step {} {step}: {difference}", number + 1))?;
    }
    Ok(())
}

fn checked(bound: &Value) -> Result<usize, InvalidValue> {
    let bound = halfopen::host::Value::from_json("bound", &bound.to_string())?;
    host::registry_bound(&bound)
}

/// A refused step: the code, and the field that the error names.
struct Refused(&'static str, Value);

impl From<InvalidValue> for Refused {
    fn from(error: InvalidValue) -> Self {
        Self(error.code(), error.field().into())
    }
}

impl From<RegistryError> for Refused {
    fn from(error: RegistryError) -> Self {
        let code = error.code();
        match error {
            RegistryError::NameConflict { field, .. } => Self(code, field.into()),
            RegistryError::Full { .. } => Self(code, Value::Null),
        }
    }
}

/// It keeps permits, but no breaker.
struct Session {
    registry: Registry<ManualClock, Box<dyn Fn() -> ManualClock>>,
    permits: HashMap<String, OwnedPermit<ManualClock>>,
}

impl Session {
    fn step(&mut self, step: &Value) -> Result<(), String> {
        let expect = step.get("expect").and_then(Value::as_object).cloned().unwrap_or_default();
        let mut seen = match self.apply(step)? {
            Ok(seen) => seen,
            Err(Refused(code, _)) if !expect.contains_key("error") => return Err(format!("refused: {code}")),
            Err(Refused(code, field)) => Map::from_iter([("error".into(), code.into()), ("field".into(), field)]),
        };
        let names: Vec<String> = self.registry.breakers().iter().map(|breaker| breaker.name().into()).collect();
        seen.extend([("names".into(), names.into()), ("bound".into(), self.registry.bound().into())]);
        let different = expect.iter().find(|(key, expected)| seen.get(*key) != Some(expected));
        different.map_or(Ok(()), |(key, expected)| {
            Err(format!("{key}: expected {expected}, seen {}", seen.get(key).unwrap_or(&json!("nothing"))))
        })
    }

    fn apply(&mut self, step: &Value) -> Result<Result<Map<String, Value>, Refused>, String> {
        let mut seen = Map::new();
        let keys: Vec<&str> = step.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
        match keys.iter().find(|key| !matches!(**key, "at_ms" | "expect" | "of" | "outcome")) {
            None => {}
            Some(&"get_or_create") => {
                let created = config(&step["get_or_create"])
                    .map_err(Refused::from)
                    .and_then(|config| self.registry.get_or_create(config).map(drop).map_err(Refused::from));
                return Ok(created.map(|()| seen));
            }
            Some(&"remove") => drop(self.registry.remove(text(&step["remove"])?)),
            Some(&"remove_unused") => drop(seen.insert("removed".into(), self.registry.remove_unused().into())),
            Some(&"set_bound") => match checked(&step["set_bound"]) {
                Ok(bound) => self.registry.set_bound(bound),
                Err(error) => return Ok(Err(error.into())),
            },
            Some(&"acquire") => {
                let permit = self.breaker(&step["of"])?.acquire_owned();
                seen.insert("admitted".into(), permit.is_ok().into());
                self.permits.extend(permit.ok().map(|permit| (step["acquire"].to_string(), permit)));
            }
            Some(&"settle") => self.take(&step["settle"])?.settle(outcome(&step["outcome"])?),
            Some(&"drop") => drop(self.take(&step["drop"])?),
            Some(&"disable") => self.breaker(&step["disable"])?.disable(),
            Some(&"reset") => self.breaker(&step["reset"])?.reset(),
            Some(&"reconfigure") => match config(&step["reconfigure"]) {
                Ok(config) => self.breaker(&step["reconfigure"]["name"])?.reconfigure(config),
                Err(error) => return Ok(Err(error.into())),
            },
            Some(unknown) => return Err(format!("unknown kind of step: {unknown}")),
        }
        Ok(Ok(seen))
    }

    fn breaker(&self, name: &Value) -> Result<Arc<Breaker>, String> {
        self.registry.get(text(name)?).ok_or_else(|| format!("no breaker is named {name}"))
    }

    fn take(&mut self, id: &Value) -> Result<OwnedPermit<ManualClock>, String> {
        self.permits.remove(&id.to_string()).ok_or_else(|| format!("no permit is named {id}"))
    }
}
