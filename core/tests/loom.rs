//! Every interleaving of two and three threads on one breaker, as far as the memory model allows it.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --package halfopen --release --test loom --target-dir target/loom`
#![cfg(loom)]

use core::time::Duration;

use halfopen::{CircuitBreaker, Config, ConfigBuilder, ManualClock, Outcome, Reason, State, WindowShape};
use loom::sync::Arc;
use loom::thread;

type Breaker = CircuitBreaker<ManualClock>;

/// Durations are left out: their histogram has no part in any verdict, and a search through it would not end.
fn config() -> ConfigBuilder {
    Config::builder().failure_threshold(1).success_threshold(1).half_open_max_calls(1).record_durations(false)
}

fn breaker(config: ConfigBuilder) -> Arc<Breaker> {
    Arc::new(CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new()))
}

/// Open, with its wait over.
fn about_to_probe(config: ConfigBuilder) -> Arc<Breaker> {
    let breaker = breaker(config.timeout_seconds(1.0));
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(Duration::from_secs(1));
    breaker
}

fn call(breaker: &Breaker, outcome: Outcome) -> bool {
    breaker.acquire().map(|permit| permit.settle(outcome)).is_ok()
}

/// So many preemptions of three threads are searched: two is where nearly all known concurrency defects show (Musuvathi
/// and Qadeer: Iterative context bounding, 2007); with `HALFOPEN_PROVE`, in minutes, one more.
fn bounded() -> Option<usize> {
    Some(if std::env::var_os("HALFOPEN_PROVE").is_some() { 3 } else { 2 })
}

/// Runs `check` for every interleaving.
fn every_interleaving(preemptions: Option<usize>, check: impl Fn() + Sync + Send + 'static) {
    let mut search = loom::model::Builder::new();
    search.preemption_bound = preemptions;
    search.check(check);
}

fn counts_add_up(breaker: &Breaker, asked: u64) {
    let counts = breaker.counts();
    assert_eq!(counts.in_flight, 0);
    assert_eq!(counts.total_calls + counts.rejected_calls, asked);
}

#[test]
fn a_success_and_a_failure() {
    every_interleaving(None, || {
        let breaker = breaker(config());
        let other = Arc::clone(&breaker);
        let failing = thread::spawn(move || call(&other, Outcome::Failure));
        call(&breaker, Outcome::Success);
        assert!(failing.join().unwrap(), "closed: it was admitted");
        assert_eq!(breaker.state(), State::Open);
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn one_slot_and_three_that_want_it() {
    every_interleaving(bounded(), || {
        let breaker = about_to_probe(config());
        let ask = |breaker: Arc<Breaker>| move || breaker.admit().ok();
        let others = [0, 1].map(|_| thread::spawn(ask(Arc::clone(&breaker))));
        let mine = ask(Arc::clone(&breaker))();
        let admitted: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).chain([mine]).flatten().collect();
        assert_eq!(admitted.len(), 1, "exactly one is the probe");
        for ticket in admitted {
            breaker.settle(ticket, Outcome::Success);
        }
        assert_eq!(breaker.state(), State::Closed);
        counts_add_up(&breaker, 4);
    });
}

#[test]
fn a_probe_that_is_dropped_while_another_asks() {
    every_interleaving(None, || {
        let breaker = about_to_probe(config());
        let probe = breaker.admit().unwrap();
        let other = Arc::clone(&breaker);
        let asking = thread::spawn(move || call(&other, Outcome::Success));
        breaker.settle(probe, Outcome::Cancelled);
        let admitted = asking.join().unwrap();
        assert_eq!(breaker.state() == State::Closed, admitted);
        assert!(admitted || call(&breaker, Outcome::Success), "the slot came back");
        assert_eq!(breaker.counts().in_flight, 0);
    });
}

#[test]
fn a_failure_begun_before_a_reset_changes_nothing_after_it() {
    every_interleaving(None, || {
        let breaker = breaker(config());
        let ticket = breaker.admit().unwrap();
        let other = Arc::clone(&breaker);
        let failing = thread::spawn(move || other.settle(ticket, Outcome::Failure));
        breaker.reset();
        failing.join().unwrap();
        let status = breaker.status();
        assert_eq!((status.state, status.consecutive_failures), (State::Closed, 0));
        counts_add_up(&breaker, 1);
    });
}

#[test]
fn a_circuit_forced_open_stays_open() {
    every_interleaving(bounded(), || {
        let breaker = about_to_probe(config());
        let calling = [Outcome::Success, Outcome::Failure].map(|outcome| {
            let breaker = Arc::clone(&breaker);
            thread::spawn(move || call(&breaker, outcome))
        });
        breaker.force_open(None).unwrap();
        calling.into_iter().for_each(|calling| {
            calling.join().unwrap();
        });
        assert_eq!((breaker.state(), breaker.status().retry_after), (State::Open, None));
        counts_add_up(&breaker, 3);
    });
}

#[test]
fn a_rejection_tells_the_reason_and_the_wait_of_one_hold() {
    every_interleaving(bounded(), || {
        let breaker = breaker(config().timeout_seconds(1.0));
        breaker.force_open(None).unwrap();
        let other = Arc::clone(&breaker);
        let asking = thread::spawn(move || other.admit().map(|ticket| other.settle(ticket, Outcome::Ignored)));
        breaker.force_open(Some(Duration::from_secs(2))).unwrap();
        breaker.reset();
        breaker.acquire().unwrap().failure();
        let told = asking.join().unwrap().map_err(|rejected| (rejected.reason, rejected.retry_after));
        let holds = [(Reason::ForcedOpen, None), (Reason::ForcedOpen, Some(2)), (Reason::Open, Some(1))];
        let of_one = |told| holds.iter().any(|(reason, wait)| told == (*reason, wait.map(Duration::from_secs)));
        assert!(told.is_ok() || told.is_err_and(of_one));
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn two_failures_enter_the_window_once_each() {
    every_interleaving(None, || {
        let rates = config().failure_threshold(None).failure_rate_threshold(1.0).minimum_calls(2);
        let breaker = breaker(rates.window(WindowShape::Calls(2)));
        let other = Arc::clone(&breaker);
        let failing = thread::spawn(move || call(&other, Outcome::Failure));
        call(&breaker, Outcome::Failure);
        failing.join().unwrap();
        let status = breaker.status();
        assert_eq!((status.state, status.window.calls, status.window.failed), (State::Open, 2, 2));
    });
}

#[test]
fn a_window_that_is_taken_away_and_a_success() {
    every_interleaving(None, || {
        let rates = || config().failure_rate_threshold(0.5).minimum_calls(1).window(WindowShape::Calls(2));
        let breaker = breaker(rates());
        let other = Arc::clone(&breaker);
        let calling = thread::spawn(move || call(&other, Outcome::Success));
        breaker.reconfigure(config().build().unwrap());
        calling.join().unwrap();
        assert_eq!(breaker.status().window.calls, 0);
        assert_eq!(breaker.status().consecutive_successes, 1);
        counts_add_up(&breaker, 1);
    });
}

#[test]
fn a_reading_adds_up_at_every_moment() {
    every_interleaving(None, || {
        let breaker = breaker(config().failure_threshold(9));
        let other = Arc::clone(&breaker);
        let calling = thread::spawn(move || {
            call(&other, Outcome::Success);
            call(&other, Outcome::Failure);
        });
        let counts = breaker.status().counts;
        let ended = counts.successful_calls + counts.failed_calls + counts.ignored_calls + counts.cancelled_calls;
        assert_eq!(counts.total_calls, ended + counts.in_flight);
        calling.join().unwrap();
    });
}
