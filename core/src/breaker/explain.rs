//! One sentence for an operator: why the circuit is as it is, and what would change it.

use alloc::string::String;
use core::time::Duration;

use super::{CircuitBreaker, Event, Status};
use crate::clock::Clock;
use crate::config::Rules;
use crate::control::{Cause, Mode, State};
use crate::text::{counted, joined, percent, seconds, whole};
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
        let now = self.front.clock.now();
        let guarded = self.guarded.lock();
        let (status, rules) = (self.status_of(&guarded, now), *guarded.rules());
        let busy_for = guarded.control.probes_busy_for(&rules, now);
        // What a restored circuit did before, or one that has since been held open, is not why it is as it is.
        let last = guarded.history.newer_than(0).filter(|event| event.generation == status.generation);
        drop(guarded);
        let state = match status.state {
            State::Closed => closed(&status, &rules),
            State::Open => open(&status, last.as_ref()),
            State::HalfOpen => half_open(&status, &rules, busy_for, last.as_ref()),
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
    joined(&[": in ", &seconds(left), " the next call is let through as a probe"])
}

fn closed(status: &Status, rules: &Rules) -> String {
    let streak = rules.failure_threshold.map_or_else(String::new, |threshold| {
        let failures = status.consecutive_failures;
        // So it can stand where the threshold was lowered: what is judged is the end of a call.
        let reached = if failures >= threshold.into() { ", so the next failure does" } else { "" };
        joined(&[&counted(failures, "failure"), " in a row, and ", &doing(threshold.into(), "open"), reached])
    });
    let window = rules.window_in_use().map_or_else(String::new, |_| window(status.window, rules));
    let between = if streak.is_empty() || window.is_empty() { "" } else { "; " };
    joined(&["closed: ", &streak, between, &window])
}

/// What so many of them do to the circuit.
fn doing(count: u64, verb: &str) -> String {
    joined(&[&whole(count), " ", verb, if count == 1 { "s it" } else { " it" }])
}

fn window(held: WindowCounts, rules: &Rules) -> String {
    let share = |rate: Option<f64>, what| rate.map_or_else(String::new, |rate| joined(&[&percent(rate), what]));
    let (failed, slow) = (share(rules.failure_rate, " failed"), share(rules.slow_call_rate, " slow"));
    let between = if failed.is_empty() || slow.is_empty() { "" } else { " or " };
    let calls = counted(held.calls, "call");
    let holds =
        joined(&[&whole(held.failed), " failed and ", &whole(held.slow), " slow of ", &calls, " in its window"]);
    // As with the streak; and good calls may have aged out.
    let reached = if held.verdict(rules).is_some() { ", so the next call may" } else { "" };
    let least = whole(rules.minimum_calls);
    joined(&[&holds, ", and ", &failed, between, &slow, " of at least ", &least, " open it", reached])
}

fn open(status: &Status, last: Option<&Event>) -> String {
    joined(&["open", &because(status, last), &probe_after(status.retry_after.unwrap_or_default())])
}

fn half_open(status: &Status, rules: &Rules, busy_for: Option<Duration>, last: Option<&Event>) -> String {
    if last.is_none_or(|event| event.transition.to != State::HalfOpen) {
        return joined(&["half-open", &because(status, last), ": its wait is over, and the next call is a probe"]);
    }
    let successes = counted(status.consecutive_successes, "success");
    let closing = doing(rules.success_threshold.into(), "close");
    let slow = if rules.slow_call_rate.is_some() { " or a slow call" } else { "" };
    joined(&["half-open: ", &successes, " in a row, and ", &closing, "; a failure", slow, " opens it", &busy(busy_for)])
}

/// Where no slot is free: when the next probe is let through.
fn busy(busy_for: Option<Duration>) -> String {
    match busy_for {
        None => String::new(),
        Some(Duration::ZERO) => "; its probes hang, and the next call takes their slots".into(),
        Some(left) => {
            let next = "; all probe slots are taken: the next call is let through when one is free, or after ";
            joined(&[next, &seconds(left), " without a sign of any probe"])
        }
    }
}

/// What opened it, as far as that is known: a restored circuit does not remember.
fn because(status: &Status, last: Option<&Event>) -> String {
    let Some(event) = last else { return String::new() };
    let why = match event.transition.cause {
        Cause::ConsecutiveFailures => {
            return joined(&[" after ", &counted(status.consecutive_failures, "failure"), " in a row"]);
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
