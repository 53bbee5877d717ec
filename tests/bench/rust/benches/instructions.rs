//! Counts the instructions of the core's paths with callgrind. The counts are deterministic, so they show regressions
//! that are too small for timing. Each run makes [`CALLS`] calls.

use std::hint::black_box;
use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::evidence::Status;
use halfopen::host;
use halfopen::{CallError, CircuitBreaker, Config, Outcome};
use iai_callgrind::{library_benchmark, library_benchmark_group, main};

/// `instructions.py` divides by the same number.
const CALLS: u64 = 1000;
/// A manual clock, so that no system call is counted.
type Breaker = &'static CircuitBreaker<ManualClock>;

fn with_streak() -> ConfigBuilder {
    Config::builder().failure_threshold(u16::MAX).record_durations(false)
}

fn with_durations() -> ConfigBuilder {
    with_streak().record_durations(true)
}

fn with_window() -> ConfigBuilder {
    with_streak().failure_threshold(None).window(WindowShape::Calls(100)).minimum_calls(100).failure_rate_threshold(1.0)
}

fn with_seconds() -> ConfigBuilder {
    with_window().window(WindowShape::Time(Duration::from_secs(60)))
}

fn with_slowness() -> ConfigBuilder {
    with_window().slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0)
}

/// A closed circuit that has made its first calls, leaked for the life of the process.
fn closed(config: ConfigBuilder) -> Breaker {
    let config = config.build().expect("all values are allowed");
    let breaker = Box::leak(Box::new(CircuitBreaker::with_clock(config, ManualClock::new())));
    for _ in 0..200 {
        breaker.call(|| Ok::<_, ()>(())).expect("the circuit is closed");
    }
    breaker
}

fn open(config: ConfigBuilder) -> Breaker {
    let breaker = closed(config);
    breaker.force_open(None).expect("a duration without end is allowed");
    breaker
}

#[library_benchmark]
#[bench::streak(closed(with_streak()))]
#[bench::durations(closed(with_durations()))]
#[bench::window(closed(with_window()))]
#[bench::seconds(closed(with_seconds()))]
#[bench::slowness(closed(with_slowness()))]
fn success(breaker: Breaker) {
    for call in 0..CALLS {
        let _ = black_box(breaker.call(|| black_box(Ok::<_, u64>(call))));
    }
}

// The two halves of a call, as the bindings use them.
#[library_benchmark]
#[bench::streak(closed(with_streak()))]
#[bench::durations(closed(with_durations()))]
fn admit_and_settle(breaker: Breaker) {
    for _ in 0..CALLS {
        let ticket = black_box(host::admit(breaker, || None)).expect("the circuit is closed");
        host::settle(breaker, ticket, black_box(Outcome::Success));
    }
}

#[library_benchmark]
#[bench::streak(closed(with_streak()))]
#[bench::durations(closed(with_durations()))]
#[bench::window(closed(with_window()))]
fn failure(breaker: Breaker) {
    for call in 0..CALLS {
        // One in 50 succeeds, because failures only would reach every rate.
        let result = if call.is_multiple_of(50) { Ok(call) } else { Err(call) };
        let _ = black_box(breaker.call(|| black_box(result)));
    }
    assert_eq!(breaker.counts().rejected_calls, 0);
}

// A failure with a `retry_after` hint.
#[library_benchmark]
#[bench::streak(closed(with_streak()))]
fn hinted_failure(breaker: Breaker) {
    let outcome = Outcome::Failure { retry_after: Some(Duration::from_secs(1)) };
    for _ in 0..CALLS {
        let ticket = black_box(host::admit(breaker, || None)).expect("the circuit is closed");
        host::settle(breaker, ticket, black_box(outcome));
    }
}

// The wait ends, a probe is admitted, and fails.
#[library_benchmark]
#[bench::streak(closed(with_streak().failure_threshold(1).timeout(Duration::from_secs(1))))]
fn probe(breaker: Breaker) {
    for _ in 0..CALLS {
        breaker.clock().advance(Duration::from_secs(1));
        let ticket = black_box(host::admit(breaker, || None)).expect("the wait is over");
        host::settle(breaker, ticket, black_box(Outcome::FAILURE));
    }
}

#[library_benchmark]
#[bench::streak(open(with_streak()))]
fn rejection(breaker: Breaker) {
    for call in 0..CALLS {
        let rejected: Result<u64, CallError<u64>> = breaker.call(|| black_box(Ok(call)));
        let _ = black_box(rejected);
    }
}

#[library_benchmark]
#[bench::streak(closed(with_streak()))]
fn status(breaker: Breaker) {
    for _ in 0..CALLS {
        let status: Status = breaker.status();
        black_box(status);
    }
}

library_benchmark_group!(
    name = paths;
    benchmarks = success, admit_and_settle, failure, hinted_failure, probe, rejection, status
);
main!(library_benchmark_groups = paths);
