//! Values in JavaScript's spelling.

use halfopen::evidence::{CallDurations, Durations};
use halfopen::host::{self, Spelling, Value};
use halfopen::{Config, InvalidValue};

/// A configuration from an object whose fields are named in camelCase, as are those in an error.
///
/// # Errors
/// [`InvalidValue`] for the first field that is bad or unknown.
pub fn config(object: &Value) -> Result<Config, InvalidValue> {
    host::config_from(object, Spelling::CamelCase)
}

/// An object of named values: the names in camelCase, all numbers as JavaScript has them.
pub(crate) fn object(entries: impl Iterator<Item = (&'static str, Value)>) -> Value {
    Value::Map(entries.map(|(name, value)| (Spelling::CamelCase.name(name), number(value))).collect())
}

/// A count as a double: larger ones are not integers in JavaScript, and no serialiser may turn them into a `bigint`.
pub fn number(value: Value) -> Value {
    match value {
        Value::Uint(count) => Value::Number(count as f64),
        Value::Map(entries) => Value::Map(entries.into_iter().map(|(name, value)| (name, number(value))).collect()),
        Value::List(values) => Value::List(values.into_iter().map(number).collect()),
        other => other,
    }
}

/// The histograms, by the outcome that they belong to.
pub(crate) fn durations(all: &CallDurations) -> Value {
    object(all.by_outcome().into_iter().map(|(outcome, durations)| (outcome, histogram(&durations))))
}

fn histogram(durations: &Durations) -> Value {
    let bucket = |(bound, calls): (f64, u64)| {
        object([("up_to_seconds", Value::Number(bound)), ("count", Value::Uint(calls))].into_iter())
    };
    let entries = [
        ("count", Value::Uint(durations.count())),
        ("total_seconds", Value::Number(durations.total.as_secs_f64())),
        ("buckets", Value::List(durations.cumulative().map(bucket).collect())),
    ];
    object(entries.into_iter())
}

/// An error about an argument, under the argument's name in JavaScript.
pub(crate) fn named(field: &str, error: InvalidValue) -> InvalidValue {
    InvalidValue::new(field, error.value(), &Spelling::CamelCase.text(error.allowed()))
}
