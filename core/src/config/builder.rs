//! Building a configuration field by field.

use alloc::format;
use core::time::Duration;

use super::fields;
use super::{Config, InvalidValue, Value, WindowShape, known_fields};
use crate::names::Spelling;

/// Collects fields and refuses the first bad one when [`build`](Self::build) is called.
///
/// The methods bear the names of the fields, the same in every language. A field in seconds takes a `Duration` here, so its
/// method has no `_seconds` at the end.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    config: Config,
    spelling: Spelling,
    refused: Option<InvalidValue>,
}

impl ConfigBuilder {
    pub(crate) fn new(spelling: Spelling) -> Self {
        Self { config: Config::default(), spelling, refused: None }
    }

    /// See [`host::set`](crate::host::set).
    pub(crate) fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        if self.refused.is_none() {
            self.refused = self.try_set(field, &value.into()).err();
        }
        self
    }

    fn set_duration(self, field: &str, duration: Option<Duration>) -> Self {
        self.set(field, duration.map(|duration| duration.as_secs_f64()))
    }

    // from make generate: rust setters; do not edit
    /// Identifies the circuit. Allowed: 1 to 128 printable characters. Default: `"default"`.
    pub fn name(self, value: &str) -> Self {
        self.set("name", value)
    }

    /// Consecutive failures that open the circuit; `None` switches this policy off. Allowed: a whole number from 1 to
    /// 65535, or `None` while another policy is on. Default: 5.
    pub fn failure_threshold(self, value: impl Into<Option<u16>>) -> Self {
        self.set("failure_threshold", value.into())
    }

    /// Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255. Default: 2.
    pub fn success_threshold(self, value: u8) -> Self {
        self.set("success_threshold", value)
    }

    /// How long an open circuit waits before the first probe. Allowed: a number of seconds above 0, at most 31536000
    /// (one year). Default: 60.0.
    pub fn timeout(self, value: Duration) -> Self {
        self.set_duration("timeout_seconds", value.into())
    }

    /// Probes in flight at once. Allowed: a whole number from 1 to 255. Default: 3.
    pub fn half_open_max_calls(self, value: u8) -> Self {
        self.set("half_open_max_calls", value)
    }

    /// Failures / calls in the window that open the circuit. Allowed: a number above 0, at most 1, or `None`. Default:
    /// `None`.
    pub fn failure_rate_threshold(self, value: impl Into<Option<f64>>) -> Self {
        self.set("failure_rate_threshold", value.into())
    }

    /// A call that takes this long or longer is slow. Allowed: a number of seconds above 0 (and below 584 years), or
    /// `None`. Default: `None`.
    pub fn slow_call(self, value: impl Into<Option<Duration>>) -> Self {
        self.set_duration("slow_call_seconds", value.into())
    }

    /// Slow calls / calls in the window that open the circuit; needs `slow_call`. Allowed: a number above 0, at most 1,
    /// or `None`. Default: `None`.
    pub fn slow_call_rate_threshold(self, value: impl Into<Option<f64>>) -> Self {
        self.set("slow_call_rate_threshold", value.into())
    }

    /// The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set.
    /// Allowed: `calls(1 to 10000)` or `seconds(1 to 3600)`. Default: `calls(100)`.
    pub fn window(self, value: WindowShape) -> Self {
        self.set("window", value)
    }

    /// Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set.
    /// Allowed: a whole number, at least 1. Default: 10.
    pub fn minimum_calls(self, value: u64) -> Self {
        self.set("minimum_calls", value)
    }

    /// Each further opening waits this many times longer. Allowed: a number from 1 to 10. Default: 1.0.
    pub fn timeout_multiplier(self, value: f64) -> Self {
        self.set("timeout_multiplier", value)
    }

    /// The longest wait that the multiplier, the jitter or a hint can produce. Allowed: a number of seconds, at least
    /// `timeout`, or `None` for one hour or `timeout` if that is more. Default: `None`.
    pub fn max_timeout(self, value: impl Into<Option<Duration>>) -> Self {
        self.set_duration("max_timeout_seconds", value.into())
    }

    /// The wait is spread over ± this share of itself. Allowed: a number from 0 to 1. Default: 0.0.
    pub fn timeout_jitter(self, value: f64) -> Self {
        self.set("timeout_jitter", value)
    }

    /// If all slots are taken and there was no probe activity for this long, the slots are reclaimed. Allowed: a number
    /// of seconds above 0 (and below 584 years), or `None` for the same as `timeout`. Default: `None`.
    pub fn probe_timeout(self, value: impl Into<Option<Duration>>) -> Self {
        self.set_duration("probe_timeout_seconds", value.into())
    }

    /// A call cancelled after running this long counts as a failure. Allowed: a number of seconds above 0 (and below
    /// 584 years), or `None`. Default: `None`.
    pub fn cancel_failure_after(self, value: impl Into<Option<Duration>>) -> Self {
        self.set_duration("cancel_failure_after_seconds", value.into())
    }

    /// Decide and count, but reject nothing. Allowed: true or false. Default: false.
    pub fn shadow(self, value: bool) -> Self {
        self.set("shadow", value)
    }

    /// Record durations and the time of the last success; if off, the clock is read only where a rule needs it.
    /// Allowed: true or false. Default: true.
    pub fn record_durations(self, value: bool) -> Self {
        self.set("record_durations", value)
    }
    // end

    /// The configuration.
    ///
    /// # Errors
    /// [`InvalidValue`] for the first field that was given a value that is not allowed.
    pub fn build(self) -> Result<Config, InvalidValue> {
        match self.refused {
            Some(refused) => Err(refused),
            None => fields::check_together(self.config, self.spelling),
        }
    }

    pub(crate) fn try_set(&mut self, name: &str, value: &Value) -> Result<(), InvalidValue> {
        let Some(field) = fields::find(name, self.spelling) else {
            return Err(InvalidValue::new(name, value, &format!("one of: {}", known_fields(self.spelling))));
        };
        let refused = || InvalidValue::new(name, value, &self.spelling.text(field.allowed));
        field.write(&mut self.config, value).ok_or_else(refused)
    }
}
