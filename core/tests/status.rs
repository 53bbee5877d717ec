//! The readings of the calls that were made.

use std::thread;
use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::evidence::{Edge, Status};
use halfopen::{CircuitBreaker, Config, State};

fn breaker() -> CircuitBreaker<ManualClock> {
    let config = Config::builder().failure_threshold(1).build().unwrap();
    CircuitBreaker::with_clock(config, ManualClock::new())
}

fn at(second: u64) -> Tick {
    Tick::ZERO.after(Duration::from_secs(second))
}

#[test]
fn the_last_success_failure_and_change_are_told_by_their_moments() {
    let breaker = breaker();
    let times = || {
        let Status { last_success, last_failure, last_change, .. } = breaker.status();
        (last_success, last_failure, last_change)
    };
    let late = [breaker.acquire().unwrap(), breaker.acquire().unwrap()];
    assert_eq!(times(), (None, None, None));
    breaker.clock().set(at(1));
    breaker.acquire().unwrap().success();
    assert_eq!(times(), (Some(at(1)), None, None));
    breaker.clock().set(at(2));
    breaker.acquire().unwrap().failure();
    assert_eq!(times(), (Some(at(1)), Some(at(2)), Some(at(2))));

    breaker.clock().set(at(3));
    let [success, failure] = late;
    success.success();
    failure.failure();
    assert_eq!(times(), (Some(at(1)), Some(at(2)), Some(at(2))), "they began before it opened, and have no vote");
    breaker.reset();
    assert_eq!(times(), (Some(at(1)), Some(at(2)), Some(at(3))));
}

#[test]
fn the_last_success_is_the_last_of_all_threads() {
    let breaker = breaker();
    for second in 1..=9 {
        breaker.clock().set(at(second));
        thread::scope(|scope| scope.spawn(|| breaker.acquire().unwrap().success()).join().unwrap());
        assert_eq!(breaker.status().last_success, Some(at(second)));
    }
}

#[test]
fn the_success_rate_is_the_share_of_the_calls_that_decided() {
    let breaker = breaker();
    breaker.acquire().unwrap().ignore();
    breaker.acquire().unwrap().cancel();
    assert_eq!(breaker.status().success_rate(), 0.0, "none has");
    for _ in 0..3 {
        breaker.acquire().unwrap().success();
    }
    assert_eq!(breaker.status().success_rate(), 100.0);
    breaker.acquire().unwrap().failure();
    assert_eq!(breaker.status().success_rate(), 75.0);
}

#[test]
fn of_the_changes_of_state_those_are_counted_that_have_happened() {
    let breaker = breaker();
    assert_eq!(breaker.edges(), []);
    for _ in 0..2 {
        breaker.force_open(None).unwrap();
        breaker.reset();
    }
    let edge = |from, to| Edge { from, to, count: 2 };
    assert_eq!(breaker.edges(), [edge(State::Closed, State::Open), edge(State::Open, State::Closed)]);
}

#[test]
fn it_is_idle_where_a_new_one_in_its_place_would_do_the_same() {
    let breaker = breaker();
    assert!(breaker.is_idle());
    let permit = breaker.acquire().unwrap();
    assert!(!breaker.is_idle(), "a call is in flight");
    permit.success();
    assert!(breaker.is_idle());
    breaker.acquire().unwrap().failure();
    assert!(!breaker.is_idle(), "it is open");
}
