//! The breakers, configured alike, and the same calls without a breaker.

use std::fmt;
use std::hint::black_box;
use std::time::Duration;

use failsafe::{CircuitBreaker as _, backoff, failure_policy};
use futures::executor::block_on;
use halfopen::config::WindowShape;
use halfopen::{CallError, CircuitBreaker, Config};
use recloser::Recloser;
use tower::{Service, ServiceExt, service_fn};
use tower_resilience_circuitbreaker::{CircuitBreakerError, CircuitBreakerLayer};

use crate::harness::{Calls, Contender, Threads};

/// The opening policy: consecutive failures, or the failure rate of the last 100 calls.
#[derive(Clone, Copy, PartialEq)]
pub enum Policy {
    Streak,
    Window,
}

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Outcome {
    Success,
    Failure,
    Rejection,
}

/// Longer than the benchmark, so no circuit changes its state by time.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Enough calls to fill every window. On failure paths the last one fails.
const FIRST_CALLS: u64 = 300;

/// The guarded function that succeeds. (Not inlined, like a real function.)
#[inline(never)]
fn succeed(call: u64) -> Result<u64, u64> {
    Ok(black_box(call))
}

/// The guarded function that fails. One call in 50 succeeds to keep the circuit closed, because 100 failures in the last
/// 100 calls reach every rate.
#[inline(never)]
fn fail(call: u64) -> Result<u64, u64> {
    if call.is_multiple_of(50) { Ok(black_box(call)) } else { Err(black_box(call)) }
}

/// The contenders that support this path with this number of threads.
pub fn contenders(policy: Policy, outcome: Outcome, threads: Threads) -> Vec<Contender> {
    let work = if outcome == Outcome::Success { succeed } else { fail };
    let path = Path { policy, outcome, work };
    let mut all = vec![path.halfopen(true), path.halfopen(false), path.recloser(), path.failsafe()];
    // If two callers meet at an open circuit, tower-resilience lets one of them sleep for a millisecond.
    if outcome != Outcome::Rejection || threads == Threads::One {
        all.push(path.tower_resilience());
    }
    if outcome != Outcome::Rejection {
        all.push(Contender::unguarded("bare", move || work));
        all.push(Contender::unguarded("bare service", move || called(service(work))));
    }
    all
}

struct Path {
    policy: Policy,
    outcome: Outcome,
    work: fn(u64) -> Result<u64, u64>,
}

impl Path {
    /// Whether the first failures open the circuit permanently.
    fn opens(&self) -> bool {
        self.outcome == Outcome::Rejection
    }

    fn halfopen(&self, record_durations: bool) -> Contender {
        let config = Config::builder().timeout(DAY).record_durations(record_durations);
        let config = match self.policy {
            Policy::Streak => config.failure_threshold(if self.opens() { 1 } else { u16::MAX }),
            Policy::Window => config
                .failure_threshold(None)
                .failure_rate_threshold(if self.opens() { 0.5 } else { 1.0 })
                .window(WindowShape::Calls(100))
                .minimum_calls(100),
        };
        let breaker = forever(CircuitBreaker::new(config.build().expect("all values are allowed")));
        let name = if record_durations { "halfopen" } else { "halfopen, durations off" };
        let work = self.work;
        self.contender(
            name,
            "bare",
            move || move |call| breaker.call(|| work(call)),
            |result| match result {
                Ok(_) => Outcome::Success,
                Err(CallError::Failed(_)) => Outcome::Failure,
                Err(CallError::Rejected(_)) => Outcome::Rejection,
            },
        )
    }

    /// It has one policy, the failure rate of the last calls, so both paths are the same.
    fn recloser(&self) -> Contender {
        let rate = if self.opens() { 0.5 } else { 1.0 };
        let breaker = forever(Recloser::custom().error_rate(rate).closed_len(100).open_wait(DAY).build());
        let work = self.work;
        self.contender(
            "recloser",
            "bare",
            move || move |call| breaker.call(|| work(call)),
            |result| match result {
                Ok(_) => Outcome::Success,
                Err(recloser::Error::Inner(_)) => Outcome::Failure,
                Err(recloser::Error::Rejected) => Outcome::Rejection,
            },
        )
    }

