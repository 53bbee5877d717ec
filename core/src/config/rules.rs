//! A checked configuration as numbers.

use alloc::vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use super::Value;

/// The numbers by which the state machine decides.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Rules {
    /// Consecutive failures that open a closed circuit; `None` switches the policy off.
    pub failure_threshold: Option<u16>,
    /// Consecutive probe successes that close a half-open circuit.
    pub success_threshold: u8,
    /// The wait in `open` before the first probe.
    pub timeout: Duration,
    /// Probes in flight at once.
    pub half_open_max_calls: u8,
    /// The share of failures in the window that opens the circuit: above 0, at most 1.
    pub failure_rate: Option<f64>,
    /// A call that takes this long or longer is slow.
    pub slow_call: Option<Duration>,
    /// The share of slow calls in the window that opens the circuit: above 0, at most 1.
    pub slow_call_rate: Option<f64>,
    /// The calls that the rates are computed from.
    pub window: WindowShape,
    /// Rates are not evaluated while the window holds fewer calls.
    pub minimum_calls: u64,
    /// Each further opening in a row waits this many times longer: 1 to 10.
    pub timeout_multiplier: f64,
    /// The longest wait that the multiplier, the jitter or a hint can produce; `None`: one hour, or `timeout` if that is
    /// more.
    pub max_timeout: Option<Duration>,
    /// The wait is spread over ± this share of itself: 0 to 1.
    pub timeout_jitter: f64,
    /// If all slots are taken and there was no probe activity for this long, the slots are reclaimed; `None`: `timeout`.
    pub probe_timeout: Option<Duration>,
    /// A call cancelled after running this long counts as a failure.
    pub cancel_failure_after: Option<Duration>,
    /// Decide and count, but reject nothing.
    pub shadow: bool,
    /// Whether durations and the time of the last success are kept.
    pub record_durations: bool,
}

/// The calls that the rates are computed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowShape {
    /// The last N calls: 1 to 10,000.
    Calls(u16),
    /// The calls of the last seconds, in ten buckets: whole seconds, 1 to 3,600.
    Time(Duration),
}

impl Rules {
    /// The defaults.
    pub(super) const DEFAULT: Self = Self {
        failure_threshold: Some(5),
        success_threshold: 2,
        timeout: Duration::from_secs(60),
        half_open_max_calls: 3,
        failure_rate: None,
        slow_call: None,
        slow_call_rate: None,
        window: WindowShape::Calls(100),
        minimum_calls: 10,
        timeout_multiplier: 1.0,
        max_timeout: None,
        timeout_jitter: 0.0,
        probe_timeout: None,
        cancel_failure_after: None,
        shadow: false,
        record_durations: true,
    };

    /// The default of `max_timeout`.
    const DEFAULT_MAX_TIMEOUT: Duration = Duration::from_secs(3600);

    /// `probe_timeout` or its default.
    pub fn effective_probe_timeout(&self) -> Duration {
        self.probe_timeout.unwrap_or(self.timeout)
    }

    /// `max_timeout` or its default.
    pub fn effective_max_timeout(&self) -> Duration {
        self.max_timeout.unwrap_or(Self::DEFAULT_MAX_TIMEOUT.max(self.timeout))
    }

    /// The shape of the window, if a rate is set.
    pub fn window_in_use(&self) -> Option<WindowShape> {
        (self.failure_rate.is_some() || self.slow_call_rate.is_some()).then_some(self.window)
    }

    /// Whether waits are spread.
    pub(crate) fn spreads_waits(&self) -> bool {
        self.timeout_jitter > 0.0
    }

    /// Whether any rule needs the duration of calls.
    pub(crate) fn measures_durations(&self) -> bool {
        self.record_durations || self.slow_call.is_some() || self.cancel_failure_after.is_some()
    }
}

impl WindowShape {
    /// How many calls a window may hold.
    pub(crate) const CALLS: RangeInclusive<u64> = 1..=10_000;
    /// How many seconds.
    pub(crate) const SECONDS: RangeInclusive<u64> = 1..=3_600;
}

impl From<WindowShape> for Value {
    fn from(shape: WindowShape) -> Self {
        let (kind, size) = match shape {
            WindowShape::Calls(calls) => ("calls", calls.into()),
            WindowShape::Time(time) if time.subsec_nanos() == 0 => ("seconds", time.as_secs().into()),
            WindowShape::Time(time) => ("seconds", time.as_secs_f64().into()),
        };
        Self::Map(vec![(kind.into(), size)])
    }
}
