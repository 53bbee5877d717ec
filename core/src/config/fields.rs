//! The table of fields: for each its name, what is allowed, and how it is written and read.

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::{Config, InvalidValue, Value};
use crate::clock::nanos_from_seconds;

/// A row of the table.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) allowed: &'static str,
    /// Puts a value in, or changes nothing and says `None`.
    pub(super) write: fn(&mut Config, &Value) -> Option<()>,
    pub(super) read: fn(&Config) -> Value,
}

pub(super) const FIELDS: &[Field] = &[
    Field {
        name: "name",
        allowed: "1 to 128 printable characters",
        write: |config, value| put(&mut config.name, printable(value)),
        read: |config| Value::from(config.name()),
    },
    Field {
        name: "failure_threshold",
        allowed: "a whole number from 1 to 65535, or none while another policy is on",
        write: |config, value| put(&mut config.rules.failure_threshold, optional(value, |v| whole(v, 1..=u16::MAX))),
        read: |config| config.rules.failure_threshold.into(),
    },
    Field {
        name: "success_threshold",
        allowed: "a whole number from 1 to 255",
        write: |config, value| put(&mut config.rules.success_threshold, whole(value, 1..=u8::MAX)),
        read: |config| config.rules.success_threshold.into(),
    },
    Field {
        name: "timeout_seconds",
        allowed: SECONDS_TO_A_YEAR,
        write: |config, value| put(&mut config.rules.timeout, seconds_to_a_year(value)),
        read: |config| config.rules.timeout.as_secs_f64().into(),
    },
    Field {
        name: "half_open_max_calls",
        allowed: "a whole number from 1 to 255",
        write: |config, value| put(&mut config.rules.half_open_max_calls, whole(value, 1..=u8::MAX)),
        read: |config| config.rules.half_open_max_calls.into(),
    },
    Field {
        name: "probe_timeout_seconds",
        allowed: "a number of seconds above 0 (and below 584 years), or none for the same as timeout_seconds",
        write: |config, value| put(&mut config.rules.probe_timeout, optional(value, seconds)),
        read: |config| config.rules.probe_timeout.map(|timeout| timeout.as_secs_f64()).into(),
    },
];

const SECONDS_TO_A_YEAR: &str = "a number of seconds above 0, at most 31536000 (one year)";
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What no field can know alone.
pub(super) fn check_together(config: Config) -> Result<Config, InvalidValue> {
    if config.rules.failure_threshold.is_none() {
        let allowed = "a whole number from 1 to 65535, because no other opening policy is on";
        return Err(InvalidValue::new("failure_threshold", &Value::Null, allowed));
    }
    Ok(config)
}

/// Whether a wait may be as long as that.
fn is_wait(duration: &Duration) -> bool {
    !duration.is_zero() && *duration <= YEAR
}

/// A wait that an operation takes, under the same rule as `timeout_seconds`.
pub(crate) fn wait_argument(name: &str, wait: Duration) -> Result<Duration, InvalidValue> {
    let refused = || InvalidValue::new(name, &Value::Number(wait.as_secs_f64()), SECONDS_TO_A_YEAR);
    is_wait(&wait).then_some(wait).ok_or_else(refused)
}

/// The same as a host gives it.
pub(crate) fn seconds_argument(name: &str, value: &Value) -> Result<Duration, InvalidValue> {
    seconds_to_a_year(value).ok_or_else(|| InvalidValue::new(name, value, SECONDS_TO_A_YEAR))
}

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    value.map(|value| *place = value)
}

/// `Some(None)` where nothing was given, and that is allowed.
fn optional<T>(value: &Value, parse: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        given => parse(given).map(Some),
    }
}

fn whole<T: PartialOrd + TryFrom<u64>>(value: &Value, range: RangeInclusive<T>) -> Option<T> {
    let count = match *value {
        Value::Whole(count) => count,
        // `as` saturates, so what is negative, fractional, huge or NaN does not come back as the same number.
        Value::Number(number) if (number as u64) as f64 == number => number as u64,
        _ => return None,
    };
    T::try_from(count).ok().filter(|count| range.contains(count))
}

/// A positive number of seconds as a duration of at least one nanosecond.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match *value {
        Value::Whole(count) => count as f64,
        Value::Number(number) => number,
        _ => return None,
    };
    let nanos = if seconds > 0.0 { nanos_from_seconds(seconds)? } else { return None };
    Some(Duration::from_nanos(nanos.max(1)))
}

fn seconds_to_a_year(value: &Value) -> Option<Duration> {
    seconds(value).filter(is_wait)
}

fn printable(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    // Line and paragraph separators are no control characters, and would still break a log line in two.
    let unprintable = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let fits = (1..=128).contains(&text.chars().count()) && !text.chars().any(unprintable);
    fits.then(|| Arc::from(text.as_str()))
}
