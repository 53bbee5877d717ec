//! Building a configuration field by field.

use alloc::format;

use super::fields;
use super::{Config, InvalidValue, Value, WindowShape, known_fields};
use crate::names::Spelling;

/// Collects fields and refuses the first bad one when [`build`](Self::build) is called.
///
/// The methods bear the names of the fields, the same in every language, and seconds are seconds everywhere.
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    config: Config,
    spelling: Spelling,
    refused: Option<InvalidValue>,
}

impl ConfigBuilder {
    pub(super) fn new(spelling: Spelling) -> Self {
        Self { config: Config::default(), spelling, refused: None }
    }

    /// Sets the field called `field`: the way for hosts that hold names and values.
    pub fn set(mut self, field: &str, value: impl Into<Value>) -> Self {
        if self.refused.is_none() {
            self.refused = self.try_set(field, &value.into()).err();
        }
        self
    }

    /// Identifies the circuit: 1 to 128 printable characters.
    pub fn name(self, name: &str) -> Self {
        self.set("name", name)
    }

    /// Consecutive failures that open the circuit: 1 to 65535, or `None` to switch this policy off.
    pub fn failure_threshold(self, failures: impl Into<Option<u16>>) -> Self {
        self.set("failure_threshold", failures.into())
    }

    /// Consecutive probe successes that close the circuit: 1 to 255.
    pub fn success_threshold(self, successes: u8) -> Self {
        self.set("success_threshold", successes)
    }

    /// The wait in `open` before the first probe, in seconds: above 0, at most one year.
    pub fn timeout_seconds(self, seconds: f64) -> Self {
        self.set("timeout_seconds", seconds)
    }

    /// Probes in flight at once: 1 to 255.
    pub fn half_open_max_calls(self, calls: u8) -> Self {
        self.set("half_open_max_calls", calls)
    }

    /// Failures / calls in the window that open the circuit: above 0, at most 1.
    pub fn failure_rate_threshold(self, rate: impl Into<Option<f64>>) -> Self {
        self.set("failure_rate_threshold", rate.into())
    }

    /// A call that takes this long or longer is slow: seconds above 0.
    pub fn slow_call_seconds(self, seconds: impl Into<Option<f64>>) -> Self {
        self.set("slow_call_seconds", seconds.into())
    }

    /// Slow calls / calls in the window that open the circuit: above 0, at most 1; needs `slow_call_seconds`.
    pub fn slow_call_rate_threshold(self, rate: impl Into<Option<f64>>) -> Self {
        self.set("slow_call_rate_threshold", rate.into())
    }

    /// The calls that the rates are computed from: the last 1 to 10,000 calls, or the last 1 to 3,600 seconds.
    pub fn window(self, shape: WindowShape) -> Self {
        self.set("window", shape)
    }

    /// Below this many calls in the window no rate is judged: at least 1, at most the calls that the window holds.
    pub fn minimum_calls(self, calls: u64) -> Self {
        self.set("minimum_calls", calls)
    }

    /// Each further opening in a row waits this many times longer: 1 to 10.
    pub fn timeout_multiplier(self, factor: f64) -> Self {
        self.set("timeout_multiplier", factor)
    }

    /// The longest wait, in seconds, that the multiplier, the jitter or a hint can make: at least `timeout_seconds`.
    pub fn max_timeout_seconds(self, seconds: impl Into<Option<f64>>) -> Self {
        self.set("max_timeout_seconds", seconds.into())
    }

    /// The wait is spread over ± this share of itself: 0 to 1.
    pub fn timeout_jitter(self, share: f64) -> Self {
        self.set("timeout_jitter", share)
    }

    /// After this long, in seconds, without a sign of any probe, slots that are all taken are taken back; the same as
    /// `timeout_seconds` where it is not set.
    pub fn probe_timeout_seconds(self, seconds: impl Into<Option<f64>>) -> Self {
        self.set("probe_timeout_seconds", seconds.into())
    }

    /// A call cancelled after running this long counts as a failure: seconds above 0.
    pub fn cancel_failure_after_seconds(self, seconds: impl Into<Option<f64>>) -> Self {
        self.set("cancel_failure_after_seconds", seconds.into())
    }

    /// Decide and count, but reject nothing.
    pub fn shadow(self, shadow: bool) -> Self {
        self.set("shadow", shadow)
    }

    /// Whether durations go to the histogram and the time of the last success is kept.
    pub fn record_durations(self, record: bool) -> Self {
        self.set("record_durations", record)
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

    pub(super) fn try_set(&mut self, name: &str, value: &Value) -> Result<(), InvalidValue> {
        let Some(field) = fields::find(name, self.spelling) else {
            return Err(InvalidValue::new(name, value, &format!("one of: {}", known_fields(self.spelling))));
        };
        let refused = || InvalidValue::new(name, value, &self.spelling.text(field.allowed));
        field.write(&mut self.config, value).ok_or_else(refused)
    }
}
