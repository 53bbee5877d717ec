//! Calls inside calls, as Rust knows them: by the running thread, and by the permit that is handed on.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::host;
use halfopen::{CallError, CircuitBreaker, Config, Outcome, State};

type Breaker = CircuitBreaker<ManualClock>;
type Answer = Result<&'static str, CallError<&'static str>>;

/// An open circuit whose wait is over, with one probe slot.
fn waited() -> Breaker {
    let config = Config::builder()
        .failure_threshold(1)
        .half_open_max_calls(1)
        .success_threshold(1)
        .timeout(Duration::from_secs(1));
    let breaker = CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new());
    open(&breaker);
    breaker
}

fn open(breaker: &Breaker) {
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(Duration::from_secs(1));
}

fn query(breaker: &Breaker) -> Answer {
    breaker.call(|| Ok("row"))
}

/// A call inside a call of the same breaker. The error of the outer call wraps that of the inner one.
fn user(breaker: &Breaker) -> Result<&'static str, CallError<CallError<&'static str>>> {
    breaker.call(|| query(breaker))
}

#[test]
fn a_layered_call_recovers_every_time() {
    let breaker = waited();
    for round in 0..50 {
        assert_eq!(user(&breaker), Ok("row"), "round {round}");
        assert_eq!(breaker.state(), State::Closed);
        open(&breaker);
    }
}

#[test]
fn a_recursion_takes_one_slot_and_votes_once() {
    fn down(breaker: &Breaker, levels: u8) -> Result<(), CallError<()>> {
        breaker.call(|| if levels == 0 { Ok(()) } else { down(breaker, levels - 1).map_err(drop) })
    }
    let config = Config::builder().failure_threshold(1).build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(Duration::from_secs(60));
    assert_eq!(down(&breaker, 10), Ok(()));
    assert_eq!((breaker.state(), breaker.status().consecutive_successes), (State::HalfOpen, 1));
    assert_eq!(down(&breaker, 10), Ok(()));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn another_thread_is_not_inside_the_probe() {
    let breaker = waited();
    breaker
        .call(|| {
            std::thread::scope(|scope| assert!(scope.spawn(|| query(&breaker)).join().unwrap().is_err()));
            query(&breaker)
        })
        .unwrap();
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn a_probe_of_another_breaker_admits_nothing_here() {
    let (one, other) = (waited(), waited());
    let probe = other.acquire().unwrap();
    let answer = one.call(|| query(&other));
    assert!(matches!(answer, Err(CallError::Failed(CallError::Rejected(_)))), "{answer:?}");
    probe.success();
}

#[test]
fn a_panicked_probe_is_forgotten() {
    let breaker = waited();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        breaker.call(|| -> Result<(), ()> { panic!("in the callee") })
    }));
    assert!(panicked.is_err());
    let probe = breaker.acquire().unwrap();
    assert!(query(&breaker).is_err(), "the thread is inside no probe any more");
    probe.success();
}

#[test]
fn a_permit_that_is_handed_on_knows_its_probe() {
    let breaker = waited();
    let probe = breaker.acquire().unwrap();
    assert!(breaker.acquire().is_err());
    let inner = probe.acquire_nested().unwrap();
    let innermost = inner.acquire_nested().unwrap();
    innermost.failure();
    inner.failure();
    assert_eq!(breaker.state(), State::HalfOpen, "they have no vote");
    probe.success();
    assert_eq!(breaker.state(), State::Closed);
    let counts = breaker.status().counts;
    assert_eq!((counts.total_calls, counts.failed_calls, counts.in_flight), (2, 1, 0));
}

#[test]
fn a_classifier_says_what_an_error_means() {
    let breaker = CircuitBreaker::with_clock(Config::default(), ManualClock::new());
    for outcome in Outcome::ALL {
        let _ = breaker.call_classified(|| Err::<(), _>("error"), |_| *outcome);
    }
    let counts = breaker.status().counts;
    let ended = [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls];
    assert_eq!(ended, [1, 1, 1, 1]);
}

/// The outer layer's classifier: the inner call has already counted the error.
fn counted<E>(_: &CallError<E>) -> Outcome {
    Outcome::Ignored
}

#[test]
fn one_failure_through_five_layers_counts_once_if_the_classifiers_say_who_counted_it() {
    let breaker = CircuitBreaker::with_clock(Config::default(), ManualClock::new());
    let one = || breaker.call(|| Err::<(), _>("down"));
    let two = || breaker.call_classified(one, counted);
    let three = || breaker.call_classified(two, counted);
    let four = || breaker.call_classified(three, counted);
    assert!(breaker.call_classified(four, counted).is_err());
    let counts = breaker.status().counts;
    assert_eq!((counts.failed_calls, counts.ignored_calls), (1, 4));
}

#[test]
fn one_failure_of_a_nested_future_counts_once_if_the_classifier_says_who_counted_it() {
    let breaker = CircuitBreaker::with_clock(Config::default(), ManualClock::new());
    let inner = || breaker.call_async(|| async { Err::<(), _>("down") });
    let outer = pin!(breaker.call_async_classified(inner, counted));
    let mut context = Context::from_waker(Waker::noop());
    assert!(matches!(outer.poll(&mut context), Poll::Ready(Err(CallError::Failed(CallError::Failed("down"))))));
    let counts = breaker.status().counts;
    assert_eq!((counts.failed_calls, counts.ignored_calls), (1, 1));
}

#[test]
fn the_time_of_a_consumer_is_left_out_of_the_duration() {
    let config = Config::builder().slow_call(Duration::from_secs(1)).build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    let second = Duration::from_secs(1);
    for (excluded, slow) in [(0, 1), (1, 2), (2, 2), (3, 2), (u32::MAX, 2)] {
        let mut ticket = host::admit(&breaker, || None).unwrap();
        breaker.clock().advance(2 * second);
        ticket.exclude(excluded * second);
        host::settle(&breaker, ticket, Outcome::Success);
        // Two seconds minus the excluded time; from one second on, a call is slow.
        assert_eq!(breaker.status().counts.slow_calls, slow, "{excluded} s left out");
    }
}

#[test]
fn an_untimed_call_has_no_duration_to_leave_anything_out_of() {
    let config = Config::builder().record_durations(false).build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    let mut ticket = host::admit(&breaker, || None).unwrap();
    ticket.exclude(Duration::MAX);
    host::settle(&breaker, ticket, Outcome::Success);
    assert_eq!(breaker.status().counts.successful_calls, 1);
}
