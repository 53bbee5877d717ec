//! A scenario from a document, and the values that it may have.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer};

use super::Setup;
use super::scenario::{Arrivals, Clients, Effect, Fault, Latency, MOST_REQUESTS, Scenario, SimulatedProvider};
use crate::config::{Fields, InvalidValue, Read, Value};
use crate::names::Named;
use crate::pool::Strategy;

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3_600.0;

/// The values that a number may have.
struct Limits {
    least: f64,
    most: f64,
    excludes_least: bool,
}

const fn from(least: f64, most: f64) -> Limits {
    Limits { least, most, excludes_least: false }
}

const fn above_zero(most: f64) -> Limits {
    Limits { least: 0.0, most, excludes_least: true }
}

const SHARE: Limits = from(0.0, 1.0);
const FACTOR: Limits = from(1.0, 1_000.0);

impl Limits {
    fn check(&self, place: &str, number: impl Into<f64>) -> Result<(), InvalidValue> {
        let (Self { least, most, excludes_least }, number) = (self, number.into());
        if (*least..=*most).contains(&number) && !(*excludes_least && number <= *least) {
            return Ok(());
        }
        let allowed = if *excludes_least {
            format!("a number above {least}, at most {most}")
        } else {
            format!("a number from {least} to {most}")
        };
        Err(InvalidValue::new(place, &Value::Number(number), &allowed))
    }
}

/// Declares how a record is read and checked: for each field its default behind `=`, without one it is needed; and the
/// limits of a number behind `in`, which may name other fields.
macro_rules! record {
    ($type:ident { $($field:ident $(= $default:expr)? $(, in $limits:expr)?;)+ }) => {
        impl<'v> Read<'v> for $type {
            fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
                let fields = Fields::read(place, value)?.only(&[$(stringify!($field)),+])?;
                Ok(Self { $($field: record!(@read fields $field $($default)?)),+ })
            }
        }

        impl $type {
            /// Checks the limits of the numbers.
            fn check_limits(&self, place: &str) -> Result<(), InvalidValue> {
                #[allow(unused_variables, reason = "not every field has limits or is named by those of another one")]
                let Self { $($field),+ } = self;
                $($($limits.check(&place_of(place, stringify!($field)), *$field)?;)?)+
                Ok(())
            }
        }
    };
    (@read $fields:ident $field:ident) => { $fields.get(stringify!($field))? };
    (@read $fields:ident $field:ident $default:expr) => { $fields.get_or(stringify!($field), $default)? };
}

/// The same for an enumeration, whose values are told apart by the field `kind`.
macro_rules! kinds {
    ($type:ident { $($kind:literal $variant:ident { $($field:ident $(, in $limits:expr)?;)* })+ }) => {
        impl<'v> Read<'v> for $type {
            fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
                const KINDS: &[&str] = &[$($kind),+];
                type Reader<'v> = fn(Fields<'v>) -> Result<$type, InvalidValue>;
                let readers: &[Reader<'v>] = &[$(|fields| {
                    #[allow(unused_variables, reason = "a kind may have no fields")]
                    let fields = fields.only(&["kind", $(stringify!($field)),*])?;
                    Ok($type::$variant { $($field: fields.get(stringify!($field))?),* })
                }),+];
                let fields = Fields::read(place, value)?;
                let kind = fields.value("kind").as_text().and_then(|kind| KINDS.iter().position(|known| *known == kind));
                let kind = kind.ok_or_else(|| fields.refused("kind", &format!("one of: {}", KINDS.join(", "))))?;
                readers[kind](fields)
            }
        }

        impl $type {
            /// Checks the limits of the numbers.
            fn check_limits(self, place: &str) -> Result<(), InvalidValue> {
                match self {
                    $(Self::$variant { $($field),* } => {
                        $($($limits.check(&place_of(place, stringify!($field)), $field)?;)?)*
                    })+
                }
                Ok(())
            }
        }
    };
}

record! { Scenario {
    question = String::new();
    seed = 0;
    seconds, in above_zero(DAY);
    clients;
    providers;
    faults;
    workers = 1, in from(1.0, 64.0);
} }

record! { Clients {
    per_second, in above_zero(100_000.0);
    arrivals = Arrivals::default();
    timeout_seconds = 30.0, in above_zero(HOUR);
    deadline_seconds;
    retries = 0, in from(0.0, 10.0);
    backoff_seconds = 0.0, in from(0.0, 60.0);
} }

kinds! { Arrivals {
    "steady" Steady {}
    "poisson" Poisson {}
    "bursts" Bursts { size, in from(1.0, 10_000.0); }
} }

