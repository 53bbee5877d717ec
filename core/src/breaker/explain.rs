//! One sentence for an operator: why the circuit is as it is, and what would change it.

use alloc::format;
use alloc::string::String;

use super::{CircuitBreaker, Event, Status};
use crate::clock::{Clock, Tenths};
use crate::config::Rules;
use crate::control::{Cause, Mode, State};

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
        let last = self.events(0).pop();
        let state = match status.state {
            State::Closed => closed(&status, &rules),
            State::Open => open(&status, last.as_ref()),
            State::HalfOpen => half_open(&status, &rules, last.as_ref()),
        };
        match status.mode {
            Mode::Auto => state,
            Mode::Shadow => format!("in shadow mode, so no call is rejected; {state}"),
            Mode::Disabled => "closed because it is disabled: every call passes until it is reset".into(),
            Mode::ForcedOpen => match status.retry_after {
                Some(left) => {
                    let left = Tenths(left);
                    format!("forced open by an operator: in {left} s the next call is let through as a probe")
                }
                None => "forced open by an operator: it stays so until it is reset".into(),
            },
        }
    }
}

fn closed(status: &Status, rules: &Rules) -> String {
    let streak = rules.failure_threshold.map(|threshold| {
        let failures = status.consecutive_failures;
        format!("{failures} of {threshold} failures in a row")
    });
    let window = rules.window_in_use().map(|_| {
        let held = status.window;
        format!("{} failed and {} slow of {} calls in its window", held.failed, held.slow, held.calls)
    });
    let policies = [streak, window].into_iter().flatten().collect::<alloc::vec::Vec<_>>().join(", and ");
    format!("closed: it has seen {policies}, and opens when a threshold is reached")
}

fn open(status: &Status, last: Option<&Event>) -> String {
    let left = Tenths(status.retry_after.unwrap_or_default());
    format!("open{}: in {left} s the next call is let through as a probe", because(status, last))
}

fn half_open(status: &Status, rules: &Rules, last: Option<&Event>) -> String {
    if last.is_none_or(|event| event.transition.to != State::HalfOpen) {
        return format!("half-open{}: its wait is over, and the next call is a probe", because(status, last));
    }
    let (successes, threshold) = (status.consecutive_successes, rules.success_threshold);
    format!(
        "half-open: {successes} of {threshold} probes have succeeded, that many in a row close it, a failure opens it"
    )
}

/// What opened it, as far as that is known: a restored circuit does not remember.
fn because(status: &Status, last: Option<&Event>) -> String {
    let Some(event) = last.filter(|event| event.transition.to == State::Open) else { return String::new() };
    let failures = status.consecutive_failures;
    let plural = if failures == 1 { "" } else { "s" };
    match event.transition.cause {
        Cause::ConsecutiveFailures => format!(" after {failures} failure{plural} in a row"),
        Cause::FailureRate => " because too many calls in its window failed".into(),
        Cause::SlowCallRate => " because too many calls in its window were slow".into(),
        Cause::ProbeFailed => " because a probe failed".into(),
        Cause::ProbeSlow => " because a probe was slow".into(),
        Cause::Forced => " because an operator had forced it open".into(),
        Cause::TimeoutElapsed | Cause::ProbesSucceeded | Cause::Reset | Cause::Disabled => String::new(),
    }
}