    /// Its window is a period of time and opens nothing before that time has passed. For rejections, which do not
    /// depend on the policy, one failure opens it.
    fn failsafe(&self) -> Contender {
        let wait = backoff::constant(DAY);
        if self.opens() {
            self.failsafe_by(failure_policy::consecutive_failures(1, wait))
        } else if self.policy == Policy::Streak {
            self.failsafe_by(failure_policy::consecutive_failures(u32::MAX, wait))
        } else {
            let span = Duration::from_secs(30);
            self.failsafe_by(failure_policy::success_rate_over_time_window(0.0, 100, span, wait))
        }
    }

    fn failsafe_by(&self, policy: impl failsafe::FailurePolicy + Send + Sync + 'static) -> Contender {
        let breaker = forever(failsafe::Config::new().failure_policy(policy).build());
        let work = self.work;
        self.contender(
            "failsafe",
            "bare",
            move || move |call| breaker.call(|| work(call)),
            |result| match result {
                Ok(_) => Outcome::Success,
                Err(failsafe::Error::Inner(_)) => Outcome::Failure,
                Err(failsafe::Error::Rejected) => Outcome::Rejection,
            },
        )
    }

    /// It guards services, so each thread has a handle of a service.
    fn tower_resilience(&self) -> Contender {
        let config = CircuitBreakerLayer::builder().wait_duration_in_open(DAY);
        let config = match self.policy {
            Policy::Streak => config.consecutive_failures(if self.opens() { 1 } else { usize::MAX }),
            Policy::Window => config
                .failure_rate_threshold(if self.opens() { 0.5 } else { 1.0 })
                .sliding_window_size(100)
                .minimum_number_of_calls(100),
        };
        let layer = config.build().expect("all values are allowed");
        let guarded = layer.layer_fn(service(self.work));
        let outcome = |result| match result {
            Ok(_) => Outcome::Success,
            Err(CircuitBreakerError::Inner(_)) => Outcome::Failure,
            Err(CircuitBreakerError::OpenCircuit) => Outcome::Rejection,
        };
        self.contender("tower-resilience", "bare service", move || called(guarded.clone()), outcome)
    }

    /// The check makes enough calls to reach the state of the path, and asserts the last outcome.
    fn contender<M, F, R>(
        &self,
        name: &'static str,
        bare: &'static str,
        make: M,
        outcome: fn(R) -> Outcome,
    ) -> Contender
    where
        M: Fn() -> F + Clone + Sync + 'static,
        F: FnMut(u64) -> R + 'static,
        R: 'static,
    {
        let (calls, expected) = (make.clone(), self.outcome);
        let check = move || {
            let mut call = calls();
            let outcomes: Vec<Outcome> = (0..FIRST_CALLS).map(|number| outcome(call(number))).collect();
            assert_eq!(outcomes.last(), Some(&expected), "{name}");
        };
        // Rejections have no bare call to subtract: the figure is the time until the caller has the error.
        let bare = (self.outcome != Outcome::Rejection).then_some(bare);
        Contender { name, bare, calls: Box::new(make), check: Box::new(check) }
    }
}

impl Contender {
    /// A call without a breaker.
    pub fn unguarded(name: &'static str, calls: impl Calls + 'static) -> Self {
        Self { name, bare: None, calls: Box::new(calls), check: Box::new(|| ()) }
    }
}

/// Leaks the value for the life of the process.
fn forever<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// The guarded function as a service.
fn service(
    work: fn(u64) -> Result<u64, u64>,
) -> impl Service<u64, Response = u64, Error = u64, Future: Send> + Clone + Send + Sync + 'static {
    service_fn(move |call| async move { work(call) })
}

/// Calls a service as its users do: waits until it is ready, then awaits the response.
fn called<S: Service<u64>>(mut service: S) -> impl FnMut(u64) -> Result<S::Response, S::Error> {
    move |call| block_on(async { service.ready().await?.call(call).await })
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Streak => "streak",
            Self::Window => "window of 100",
        })
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Success => "success",
            Self::Failure => "failure",
            Self::Rejection => "rejection",
        })
    }
}
