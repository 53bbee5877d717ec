//! The table of fields: for each its name, what is allowed, and how it is written and read.

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::{Config, InvalidValue, Value, WindowShape};
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
        allowed: NAME,
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
        name: "failure_rate_threshold",
        allowed: RATE,
        write: |config, value| put(&mut config.rules.failure_rate, optional(value, rate)),
        read: |config| config.rules.failure_rate.into(),
    },
    Field {
        name: "slow_call_seconds",
        allowed: SECONDS_OR_NONE,
        write: |config, value| put(&mut config.rules.slow_call, optional(value, seconds)),
        read: |config| in_seconds(config.rules.slow_call),
    },
    Field {
        name: "slow_call_rate_threshold",
        allowed: RATE,
        write: |config, value| put(&mut config.rules.slow_call_rate, optional(value, rate)),
        read: |config| config.rules.slow_call_rate.into(),
    },
    Field {
        name: "window",
        allowed: r#"{"calls": 1 to 10000} or {"seconds": 1 to 3600}"#,
        write: |config, value| put(&mut config.rules.window, window(value)),
        read: |config| config.rules.window.into(),
    },
    Field {
        name: "minimum_calls",
        allowed: "a whole number, at least 1",
        write: |config, value| put(&mut config.rules.minimum_calls, whole(value, 1..=u64::MAX)),
        read: |config| config.rules.minimum_calls.into(),
    },
    Field {
        name: "timeout_multiplier",
        allowed: "a number from 1 to 10",
        write: |config, value| put(&mut config.rules.timeout_multiplier, number(value, 1.0..=10.0)),
        read: |config| config.rules.timeout_multiplier.into(),
    },
    Field {
        name: "max_timeout_seconds",
        allowed: "a number of seconds, at least timeout_seconds, or none for one hour or timeout_seconds if that is more",
        write: |config, value| put(&mut config.rules.max_timeout, optional(value, seconds)),
        read: |config| in_seconds(config.rules.max_timeout),
    },
    Field {
        name: "timeout_jitter",
        allowed: "a number from 0 to 1",
        write: |config, value| put(&mut config.rules.timeout_jitter, number(value, 0.0..=1.0)),
        read: |config| config.rules.timeout_jitter.into(),
    },
    Field {
        name: "probe_timeout_seconds",
        allowed: "a number of seconds above 0 (and below 584 years), or none for the same as timeout_seconds",
        write: |config, value| put(&mut config.rules.probe_timeout, optional(value, seconds)),
        read: |config| in_seconds(config.rules.probe_timeout),
    },
    Field {
        name: "cancel_failure_after_seconds",
        allowed: SECONDS_OR_NONE,
        write: |config, value| put(&mut config.rules.cancel_failure_after, optional(value, seconds)),
        read: |config| in_seconds(config.rules.cancel_failure_after),
    },
    Field {
        name: "shadow",
        allowed: TRUTH,
        write: |config, value| put(&mut config.rules.shadow, truth(value)),
        read: |config| config.rules.shadow.into(),
    },
    Field {
        name: "record_durations",
        allowed: TRUTH,
        write: |config, value| put(&mut config.rules.record_durations, truth(value)),
        read: |config| config.rules.record_durations.into(),
    },
];

const NAME: &str = "1 to 128 printable characters";
const RATE: &str = "a number above 0, at most 1, or none";
const TRUTH: &str = "true or false";
const SECONDS_OR_NONE: &str = "a number of seconds above 0 (and below 584 years), or none";
const SECONDS_TO_A_YEAR: &str = "a number of seconds above 0, at most 31536000 (one year)";
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

pub(super) fn find(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name == name)
}

/// What no field can know alone.
pub(super) fn check_together(config: Config) -> Result<Config, InvalidValue> {
    let rules = &config.rules;
    let refuse = |name: &'static str, allowed: &str| {
        let value = config.entry(name).unwrap_or(Value::Null);
        Err(InvalidValue::new(name, &value, allowed))
    };
    if rules.slow_call_rate.is_some() && rules.slow_call.is_none() {
        return refuse("slow_call_rate_threshold", "a rate only together with slow_call_seconds");
    }
    if rules.failure_threshold.is_none() && rules.window_in_use().is_none() {
        return refuse("failure_threshold", "a whole number from 1 to 65535, because no other opening policy is on");
    }
    if rules.max_timeout.is_some_and(|longest| longest < rules.timeout) {
        return refuse("max_timeout_seconds", "at least timeout_seconds");
    }
    if let Some(WindowShape::Calls(calls)) = rules.window_in_use()
        && rules.minimum_calls > calls.into()
    {
        return refuse("minimum_calls", "at most the calls that the window holds");
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

/// A name that a host gives to something else than the circuit, under the same rule as `name`.
pub(super) fn check_name(field: &str, value: &Value) -> Result<(), InvalidValue> {
    printable(value).map(|_| ()).ok_or_else(|| InvalidValue::new(field, value, NAME))
}

/// How long a provider asked to be left alone: it may say zero, and any wait is cut to `max_timeout_seconds` anyway.
pub(crate) fn hint_argument(name: &str, value: &Value) -> Result<Option<Duration>, InvalidValue> {
    let allowed = "a number of seconds from 0 (and below 584 years), or none";
    let hint = |value: &Value| number(value, 0.0..=f64::MAX).and_then(nanos_from_seconds).map(Duration::from_nanos);
    optional(value, hint).ok_or_else(|| InvalidValue::new(name, value, allowed))
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
    let seconds = number(value, 0.0..=f64::MAX).filter(|seconds| *seconds > 0.0)?;
    let nanos = nanos_from_seconds(seconds)?;
    Some(Duration::from_nanos(nanos.max(1)))
}

fn seconds_to_a_year(value: &Value) -> Option<Duration> {
    seconds(value).filter(is_wait)
}

fn in_seconds(duration: Option<Duration>) -> Value {
    duration.map(|duration| duration.as_secs_f64()).into()
}

fn number(value: &Value, range: RangeInclusive<f64>) -> Option<f64> {
    let number = match *value {
        Value::Whole(count) => count as f64,
        Value::Number(number) => number,
        _ => return None,
    };
    range.contains(&number).then_some(number)
}

fn rate(value: &Value) -> Option<f64> {
    number(value, 0.0..=1.0).filter(|rate| *rate > 0.0)
}

fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = *value { Some(truth) } else { None }
}

fn window(value: &Value) -> Option<WindowShape> {
    let Value::Map(entries) = value else { return None };
    match entries.as_slice() {
        [(kind, calls)] if kind == "calls" => whole(calls, 1..=10_000).map(WindowShape::Calls),
        [(kind, seconds)] if kind == "seconds" => whole(seconds, 1..=3_600).map(WindowShape::Seconds),
        _ => None,
    }
}

fn printable(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    // Line and paragraph separators are no control characters, and would still break a log line in two.
    let unprintable = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let fits = (1..=128).contains(&text.chars().count()) && !text.chars().any(unprintable);
    fits.then(|| Arc::from(text.as_str()))
}
