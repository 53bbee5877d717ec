//! Explains in sentences how a circuit with a configuration behaves.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Config, Rules, WindowShape};
use crate::clock::nearest;

impl Config {
    /// Explains how a circuit with this configuration behaves: when it opens, how long it waits, how it probes.
    ///
    /// ```
    /// use halfopen::Config;
    ///
    /// assert_eq!(
    ///     Config::default().explain(),
    ///     [
    ///         "The circuit opens after 5 failures in a row.",
    ///         "It then rejects calls for 60 s, every time it opens. A provider that asks for a longer wait gets it, up to 3600 s.",
    ///         "After the wait, calls are let through as probes, at most 3 at a time. 2 successes close the circuit; a failure \
    ///          opens it again.",
    ///         "If all 3 probes are in flight and none shows a sign of life for 60 s, their slots are free again.",
    ///     ]
    /// );
    /// ```
    pub fn explain(&self) -> Vec<String> {
        let rules = &self.rules;
        let mut sentences = Vec::from([opens(rules), waits(rules), probes(rules), hanging_probes(rules)]);
        if let Some(after) = rules.cancel_failure_after {
            sentences.push(format!("A call that is cancelled after {} or more counts as a failure.", seconds(after)));
        }
        if rules.shadow {
            sentences.push("In shadow mode, all of this is decided and counted, but no call is rejected.".into());
        }
        if !rules.record_durations {
            sentences.push("The durations of calls are not recorded.".into());
        }
        sentences
    }
}

fn opens(rules: &Rules) -> String {
    let streak =
        rules.failure_threshold.map(|threshold| format!("after {} in a row", counted(threshold.into(), "failure")));
    let failed = rules.failure_rate.map(|rate| format!("as soon as {} failed", share(rate, rules.window)));
    let slow = rules.slow_call_rate.map(|rate| format!("as soon as {} were slow", share(rate, rules.window)));
    let causes: Vec<_> = [streak, failed, slow].into_iter().flatten().collect();
    let mut text = format!("The circuit opens {}.", causes.join(", or "));
    if let Some(slow) = rules.slow_call {
        text += &format!(" A call that takes {} or longer is slow.", seconds(slow));
    }
    if rules.window_in_use().is_some() {
        text += &format!(" Shares are computed from {} on.", counted(rules.minimum_calls, "call"));
    }
    text
}

fn share(rate: f64, window: WindowShape) -> String {
    let window = match window {
        WindowShape::Calls(calls) => counted(calls.into(), "call"),
        WindowShape::Time(time) => return format!("{} of the calls of the last {}", percent(rate), seconds(time)),
    };
    format!("{} of the last {window}", percent(rate))
}

fn waits(rules: &Rules) -> String {
    let longest = rules.effective_max_timeout();
    let mut text = format!("It then rejects calls for {}", seconds(rules.timeout));
    if rules.timeout_jitter > 0.0 {
        text += &format!(" ± {}, chosen at random", percent(rules.timeout_jitter));
    }
    if rules.timeout_multiplier > 1.0 {
        let times = rules.timeout_multiplier;
        text += &format!(", and {times} times longer for each further opening in a row, up to {}.", seconds(longest));
    } else {
        text += ", every time it opens.";
    }
    text + &format!(" A provider that asks for a longer wait gets it, up to {}.", seconds(longest))
}

fn probes(rules: &Rules) -> String {
    let slow = if rules.slow_call_rate.is_some() { " or a slow call" } else { "" };
    let closes = if rules.success_threshold == 1 { "closes" } else { "close" };
    format!(
        "After the wait, calls are let through as probes, at most {} at a time. {} {closes} the circuit; a failure{slow} opens \
         it again.",
        rules.half_open_max_calls,
        counted(rules.success_threshold.into(), "success"),
    )
}

fn hanging_probes(rules: &Rules) -> String {
    let probe_timeout = seconds(rules.effective_probe_timeout());
    match rules.half_open_max_calls {
        1 => format!("If the probe shows no sign of life for {probe_timeout}, the next call takes its place."),
        all => format!(
            "If all {all} probes are in flight and none shows a sign of life for {probe_timeout}, their slots are free again."
        ),
    }
}

/// "1 call", "2 calls".
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = match count {
        1 => "",
        _ if noun.ends_with('s') => "es",
        _ => "s",
    };
    format!("{count} {noun}{plural}")
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f64())
}

/// A share above 0 in percent, rounded to a hundredth. That is one call in the largest window.
pub(crate) fn percent(share: f64) -> String {
    match nearest(share * 10_000.0) {
        0 => "less than 0.01 %".into(),
        hundredths if hundredths % 100 == 0 => format!("{} %", hundredths / 100),
        hundredths if hundredths % 10 == 0 => format!("{}.{} %", hundredths / 100, hundredths / 10 % 10),
        hundredths => format!("{}.{:02} %", hundredths / 100, hundredths % 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_to_a_hundredth_of_a_percent() {
        assert_eq!([0.5, 1.0, 0.625, 1.0 / 3.0].map(percent), ["50 %", "100 %", "62.5 %", "33.33 %"]);
        assert_eq!(
            [0.0001, 0.9999, 0.00005, 0.00004].map(percent),
            ["0.01 %", "99.99 %", "0.01 %", "less than 0.01 %"]
        );
    }

    #[test]
    fn one_is_singular() {
        assert_eq!([0, 1, 2].map(|count| counted(count, "call")), ["0 calls", "1 call", "2 calls"]);
        assert_eq!([1, 2].map(|count| counted(count, "success")), ["1 success", "2 successes"]);
    }
}
