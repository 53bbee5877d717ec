//! Reading values that come from a host: what is allowed stands here once, beside the check.

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::fields::CALLS;
use super::{InvalidValue, Value, WindowShape};
use crate::clock::nanos_from_seconds;
use crate::control::Outcome;

pub(super) const NAME: &str = "1 to 128 printable characters";
pub(super) const RATE: &str = "a number above 0, at most 1, or none";
pub(super) const SHARE: &str = "a number from 0 to 1";
pub(super) const TRUTH: &str = "true or false";
pub(super) const SECONDS_OR_NONE: &str = "a number of seconds above 0 (and below 584 years), or none";
pub(super) const SECONDS_TO_A_YEAR: &str = "a number of seconds above 0, at most 31536000 (one year)";
pub(super) const NAME_CHARS: u64 = 128;
pub(super) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
pub(super) const RATES: RangeInclusive<f64> = 0.0..=1.0;

/// Whether a wait may be as long as that.
pub(crate) fn is_wait(duration: &Duration) -> bool {
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

/// How many breakers a registry may hold.
pub(crate) fn bound_argument(value: &Value) -> Result<usize, InvalidValue> {
    let bound = count(value, CALLS).ok_or_else(|| InvalidValue::new("bound", value, "a whole number, at least 1"))?;
    Ok(usize::try_from(bound).unwrap_or(usize::MAX))
}

/// A share of calls that a host asks about.
pub(crate) fn share_argument(name: &str, value: &Value) -> Result<f64, InvalidValue> {
    number(value, 0.0..=1.0).ok_or_else(|| InvalidValue::new(name, value, SHARE))
}

/// One of the outcomes that have durations.
pub(crate) fn outcome_argument(name: &str, value: &Value) -> Result<Outcome, InvalidValue> {
    let named = |outcome: &Outcome| matches!(value, Value::Text(text) if text == outcome.as_str());
    let known = [Outcome::Success, Outcome::Failure].into_iter().find(named);
    known.ok_or_else(|| InvalidValue::new(name, value, "success or failure"))
}

/// How long a provider asked to be left alone: it may say zero, and any wait is cut to `max_timeout_seconds` anyway.
pub(crate) fn hint_argument(name: &str, value: &Value) -> Result<Option<Duration>, InvalidValue> {
    let allowed = "a number of seconds from 0 (and below 584 years), or none";
    let hint = |value: &Value| number(value, 0.0..=f64::MAX).and_then(nanos_from_seconds).map(Duration::from_nanos);
    optional(value, hint).ok_or_else(|| InvalidValue::new(name, value, allowed))
}

/// `Some(None)` where nothing was given, and that is allowed.
pub(super) fn optional<T>(value: &Value, parse: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        given => parse(given).map(Some),
    }
}

/// A whole number in `range`.
pub(super) fn count(value: &Value, range: RangeInclusive<u64>) -> Option<u64> {
    value.as_whole().filter(|count| range.contains(count))
}

/// A positive number of seconds as a duration of at least one nanosecond.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = number(value, 0.0..=f64::MAX).filter(|seconds| *seconds > 0.0)?;
    let nanos = nanos_from_seconds(seconds)?;
    Some(Duration::from_nanos(nanos.max(1)))
}

pub(super) fn seconds_to_a_year(value: &Value) -> Option<Duration> {
    seconds(value).filter(is_wait)
}

pub(super) fn number(value: &Value, range: RangeInclusive<f64>) -> Option<f64> {
    let number = match *value {
        Value::Whole(count) => count as f64,
        Value::Number(number) => number,
        _ => return None,
    };
    // Together with a zero, a negative zero is one: what is equal looks alike.
    range.contains(&number).then_some(number + 0.0)
}

pub(super) fn rate(value: &Value) -> Option<f64> {
    number(value, RATES).filter(|rate| *rate > 0.0)
}

pub(super) fn truth(value: &Value) -> Option<bool> {
    if let Value::Bool(truth) = *value { Some(truth) } else { None }
}

pub(super) fn window(value: &Value) -> Option<WindowShape> {
    let Value::Map(entries) = value else { return None };
    match entries.as_slice() {
        [(kind, calls)] if kind == "calls" => {
            count(calls, WindowShape::CALLS).map(|calls| WindowShape::Calls(calls as u16))
        }
        [(kind, seconds)] if kind == "seconds" => {
            count(seconds, WindowShape::SECONDS).map(|seconds| WindowShape::Seconds(seconds as u16))
        }
        _ => None,
    }
}

pub(super) fn printable(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    // Line and paragraph separators are no control characters, and would still break a log line in two.
    let unprintable = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut left = NAME_CHARS as i64;
    let fits = !text.is_empty()
        && text.chars().all(|c| {
            left -= 1;
            left >= 0 && !unprintable(c)
        });
    fits.then(|| Arc::from(text.as_str()))
}
