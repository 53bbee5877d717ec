//! Explains the state of a circuit to an operator in one sentence.

use alloc::format;
use alloc::string::String;
use core::time::Duration;

use super::CircuitBreaker;
use super::error::seconds;
use crate::clock::Clock;
use crate::config::{Rules, counted, percent};
use crate::control::{Cause, Mode, State};
use crate::evidence::{Event, Status, WindowCounts};

impl<C: Clock> CircuitBreaker<C> {
    /// Explains in one sentence why the circuit is in its state and what would change it.
    ///
    /// ```
    /// use core::time::Duration;
    ///
    /// use halfopen::clock::ManualClock;
    /// use halfopen::{CircuitBreaker, Config};
    ///
    /// let config = Config::builder().failure_threshold(1).timeout(Duration::from_secs(30)).build()?;
    /// let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    /// breaker.acquire().unwrap().failure();
    /// assert_eq!(breaker.explain(), "open after 1 failure in a row: in 30.0 s the next call is let through as a probe");
    /// # Ok::<(), halfopen::InvalidValue>(())
    /// ```
    pub fn explain(&self) -> String {
        let now = self.hot.clock.now();
        let inner = self.inner.lock();
        let (status, rules) = (self.status_of(&inner, now), inner.rules);
        let busy_for = inner.control.probes_busy_for(&rules, now);
        // An event of an earlier generation does not explain the present state.
        let last = inner.history.newer_than(0).filter(|event| event.generation == status.generation);
        drop(inner);
        let state = match status.state {
            State::Closed => closed(&status, &rules),
            State::Open => open(&status, last.as_ref()),
            State::HalfOpen => half_open(&status, &rules, busy_for, last.as_ref()),
        };
        match status.mode {
            Mode::Auto => state,
            Mode::Shadow => format!("in shadow mode, so no call is rejected; {state}"),
            Mode::Disabled => "closed because it is disabled: every call passes until it is reset".into(),
            Mode::ForcedOpen => match status.retry_after {
                Some(left) => format!("forced open by an operator{}", probe_after(left)),
                None => "forced open by an operator: it stays so until it is reset".into(),
            },
        }
    }
}

fn probe_after(left: Duration) -> String {
    format!(": in {} the next call is let through as a probe", seconds(left))
}

fn closed(status: &Status, rules: &Rules) -> String {
    let streak = rules.failure_threshold.map_or_else(String::new, |threshold| {
        let failures = status.consecutive_failures;
        // Possible after the threshold was lowered: it is evaluated when a call settles.
        let reached = if failures >= threshold.into() { ", so the next failure does" } else { "" };
        format!("{} in a row, and {}{reached}", counted(failures, "failure"), doing(threshold.into(), "open"))
    });
    let window = rules.window_in_use().map_or_else(String::new, |_| window(status.window, rules));
    let between = if streak.is_empty() || window.is_empty() { "" } else { "; " };
    format!("closed: {streak}{between}{window}")
}

/// "1 opens it", "3 open it".
fn doing(count: u64, verb: &str) -> String {
    format!("{count} {verb}{} it", if count == 1 { "s" } else { "" })
}

fn window(held: WindowCounts, rules: &Rules) -> String {
    let share = |rate: Option<f64>, what| rate.map_or_else(String::new, |rate| percent(rate) + what);
    let (failed, slow) = (share(rules.failure_rate, " failed"), share(rules.slow_call_rate, " slow"));
    let between = if failed.is_empty() || slow.is_empty() { "" } else { " or " };
    let calls = counted(held.calls, "call");
    let holds = format!("{} failed and {} slow of {calls} in its window", held.failed, held.slow);
    // Possible for the same reason, or after successes have left the window.
    let reached = if held.verdict(rules).is_some() { ", so the next call may" } else { "" };
    let least = rules.minimum_calls;
    format!("{holds}, and {failed}{between}{slow} of at least {least} open it{reached}")
}

fn open(status: &Status, last: Option<&Event>) -> String {
    format!("open{}{}", because(status, last), probe_after(status.retry_after.unwrap_or_default()))
}

fn half_open(status: &Status, rules: &Rules, busy_for: Option<Duration>, last: Option<&Event>) -> String {
    if last.is_none_or(|event| event.transition.to != State::HalfOpen) {
        return format!("half-open{}: its wait is over, and the next call is a probe", because(status, last));
    }
    let successes = counted(status.consecutive_successes, "success");
    let closing = doing(rules.success_threshold.into(), "close");
    let slow = if rules.slow_call_rate.is_some() { " or a slow call" } else { "" };
    format!("half-open: {successes} in a row, and {closing}; a failure{slow} opens it{}", busy(busy_for))
}

/// If no slot is free: when the next probe is admitted.
fn busy(busy_for: Option<Duration>) -> String {
    match busy_for {
        None => String::new(),
        Some(Duration::ZERO) => "; its probes hang, and the next call takes their slots".into(),
        Some(left) => {
            let next = "; all probe slots are taken: the next call is let through when one is free, or after ";
            format!("{next}{} without a sign of any probe", seconds(left))
        }
    }
}

/// The cause of the opening; empty after a restore, which does not keep it.
fn because(status: &Status, last: Option<&Event>) -> String {
    let Some(event) = last else { return String::new() };
    let why = match event.transition.cause {
        Cause::ConsecutiveFailures => {
            return format!(" after {} in a row", counted(status.consecutive_failures, "failure"));
        }
        Cause::FailureRate => " because too many calls in its window failed",
        Cause::SlowCallRate => " because too many calls were slow",
        Cause::ProbeFailed => " because a probe failed",
        Cause::ProbeSlow => " because a probe was slow",
        Cause::Forced => " because an operator had forced it open",
        Cause::TimeoutElapsed | Cause::ProbesSucceeded | Cause::Reset | Cause::Disabled => "",
    };
    why.into()
}
