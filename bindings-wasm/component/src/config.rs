//! The configuration: a record of options, which the core checks field by field.

use halfopen::host::{self, Spelling, Value};
use halfopen::{Config, InvalidValue};

use crate::wit;

/// Reads a JSON document with the names of the documentation.
pub(crate) fn parse(document: &str) -> Result<wit::Config, InvalidValue> {
    Ok(to_wit(&host::config_from(&Value::from_json("config", document)?, Spelling::SnakeCase)?))
}

/// Hands the names of all fields to a macro.
macro_rules! with_fields {
    ($macro:ident) => {
        $macro! {
            // from make generate: rust names; do not edit
            name,
            failure_threshold,
            success_threshold,
            timeout_seconds,
            half_open_max_calls,
            failure_rate_threshold,
            slow_call_seconds,
            slow_call_rate_threshold,
            window,
            minimum_calls,
            timeout_multiplier,
            max_timeout_seconds,
            timeout_jitter,
            probe_timeout_seconds,
            cancel_failure_after_seconds,
            shadow,
            record_durations,
            // end
        }
    };
}

/// Checks a record; an absent field has its default.
pub(crate) fn checked(record: wit::Config) -> Result<Config, InvalidValue> {
    macro_rules! entries {
        ($($field:ident,)+) => {{
            let wit::Config { $($field),+ } = record;
            [$((stringify!($field), $field.map(Value::from))),+]
        }};
    }
    let given = with_fields!(entries).into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    given.fold(Config::builder(), |builder, (name, value)| host::set(builder, name, value)).build()
}

/// The configuration as a record with every field.
pub(crate) fn to_wit(config: &Config) -> wit::Config {
    macro_rules! record {
        ($($field:ident,)+) => {
            wit::Config { $($field: host::config_field(config, stringify!($field)).and_then(FromValue::from_value)),+ }
        };
    }
    with_fields!(record)
}

/// Converts a value that the core has checked back into a record's field; `None` if it is null.
trait FromValue: Sized {
    fn from_value(value: Value) -> Option<Self>;
}

macro_rules! from_value {
    ($($type:ty: $pattern:pat => $made:expr,)+) => {
        $(impl FromValue for $type {
            fn from_value(value: Value) -> Option<Self> {
                if let $pattern = value { Some($made) } else { None }
            }
        })+
    };
}

from_value! {
    bool: Value::Bool(truth) => truth,
    u32: Value::Uint(count) => count as u32,
    u64: Value::Uint(count) => count,
    f64: Value::Number(number) => number,
    String: Value::Text(text) => text,
}

impl FromValue for wit::FailureThreshold {
    fn from_value(value: Value) -> Option<Self> {
        Some(u32::from_value(value).map_or(Self::Off, Self::Failures))
    }
}

impl FromValue for wit::Window {
    fn from_value(value: Value) -> Option<Self> {
        let Value::Map(entries) = value else { return None };
        let (kind, size) = entries.into_iter().next()?;
        let size = u32::from_value(size)?;
        Some(if kind == "calls" { Self::Calls(size) } else { Self::Seconds(size) })
    }
}

impl From<wit::FailureThreshold> for Value {
    fn from(threshold: wit::FailureThreshold) -> Self {
        match threshold {
            wit::FailureThreshold::Failures(failures) => failures.into(),
            wit::FailureThreshold::Off => Self::Null,
        }
    }
}

impl From<wit::Window> for Value {
    fn from(window: wit::Window) -> Self {
        let (kind, size) = match window {
            wit::Window::Calls(calls) => ("calls", calls),
            wit::Window::Seconds(seconds) => ("seconds", seconds),
        };
        Self::Map(vec![(kind.into(), size.into())])
    }
}
