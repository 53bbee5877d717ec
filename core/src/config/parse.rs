//! Checks of dynamic values, each beside the text that says what is allowed.

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::{InvalidValue, Value, WindowShape};
use crate::clock::nanos_from_seconds;

pub(crate) const NAME: &str = "1 to 128 printable characters";
pub(crate) const RATE: &str = "a number above 0, at most 1, or none";
pub(crate) const SHARE: &str = "a number from 0 to 1";
pub(crate) const BOOLEAN: &str = "true or false";
pub(crate) const SECONDS_OR_NONE: &str = "a number of seconds above 0 (and below 584 years), or none";
pub(crate) const SECONDS_TO_A_YEAR: &str = "a number of seconds above 0, at most 31536000 (one year)";
pub(crate) const NAME_CHARS: u64 = 128;
pub(crate) const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
pub(crate) const RATES: RangeInclusive<f64> = 0.0..=1.0;

/// Whether a wait of this length is allowed.
pub(crate) fn is_wait(duration: &Duration) -> bool {
    !duration.is_zero() && *duration <= YEAR
}

/// Checks the duration of an operation by the rule for `timeout_seconds`.
pub(crate) fn wait_argument(name: &str, wait: Duration) -> Result<Duration, InvalidValue> {
    let refused = || InvalidValue::new(name, &Value::Number(wait.as_secs_f64()), SECONDS_TO_A_YEAR);
    is_wait(&wait).then_some(wait).ok_or_else(refused)
}

/// `Some(None)` for null.
pub(crate) fn optional<T>(value: &Value, parse: impl FnOnce(&Value) -> Option<T>) -> Option<Option<T>> {
    match value {
        Value::Null => Some(None),
        given => parse(given).map(Some),
    }
}

/// A whole number in `range`.
pub(crate) fn count(value: &Value, range: RangeInclusive<u64>) -> Option<u64> {
    value.as_whole().filter(|count| range.contains(count))
}

/// A positive number of seconds as a duration of at least one nanosecond.
pub(crate) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = number(value, 0.0..=f64::MAX).filter(|seconds| *seconds > 0.0)?;
    let nanos = nanos_from_seconds(seconds)?;
    Some(Duration::from_nanos(nanos.max(1)))
}

pub(crate) fn seconds_to_a_year(value: &Value) -> Option<Duration> {
    seconds(value).filter(is_wait)
}

pub(crate) fn number(value: &Value, range: RangeInclusive<f64>) -> Option<f64> {
    let number = match *value {
        Value::Uint(count) => count as f64,
        Value::Number(number) => number,
        _ => return None,
    };
    // Normalise −0.0 to 0.0.
    range.contains(&number).then_some(number + 0.0)
}

pub(crate) fn rate(value: &Value) -> Option<f64> {
    number(value, RATES).filter(|rate| *rate > 0.0)
}

pub(crate) fn boolean(value: &Value) -> Option<bool> {
    if let Value::Bool(boolean) = *value { Some(boolean) } else { None }
}

pub(crate) fn window(value: &Value) -> Option<WindowShape> {
    let Value::Map(entries) = value else { return None };
    match entries.as_slice() {
        [(kind, calls)] if kind == "calls" => {
            count(calls, WindowShape::CALLS).map(|calls| WindowShape::Calls(calls as u16))
        }
        [(kind, seconds)] if kind == "seconds" => {
            count(seconds, WindowShape::SECONDS).map(|seconds| WindowShape::Time(Duration::from_secs(seconds)))
        }
        _ => None,
    }
}

pub(crate) fn printable(value: &Value) -> Option<Arc<str>> {
    let Value::Text(text) = value else { return None };
    // Line and paragraph separators are not control characters, but would break a log line in two.
    let unprintable = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let mut left = NAME_CHARS as i64;
    let fits = !text.is_empty()
        && text.chars().all(|c| {
            left -= 1;
            left >= 0 && !unprintable(c)
        });
    fits.then(|| Arc::from(text.as_str()))
}
