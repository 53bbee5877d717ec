//! The configuration: a record out of options, which the core checks field by field.

use std::time::Duration;

use halfopen::{Config, InvalidValue, Value, WindowShape};

use crate::wit;

/// Reads a JSON document with the names of the documentation.
pub(crate) fn parse(document: &str) -> Result<wit::Config, InvalidValue> {
    Ok(told(&Config::from_value(&Value::from_json("config", document)?)?))
}

/// What the record says, checked; a field that is none has its default.
pub(crate) fn checked(record: wit::Config) -> Result<Config, InvalidValue> {
    // Taken apart by name, so that no field can be forgotten.
    let wit::Config {
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
    } = record;
    let fields = [
        ("name", name.as_deref().map(Value::from)),
        ("failure_threshold", failure_threshold.map(Value::from)),
        ("success_threshold", success_threshold.map(Value::from)),
        ("timeout_seconds", timeout_seconds.map(Value::from)),
        ("half_open_max_calls", half_open_max_calls.map(Value::from)),
        ("failure_rate_threshold", failure_rate_threshold.map(Value::from)),
        ("slow_call_seconds", slow_call_seconds.map(Value::from)),
        ("slow_call_rate_threshold", slow_call_rate_threshold.map(Value::from)),
        ("window", window.map(Value::from)),
        ("minimum_calls", minimum_calls.map(Value::from)),
        ("timeout_multiplier", timeout_multiplier.map(Value::from)),
        ("max_timeout_seconds", max_timeout_seconds.map(Value::from)),
        ("timeout_jitter", timeout_jitter.map(Value::from)),
        ("probe_timeout_seconds", probe_timeout_seconds.map(Value::from)),
        ("cancel_failure_after_seconds", cancel_failure_after_seconds.map(Value::from)),
        ("shadow", shadow.map(Value::from)),
        ("record_durations", record_durations.map(Value::from)),
    ];
    let given = fields.into_iter().filter_map(|(name, value)| value.map(|value| (name, value)));
    given.fold(Config::builder(), |builder, (name, value)| builder.set(name, value)).build()
}

/// The configuration as a record that says all of it.
pub(crate) fn told(config: &Config) -> wit::Config {
    let rules = config.rules();
    let seconds = |duration: Duration| duration.as_secs_f64();
    wit::Config {
        name: Some(config.name().into()),
        failure_threshold: Some(match rules.failure_threshold {
            Some(failures) => wit::FailureThreshold::Failures(failures.into()),
            None => wit::FailureThreshold::Off,
        }),
        success_threshold: Some(rules.success_threshold.into()),
        timeout_seconds: Some(seconds(rules.timeout)),
        half_open_max_calls: Some(rules.half_open_max_calls.into()),
        failure_rate_threshold: rules.failure_rate,
        slow_call_seconds: rules.slow_call.map(seconds),
        slow_call_rate_threshold: rules.slow_call_rate,
        window: Some(match rules.window {
            WindowShape::Calls(calls) => wit::Window::Calls(calls.into()),
            WindowShape::Seconds(seconds) => wit::Window::Seconds(seconds.into()),
        }),
        minimum_calls: Some(rules.minimum_calls),
        timeout_multiplier: Some(rules.timeout_multiplier),
        max_timeout_seconds: rules.max_timeout.map(seconds),
        timeout_jitter: Some(rules.timeout_jitter),
        probe_timeout_seconds: rules.probe_timeout.map(seconds),
        cancel_failure_after_seconds: rules.cancel_failure_after.map(seconds),
        shadow: Some(rules.shadow),
        record_durations: Some(rules.record_durations),
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
