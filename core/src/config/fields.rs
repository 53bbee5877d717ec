//! The table of fields: name, meaning, what is allowed, and where the value is stored.

use alloc::sync::Arc;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::parse::{
    BOOLEAN, NAME, RATE, SECONDS_OR_NONE, SECONDS_TO_A_YEAR, SHARE, boolean, count, number, optional, printable, rate,
    seconds, seconds_to_a_year, window,
};
use super::{Config, InvalidValue, Value, WindowShape};
use crate::names::Spelling;

/// A row of the table.
pub(super) struct Field {
    pub(super) name: &'static str,
    /// One sentence. In it and in `allowed`, the names of other fields stand between backticks: see [`Spelling::text`].
    pub(super) meaning: &'static str,
    pub(super) allowed: &'static str,
    pub(super) place: fn(&mut Config) -> Place<'_>,
}

pub(super) const STREAKS: RangeInclusive<u64> = 1..=u16::MAX as u64;
pub(super) const SMALL: RangeInclusive<u64> = 1..=u8::MAX as u64;
pub(super) const CALLS: RangeInclusive<u64> = 1..=u64::MAX;

/// The place where a field's value is stored, by its kind.
pub(super) enum Place<'c> {
    Name(&'c mut Arc<str>),
    /// A whole number from 1, or none.
    Streak(&'c mut Option<u16>),
    /// A whole number from 1.
    Small(&'c mut u8),
    /// A whole number from 1.
    Calls(&'c mut u64),
    /// At most a year.
    Wait(&'c mut Duration),
    Seconds(&'c mut Option<Duration>),
    Rate(&'c mut Option<f64>),
    Number(&'c mut f64, RangeInclusive<f64>),
    Shape(&'c mut WindowShape),
    Boolean(&'c mut bool),
}

impl Field {
    /// Stores a value; `None`, and nothing has changed, if it is not allowed.
    pub(super) fn write(&self, config: &mut Config, value: &Value) -> Option<()> {
        match (self.place)(config) {
            Place::Name(place) => *place = printable(value)?,
            Place::Streak(place) => *place = optional(value, |value| count(value, STREAKS))?.map(|n| n as u16),
            Place::Small(place) => *place = count(value, SMALL)? as u8,
            Place::Calls(place) => *place = count(value, CALLS)?,
            Place::Wait(place) => *place = seconds_to_a_year(value)?,
            Place::Seconds(place) => *place = optional(value, seconds)?,
            Place::Rate(place) => *place = optional(value, rate)?,
            Place::Number(place, range) => *place = number(value, range)?,
            Place::Shape(place) => *place = window(value)?,
            Place::Boolean(place) => *place = boolean(value)?,
        }
        Some(())
    }

    pub(super) fn read(&self, config: &Config) -> Value {
        // A place is mutable, so this reads from a clone, which is small and shares the name.
        match (self.place)(&mut config.clone()) {
            Place::Name(name) => Value::from(&**name),
            Place::Streak(failures) => (*failures).into(),
            Place::Small(count) => (*count).into(),
            Place::Calls(count) => (*count).into(),
            Place::Wait(wait) => (*wait).into(),
            Place::Seconds(seconds) => (*seconds).into(),
            Place::Rate(rate) => (*rate).into(),
            Place::Number(number, _) => (*number).into(),
            Place::Shape(shape) => (*shape).into(),
            Place::Boolean(boolean) => (*boolean).into(),
        }
    }
}

/// Declares the table: for each field its name, the kind of its place and the place itself, its meaning, and what is
/// allowed.
macro_rules! fields {
    ($($name:literal $kind:ident($($part:ident).+ $(, $range:expr)?) $meaning:literal, $allowed:expr;)+) => {
        pub(super) const FIELDS: &[Field] = &[$(Field {
            name: $name,
            meaning: $meaning,
            allowed: $allowed,
            place: |config| Place::$kind(&mut config.$($part).+ $(, $range)?),
        }),+];
    };
}

fields! {
    "name" Name(name)
        "Identifies the circuit",
        NAME;
    "failure_threshold" Streak(rules.failure_threshold)
        "Consecutive failures that open the circuit; none switches this policy off",
        "a whole number from 1 to 65535, or none while another policy is on";
    "success_threshold" Small(rules.success_threshold)
        "Consecutive probe successes that close the circuit",
        "a whole number from 1 to 255";
    "timeout_seconds" Wait(rules.timeout)
        "How long an open circuit waits before the first probe",
        SECONDS_TO_A_YEAR;
    "half_open_max_calls" Small(rules.half_open_max_calls)
        "Probes in flight at once",
        "a whole number from 1 to 255";
    "failure_rate_threshold" Rate(rules.failure_rate)
        "Failures / calls in the window that open the circuit",
        RATE;
    "slow_call_seconds" Seconds(rules.slow_call)
        "A call that takes this long or longer is slow",
        SECONDS_OR_NONE;
    "slow_call_rate_threshold" Rate(rules.slow_call_rate)
        "Slow calls / calls in the window that open the circuit; needs `slow_call_seconds`",
        RATE;
    "window" Shape(rules.window)
        "The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set",
        r#"{"calls": 1 to 10000} or {"seconds": 1 to 3600}"#;
    "minimum_calls" Calls(rules.minimum_calls)
        "Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set",
        "a whole number, at least 1";
    "timeout_multiplier" Number(rules.timeout_multiplier, 1.0..=10.0)
        "Each further opening waits this many times longer",
        "a number from 1 to 10";
    "max_timeout_seconds" Seconds(rules.max_timeout)
        "The longest wait that the multiplier, the jitter or a hint can produce",
        "a number of seconds, at least `timeout_seconds`, or none for one hour or `timeout_seconds` if that is more";
    "timeout_jitter" Number(rules.timeout_jitter, 0.0..=1.0)
        "The wait is spread over ± this share of itself",
        SHARE;
    "probe_timeout_seconds" Seconds(rules.probe_timeout)
        "If all slots are taken and there was no probe activity for this long, the slots are reclaimed",
        "a number of seconds above 0 (and below 584 years), or none for the same as `timeout_seconds`";
    "cancel_failure_after_seconds" Seconds(rules.cancel_failure_after)
        "A call cancelled after running this long counts as a failure",
        SECONDS_OR_NONE;
    "shadow" Boolean(rules.shadow)
        "Decide and count, but reject nothing",
        BOOLEAN;
    "record_durations" Boolean(rules.record_durations)
        "Record durations and the time of the last success; if off, the clock is read only where a rule needs it",
        BOOLEAN;
}

pub(super) fn find(name: &str, spelling: Spelling) -> Option<&'static Field> {
    FIELDS.iter().find(|field| spelling.is_name(name, field.name))
}

/// Checks the rules that concern several fields.
pub(super) fn check_together(config: Config, spelling: Spelling) -> Result<Config, InvalidValue> {
    let rules = &config.rules;
    let refuse = |name: &'static str, allowed: &str| {
        let value = config.field(name).unwrap_or(Value::Null);
        Err(InvalidValue::new(&spelling.name(name), &value, &spelling.text(allowed)))
    };
    if rules.slow_call_rate.is_some() && rules.slow_call.is_none() {
        return refuse("slow_call_rate_threshold", "a rate only together with `slow_call_seconds`");
    }
    if rules.failure_threshold.is_none() && rules.window_in_use().is_none() {
        return refuse("failure_threshold", "a whole number from 1 to 65535, because no other opening policy is on");
    }
    if rules.max_timeout.is_some_and(|longest| longest < rules.timeout) {
        return refuse("max_timeout_seconds", "at least `timeout_seconds`");
    }
    if let Some(WindowShape::Calls(calls)) = rules.window_in_use()
        && rules.minimum_calls > calls.into()
    {
        return refuse("minimum_calls", "at most the calls that the window holds");
    }
    Ok(config)
}
