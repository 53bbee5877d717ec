//! The table of fields: for each its name, what is allowed, and how it is written and read.

use super::parse::{
    NAME, RATE, SECONDS_OR_NONE, SECONDS_TO_A_YEAR, SHARE, TRUTH, number, optional, printable, rate, seconds,
    seconds_to_a_year, truth, whole, window,
};
use super::{Config, InvalidValue, Value, WindowShape};
use core::time::Duration;

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
        allowed: SHARE,
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

fn put<T>(place: &mut T, value: Option<T>) -> Option<()> {
    value.map(|value| *place = value)
}

fn in_seconds(duration: Option<Duration>) -> Value {
    duration.map(|duration| duration.as_secs_f64()).into()
}
