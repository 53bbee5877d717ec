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

    fn set_optional<T: Into<Value>>(self, field: &str, value: impl Into<Option<T>>) -> Self {
        self.set(field, value.into())
    }

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

/// Declares a method for each field, which sets it.
macro_rules! setters {
    ($($(#[$text:meta])+ $method:ident($type:ty) $set:ident $field:literal;)+) => {
        impl ConfigBuilder {
            $($(#[$text])+
            pub fn $method(self, value: $type) -> Self {
                self.$set($field, value)
            })+
        }
    };
}

setters! {
    // from make generate: rust setters; do not edit
    /// Identifies the circuit. Allowed: 1 to 128 printable characters. Default: `"default"`.
    name(&str) set "name";

    /// Consecutive failures that open the circuit; `None` switches this policy off. Allowed: a whole number from 1 to
    /// 65535, or `None` while another policy is on. Default: 5.
    failure_threshold(impl Into<Option<u16>>) set_optional "failure_threshold";

    /// Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255. Default: 2.
    success_threshold(u8) set "success_threshold";

    /// How long an open circuit waits before the first probe. Allowed: a number of seconds above 0, at most 31536000
    /// (one year). Default: 60.0.
    timeout(Duration) set "timeout_seconds";

    /// Probes in flight at once. Allowed: a whole number from 1 to 255. Default: 3.
    half_open_max_calls(u8) set "half_open_max_calls";

    /// Failures / calls in the window that open the circuit. Allowed: a number above 0, at most 1, or `None`. Default:
    /// `None`.
    failure_rate_threshold(impl Into<Option<f64>>) set_optional "failure_rate_threshold";

    /// A call that takes this long or longer is slow. Allowed: a number of seconds above 0 (and below 584 years), or
    /// `None`. Default: `None`.
    slow_call(impl Into<Option<Duration>>) set_optional "slow_call_seconds";

    /// Slow calls / calls in the window that open the circuit; needs `slow_call`. Allowed: a number above 0, at most 1,
    /// or `None`. Default: `None`.
    slow_call_rate_threshold(impl Into<Option<f64>>) set_optional "slow_call_rate_threshold";

    /// The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set.
    /// Allowed: `calls(1 to 10000)` or `seconds(1 to 3600)`. Default: `calls(100)`.
    window(WindowShape) set "window";

    /// Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set.
    /// Allowed: a whole number, at least 1. Default: 10.
    minimum_calls(u64) set "minimum_calls";

    /// Each further opening waits this many times longer. Allowed: a number from 1 to 10. Default: 1.0.
    timeout_multiplier(f64) set "timeout_multiplier";

    /// The longest wait that the multiplier, the jitter or a hint can produce. Allowed: a number of seconds, at least
    /// `timeout`, or `None` for one hour or `timeout` if that is more. Default: `None`.
    max_timeout(impl Into<Option<Duration>>) set_optional "max_timeout_seconds";

    /// The wait is spread over ± this share of itself. Allowed: a number from 0 to 1. Default: 0.0.
    timeout_jitter(f64) set "timeout_jitter";

    /// If all slots are taken and there was no probe activity for this long, the slots are reclaimed. Allowed: a number
    /// of seconds above 0 (and below 584 years), or `None` for the same as `timeout`. Default: `None`.
    probe_timeout(impl Into<Option<Duration>>) set_optional "probe_timeout_seconds";

    /// A call cancelled after running this long counts as a failure. Allowed: a number of seconds above 0 (and below
    /// 584 years), or `None`. Default: `None`.
    cancel_failure_after(impl Into<Option<Duration>>) set_optional "cancel_failure_after_seconds";

    /// Decide and count, but reject nothing. Allowed: true or false. Default: false.
    shadow(bool) set "shadow";

    /// Record durations and the time of the last success; if off, the clock is read only where a rule needs it.
    /// Allowed: true or false. Default: true.
    record_durations(bool) set "record_durations";
    // end
}
