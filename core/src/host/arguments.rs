//! Arguments and configurations that a host hands in as dynamic values.

use core::time::Duration;

use super::{Spelling, Value};
use crate::breaker::CircuitBreaker;
use crate::clock::{Clock, nanos_from_seconds};
use crate::config::{Config, ConfigBuilder, InvalidValue, parse, schema};
use crate::control::Outcome;

/// A configuration from a map of fields, whose names and those in an error are in the host's spelling. Absent fields keep
/// their defaults.
///
/// # Errors
/// [`InvalidValue`] for the first field that is bad, unknown or given twice; it names `config` if `document` is no
/// [`Value::Map`].
pub fn config_from(document: &Value, spelling: Spelling) -> Result<Config, InvalidValue> {
    let Value::Map(fields) = document else {
        return Err(InvalidValue::new("config", document, "an object"));
    };
    let mut builder = ConfigBuilder::new(spelling);
    for (at, (name, value)) in fields.iter().enumerate() {
        if fields[..at].iter().any(|(known, _)| known == name) {
            return Err(InvalidValue::new(name, value, "given once"));
        }
        builder.try_set(name, value)?;
    }
    builder.build()
}

/// Sets the field called `field`. As with the typed methods, the builder keeps the first error for
/// [`build`](ConfigBuilder::build).
pub fn set(builder: ConfigBuilder, field: &str, value: impl Into<Value>) -> ConfigBuilder {
    builder.set(field, value)
}

/// The value of the field called `field`, if there is such a field.
pub fn config_field(config: &Config, field: &str) -> Option<Value> {
    config.field(field)
}

/// A JSON Schema of what [`config_from`] accepts: each field with its type, limits and default; its description says what
/// it means and what is allowed. Rules between fields are not part of it.
///
/// ```
/// use halfopen::host::{self, Value};
///
/// let Value::Map(schema) = host::config_schema() else { unreachable!() };
/// assert!(schema.contains(&("type".into(), "object".into())));
/// ```
pub fn config_schema() -> Value {
    schema::json_schema()
}

/// Checks the name of something else than a circuit (a provider, for example) by the rule for `name`.
///
/// # Errors
/// [`InvalidValue`] naming `field`, unless `value` is 1 to 128 printable characters.
pub fn check_name(field: &str, value: &Value) -> Result<(), InvalidValue> {
    parsed(field, value, parse::NAME, parse::printable).map(drop)
}

/// The most breakers that a registry may hold, as a host gives it.
///
/// # Errors
/// [`InvalidValue`] naming `bound`, unless it is a whole number, at least 1.
pub fn registry_bound(bound: &Value) -> Result<usize, InvalidValue> {
    let count = |bound: &Value| parse::count(bound, 1..=u64::MAX);
    let bound = parsed("bound", bound, "a whole number, at least 1", count)?;
    Ok(usize::try_from(bound).unwrap_or(usize::MAX))
}

/// `outcome` with the number of seconds that the provider asked to be left alone, or [`Value::Null`] for no hint. Only a
/// failure carries the hint.
///
/// # Errors
/// [`InvalidValue`] naming `field`, unless it is a number of seconds from 0. (A provider may ask for zero, and
/// `max_timeout_seconds` limits any hint.)
pub fn outcome_with_hint(outcome: Outcome, field: &str, retry_after: &Value) -> Result<Outcome, InvalidValue> {
    let allowed = "a number of seconds from 0 (and below 584 years), or none";
    let hint = |value: &Value| {
        let seconds = |value: &Value| parse::number(value, 0.0..=f64::MAX).and_then(nanos_from_seconds);
        parse::optional(value, |value| seconds(value).map(Duration::from_nanos))
    };
    Ok(outcome.with_retry_after(parsed(field, retry_after, allowed, hint)?))
}

/// As [`CircuitBreaker::force_open`], with a number of seconds, or [`Value::Null`] for no end.
///
/// # Errors
/// [`InvalidValue`] naming `duration_seconds`, unless it is a number of seconds above 0 and at most one year.
pub fn force_open<C: Clock>(breaker: &CircuitBreaker<C>, duration_seconds: &Value) -> Result<(), InvalidValue> {
    let duration = match duration_seconds {
        Value::Null => None,
        seconds => Some(parsed("duration_seconds", seconds, parse::SECONDS_TO_A_YEAR, parse::seconds_to_a_year)?),
    };
    breaker.force_open(duration)
}

/// The duration that this share of the calls with this outcome did not exceed. See
/// [`Durations::percentile`](crate::evidence::Durations::percentile).
///
/// # Errors
/// [`InvalidValue`] naming `share`, unless it is a number from 0 to 1, or `outcome`, unless it is `success` or `failure`.
pub fn percentile<C: Clock>(
    breaker: &CircuitBreaker<C>,
    share: &Value,
    outcome: &Value,
) -> Result<Option<Duration>, InvalidValue> {
    let share = parsed("share", share, parse::SHARE, |share| parse::number(share, parse::RATES))?;
    let of_outcome = |outcome: &Value| {
        let by_outcome = breaker.durations().by_outcome();
        by_outcome.into_iter().find(|(name, _)| matches!(outcome, Value::Text(text) if text == name))
    };
    let (_, durations) = parsed("outcome", outcome, "success or failure", of_outcome)?;
    Ok(durations.percentile(share))
}

fn parsed<T>(
    field: &str,
    value: &Value,
    allowed: &str,
    parse: impl FnOnce(&Value) -> Option<T>,
) -> Result<T, InvalidValue> {
    parse(value).ok_or_else(|| InvalidValue::new(field, value, allowed))
}