record! { SimulatedProvider {
    name;
    latency;
    failure_rate = 0.0, in SHARE;
    capacity;
} }

kinds! { Latency {
    "fixed" Fixed { seconds, in above_zero(HOUR); }
    "log_normal" LogNormal { median_seconds, in above_zero(HOUR); sigma, in from(0.0, 3.0); }
    "bimodal" Bimodal {
        fast_seconds, in above_zero(HOUR);
        slow_seconds, in above_zero(HOUR);
        slow_share, in SHARE;
    }
} }

record! { Fault {
    provider;
    from_seconds, in from(0.0, DAY);
    to_seconds, in from(*from_seconds, DAY);
    effect;
} }

kinds! { Effect {
    "down" Down {}
    "brown_out" BrownOut { share, in SHARE; }
    "slow" Slow { factor, in FACTOR; }
    "hanging" Hanging { share, in SHARE; }
    "slow_first_token" SlowFirstToken { seconds, in from(0.0, HOUR); }
    "flapping" Flapping { period_seconds, in above_zero(DAY); down_share, in SHARE; }
    "rate_limited" RateLimited { share, in SHARE; retry_after_seconds, in from(0.0, DAY); }
    "bad_shards" BadShards { shards, in from(1.0, 1_000.0); bad, in from(0.0, shards.into()); }
    "deploy" Deploy {
        every_seconds, in above_zero(DAY);
        cold_seconds, in from(0.0, every_seconds);
        factor, in FACTOR;
        share, in SHARE;
    }
} }

impl Scenario {
    /// Reads a scenario from JSON and checks it.
    ///
    /// # Errors
    /// [`InvalidValue`] names the field, such as `faults[2].effect.share`, or `scenario` for a text that is not an
    /// object.
    pub fn from_json(text: &str) -> Result<Self, InvalidValue> {
        let scenario = Self::of(&Value::from_json("scenario", text)?)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn of(document: &Value) -> Result<Self, InvalidValue> {
        if let Value::Map(_) = document { Self::read("", document) } else { Self::read("scenario", document) }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`InvalidValue`] names the first field that is not allowed: `faults[2].share`.
    pub fn check(&self) -> Result<(), InvalidValue> {
        self.check_limits("")?;
        self.clients.check_limits("clients")?;
        self.clients.arrivals.check_limits("clients.arrivals")?;
        above_zero(HOUR).check("clients.deadline_seconds", self.clients.deadline_seconds.unwrap_or(HOUR))?;
        from(0.0, MOST_REQUESTS).check("seconds * clients.per_second", self.seconds * self.clients.per_second)?;
        from(1.0, 16.0).check("the number of providers", self.providers.len() as f64)?;
        for (index, provider) in self.providers.iter().enumerate() {
            provider.check(&format!("providers[{index}]"), &self.providers[..index])?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            let place = format!("faults[{index}]");
            let names: Vec<&str> = self.providers.iter().map(|provider| provider.name.as_str()).collect();
            if !names.contains(&fault.provider.as_str()) {
                let value = Value::from(fault.provider.as_str());
                return Err(InvalidValue::new(&place_of(&place, "provider"), &value, &names.join(" or ")));
            }
            fault.check_limits(&place)?;
            fault.effect.check_limits(&place_of(&place, "effect"))?;
        }
        Ok(())
    }
}

/// As [`Scenario::from_json`], from any self-describing format, and without the check of its ranges.
impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl SimulatedProvider {
    fn check(&self, place: &str, before: &[Self]) -> Result<(), InvalidValue> {
        if self.name.is_empty() || before.iter().any(|other| other.name == self.name) {
            let value = Value::from(self.name.as_str());
            return Err(InvalidValue::new(&place_of(place, "name"), &value, "a name that no other provider has"));
        }
        self.check_limits(place)?;
        from(1.0, 1e6).check(&place_of(place, "capacity"), self.capacity.unwrap_or(1))?;
        self.latency.check_limits(&place_of(place, "latency"))
    }
}

fn place_of(place: &str, field: &str) -> String {
    if place.is_empty() { field.into() } else { format!("{place}.{field}") }
}

impl Setup {
    /// The strategy of this name, for `failover`.
    ///
    /// # Errors
    /// [`InvalidValue`] names `failover` for any other text.
    pub fn strategy(name: &str) -> Result<Strategy, InvalidValue> {
        Strategy::from_name(name)
            .ok_or_else(|| InvalidValue::new("failover", &Value::from(name), &Strategy::NAMES.join(", ")))
    }
}
