//! One sentence for an operator: why the circuit is as it is, and what would change it.

use alloc::string::String;
use core::time::Duration;

use super::{CircuitBreaker, Event, Status};
use crate::clock::Clock;
use crate::config::Rules;
use crate::control::{Cause, Mode, State};
use crate::text::{joined, tenths, whole};
use crate::window::WindowCounts;

impl<C: Clock> CircuitBreaker<C> {
    /// Says in one sentence why the circuit is as it is and what would change it.
    ///
    /// ```
    /// use halfopen::{CircuitBreaker, Config, ManualClock};
    ///
    /// let config = Config::builder().failure_threshold(1).timeout_seconds(30.0).build()?;
    /// let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    /// breaker.acquire().unwrap().failure();
    /// assert_eq!(breaker.explain(), "open after 1 failure in a row: in 30.0 s the next call is let through as a probe");
    /// # Ok::<(), halfopen::InvalidValue>(())
    /// ```
    pub fn explain(&self) -> String {
        let status = self.status();
        let rules = *self.config().rules();
        // What a restored circuit did before, or one that has since been held open, is not why it is as it is.
        let last = self.events(0).pop().filter(|event| event.generation == status.generation);
        let state = match status.state {
            State::Closed => closed(&status, &rules),
            State::Open => open(&status, last.as_ref()),
            State::HalfOpen => half_open(&status, &rules, last.as_ref()),
        };
        match status.mode {
            Mode::Auto => state,
            Mode::Shadow => joined(&["in shadow mode, so no call is rejected; ", &state]),
            Mode::Disabled => "closed because it is disabled: every call passes until it is reset".into(),
            Mode::ForcedOpen => match status.retry_after {
                Some(left) => joined(&["forced open by an operator", &probe_after(left)]),
                None => "forced open by an operator: it stays so until it is reset".into(),
            },
        }
    }
}

fn probe_after(left: Duration) -> String {
    joined(&[": in ", &tenths(left), " s the next call is let through as a probe"])
}

fn closed(status: &Status, rules: &Rules) -> String {
    let streak = rules.failure_threshold.map_or_else(String::new, |threshold| {
        joined(&[&whole(status.consecutive_failures), " of ", &whole(threshold.into()), " failures in a row"])
    });
    let window = rules.window_in_use().map_or_else(String::new, |_| {
        let WindowCounts { calls, failed, slow } = status.window;
        joined(&[&whole(failed), " failed and ", &whole(slow), " slow of ", &whole(calls), " calls in its window"])
    });
    let between = if streak.is_empty() || window.is_empty() { "" } else { ", and " };
    joined(&["closed: it has seen ", &streak, between, &window, ", and opens when a threshold is reached"])
}

fn open(status: &Status, last: Option<&Event>) -> String {
    joined(&["open", &because(status, last), &probe_after(status.retry_after.unwrap_or_default())])
}

fn half_open(status: &Status, rules: &Rules, last: Option<&Event>) -> String {
    if last.is_none_or(|event| event.transition.to != State::HalfOpen) {
        return joined(&["half-open", &because(status, last), ": its wait is over, and the next call is a probe"]);
    }
    let (successes, threshold) = (whole(status.consecutive_successes), whole(rules.success_threshold.into()));
    let rest = " probes have succeeded, that many in a row close it, a failure opens it";
    joined(&["half-open: ", &successes, " of ", &threshold, rest])
}

/// What opened it, as far as that is known: a restored circuit does not remember.
fn because(status: &Status, last: Option<&Event>) -> String {
    let Some(event) = last else { return String::new() };
    let why = match event.transition.cause {
        Cause::ConsecutiveFailures => {
            let failures = status.consecutive_failures;
            let plural = if failures == 1 { "" } else { "s" };
            return joined(&[" after ", &whole(failures), " failure", plural, " in a row"]);
        }
        Cause::FailureRate => " because too many calls in its window failed",
        Cause::SlowCallRate => " because too many calls in its window were slow",
        Cause::ProbeFailed => " because a probe failed",
        Cause::ProbeSlow => " because a probe was slow",
        Cause::Forced => " because an operator had forced it open",
        Cause::TimeoutElapsed | Cause::ProbesSucceeded | Cause::Reset | Cause::Disabled => "",
    };
    why.into()
}
