//! A scenario from a document. Ranges are checked by [`Scenario::check`].

use alloc::format;
use alloc::string::String;

use serde::{Deserialize, Deserializer};

use super::scenario::{Arrivals, Clients, Effect, Fault, Latency, Scenario, SimulatedProvider};
use crate::config::document::{Fields, Place, Read, read_fields};
use crate::config::{InvalidValue, Value};

impl Scenario {
    /// Reads a scenario from JSON and checks it.
    ///
    /// # Errors
    /// [`InvalidValue`] names the field, such as `faults[2].effect.share`, or `scenario` for a text that is not an
    /// object.
    pub fn from_json(text: &str) -> Result<Self, InvalidValue> {
        let scenario = Self::read(&Value::from_json("scenario", text)?)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn read(document: &Value) -> Result<Self, InvalidValue> {
        let fields = Fields::of("scenario", document)?;
        read_fields!(
            fields,
            Self { question = String::new(), seed = 0, seconds, clients, providers, faults, workers = 1 }
        )
    }
}

/// As [`Scenario::from_json`], from any self-describing format, and without the check of its ranges.
impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Structs, each with what is left out where it stands behind a `=`.
macro_rules! read_structs {
    ($($type:ident { $($fields:tt)+ })+) => {
        $(impl<'v> Read<'v> for $type {
            fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
                read_fields!(Fields::at(place, value)?, Self { $($fields)+ })
            }
        })+
    };
}

read_structs! {
    Clients {
        per_second,
        arrivals = Arrivals::default(),
        timeout_seconds = 30.0,
        deadline_seconds,
        retries = 0,
        backoff_seconds = 0.0,
    }
    SimulatedProvider { name, latency, failure_rate = 0.0, capacity }
    Fault { provider, from_seconds, to_seconds, effect }
}

/// Enumerations whose values are told apart by the field `kind`, each with its parameters.
macro_rules! read_kinds {
    ($($type:ident { $($kind:literal $variant:ident $parameters:tt)+ })+) => {
        $(impl<'v> Read<'v> for $type {
            fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
                let fields = Fields::at(place, value)?;
                let kind = fields.value("kind").as_text();
                $(if kind == Some($kind) {
                    return read_fields!(fields, Self::$variant ["kind"] $parameters);
                })+
                Err(fields.refused("kind", &format!("one of: {}", [$($kind),+].join(", "))))
            }
        })+
    };
}

read_kinds! {
    Arrivals { "steady" Steady {} "poisson" Poisson {} "bursts" Bursts { size } }
    Latency {
        "fixed" Fixed { seconds }
        "log_normal" LogNormal { median_seconds, sigma }
        "bimodal" Bimodal { fast_seconds, slow_seconds, slow_share }
    }
    Effect {
        "down" Down {}
        "brown_out" BrownOut { share }
        "slow" Slow { factor }
        "hanging" Hanging { share }
        "slow_first_token" SlowFirstToken { seconds }
        "flapping" Flapping { period_seconds, down_share }
        "rate_limited" RateLimited { share, retry_after_seconds }
        "bad_shards" BadShards { shards, bad }
        "deploy" Deploy { every_seconds, cold_seconds, factor, share }
    }
}
