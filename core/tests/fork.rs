//! The breakers that the child of a fork inherits, without the fork.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::ConfigBuilder;
use halfopen::control::{Jitter, Mode};
use halfopen::evidence::Counts;
use halfopen::host;
use halfopen::{CircuitBreaker, Config, Outcome, State};

fn breaker(config: ConfigBuilder) -> CircuitBreaker<ManualClock> {
    let config = config.failure_threshold(1).timeout(Duration::from_secs(100)).half_open_max_calls(1).build().unwrap();
    CircuitBreaker::with_jitter(config, ManualClock::new(), Jitter { seed: 1 })
}

fn half_open(breaker: &CircuitBreaker<ManualClock>) {
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(breaker.status().retry_after.unwrap());
}

#[test]
fn a_call_that_is_in_flight_at_the_fork_is_the_parents() {
    let breaker = breaker(Config::builder());
    breaker.acquire().unwrap().success();
    for outcome in Outcome::ALL {
        let ticket = host::admit(&breaker, || None).unwrap();
        host::after_fork(&breaker, Jitter { seed: 2 });
        let before = breaker.status();
        assert_eq!(before.counts.in_flight, 0);
        host::settle(&breaker, ticket, *outcome);
        assert_eq!(breaker.status(), before, "{outcome} is not counted and has no vote");
    }
    let mut counts = Counts::default();
    (counts.total_calls, counts.successful_calls, counts.cancelled_calls) = (5, 1, 4);
    assert_eq!(breaker.counts(), counts);
    breaker.acquire().unwrap().success();
    assert_eq!(breaker.counts().successful_calls, 2);
}

#[test]
fn the_probes_of_the_parent_hold_no_slot_in_the_child() {
    let breaker = breaker(Config::builder());
    half_open(&breaker);
    let parents = host::admit(&breaker, || None).unwrap();
    assert!(breaker.acquire().is_err(), "the slot is taken");
    host::after_fork(&breaker, Jitter { seed: 2 });
    let own = host::admit(&breaker, || None).unwrap();
    host::settle(&breaker, parents, Outcome::FAILURE);
    assert!(breaker.acquire().is_err(), "the slot is the child's own, and the parent's probe does not free it");
    assert_eq!(breaker.state(), State::HalfOpen);
    host::settle(&breaker, own, Outcome::FAILURE);
    assert_eq!(breaker.state(), State::Open);
}

#[test]
fn a_call_that_shadow_mode_let_pass_is_the_parents_too() {
    let breaker = breaker(Config::builder().shadow(true));
    breaker.acquire().unwrap().failure();
    let (parents, count) = (host::admit(&breaker, || None).unwrap(), breaker.counts().shadow_rejected);
    host::after_fork(&breaker, Jitter { seed: 2 });
    host::settle(&breaker, parents, Outcome::Success);
    assert_eq!((breaker.mode(), count, breaker.counts().in_flight), (Mode::Shadow, 1, 0));
    host::settle(&breaker, host::admit(&breaker, || None).unwrap(), Outcome::Success);
    assert_eq!((breaker.counts().successful_calls, breaker.counts().cancelled_calls), (1, 1));
}

#[test]
fn a_wait_stays_and_those_to_come_are_spread_anew() {
    let waits = [2, 3].map(|seed| {
        let breaker = breaker(Config::builder().timeout_jitter(0.5));
        breaker.acquire().unwrap().failure();
        let running = breaker.status().retry_after;
        host::after_fork(&breaker, Jitter { seed });
        assert_eq!(breaker.status().retry_after, running);
        breaker.clock().advance(running.unwrap());
        breaker.acquire().unwrap().failure();
        (running, breaker.status().retry_after)
    });
    assert_eq!(waits[0].0, waits[1].0, "one parent");
    assert_ne!(waits[0].1, waits[1].1, "two children");
}

#[test]
fn state_counts_and_evidence_stay() {
    let breaker = breaker(Config::builder());
    breaker.acquire().unwrap().failure();
    let before = breaker.status();
    host::after_fork(&breaker, Jitter { seed: 2 });
    let mut after = breaker.status();
    assert_eq!(after.generation, before.generation + 1);
    after.generation = before.generation;
    assert_eq!(after, before);
    assert_eq!(breaker.events(0).len(), 1);
}

#[test]
fn a_delivery_of_a_thread_that_the_child_does_not_have_is_over() {
    let breaker = Arc::new(breaker(Config::builder()));
    let received = Arc::new(Mutex::new(Vec::new()));
    let (entered, has_entered) = channel();
    let (leave, may_leave) = channel::<()>();
    let (record, may_leave) = (Arc::clone(&received), Mutex::new(may_leave));
    breaker.subscribe(Arc::new(move |event| {
        record.lock().unwrap().push(event.transition.to);
        if event.sequence == 1 {
            entered.send(()).unwrap();
            may_leave.lock().unwrap().recv_timeout(Duration::from_secs(60)).unwrap();
        }
    }));
    let of_the_parent = Arc::clone(&breaker);
    let thread = thread::spawn(move || of_the_parent.acquire().unwrap().failure());
    has_entered.recv_timeout(Duration::from_secs(60)).unwrap();
    breaker.reset();
    host::after_fork(&breaker, Jitter { seed: 2 });
    assert_eq!(*received.lock().unwrap(), [State::Open], "the parent tells of what came before the fork");
    breaker.acquire().unwrap().failure();
    assert_eq!(*received.lock().unwrap(), [State::Open, State::Open], "and the child of what comes after it");
    leave.send(()).unwrap();
    thread.join().unwrap();
}

#[test]
fn a_child_that_was_forked_in_a_listener_goes_on_delivering_in_order() {
    let breaker = Arc::new(breaker(Config::builder()));
    let received = Arc::new(Mutex::new(Vec::new()));
    let (inside, record) = (Arc::downgrade(&breaker), Arc::clone(&received));
    breaker.subscribe(Arc::new(move |event| {
        record.lock().unwrap().push(event.sequence);
        if event.sequence == 1 {
            let breaker = inside.upgrade().unwrap();
            host::after_fork(&breaker, Jitter { seed: 2 });
            breaker.reset();
            assert_eq!(*record.lock().unwrap(), [1], "not before this one is done");
        }
    }));
    breaker.acquire().unwrap().failure();
    assert_eq!(*received.lock().unwrap(), [1, 2]);
}
