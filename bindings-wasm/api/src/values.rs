//! Values in JavaScript's spelling.

use halfopen::InvalidValue;
use halfopen::host::{Spelling, Value};

/// An object of named values, with all names in camelCase.
pub(crate) fn object(entries: impl Iterator<Item = (&'static str, Value)>) -> Value {
    converted(entries.collect(), Spelling::CamelCase)
}

/// A value with its names in this spelling and its counts as doubles: larger ones are not integers in JavaScript, and no
/// serialiser may turn them into a `bigint`.
pub(crate) fn converted(value: Value, spelling: Spelling) -> Value {
    let inner = |value| converted(value, spelling);
    match value {
        Value::Uint(count) => Value::Number(count as f64),
        Value::Map(entries) => {
            Value::Map(entries.into_iter().map(|(name, value)| (spelling.name(&name), inner(value))).collect())
        }
        Value::List(values) => Value::List(values.into_iter().map(inner).collect()),
        other => other,
    }
}

/// An error about an argument, under the argument's name in JavaScript.
pub(crate) fn named(field: &str, error: InvalidValue) -> InvalidValue {
    InvalidValue::new(field, error.value(), &Spelling::CamelCase.text(error.allowed()))
}
