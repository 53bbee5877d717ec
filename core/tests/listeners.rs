//! Listeners receive transitions after the change, in order, with no lock held. Their panics reach no call.

use std::sync::{Arc, Barrier, Mutex, Weak};
use std::thread;

use halfopen::clock::ManualClock;
use halfopen::evidence::{EVENTS_WAITING, Event};
use halfopen::host;
use halfopen::{CircuitBreaker, Config, Outcome, State};

type Breaker = CircuitBreaker<ManualClock>;

fn breaker() -> Arc<Breaker> {
    let config = Config::builder().failure_threshold(1).build().unwrap();
    Arc::new(CircuitBreaker::with_clock(config, ManualClock::new()))
}

fn recorded(breaker: &Breaker) -> Arc<Mutex<Vec<Event>>> {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    breaker.subscribe(Arc::new(move |event| record.lock().unwrap().push(*event)));
    seen
}

#[test]
fn a_listener_may_call_into_the_breaker_that_calls_it() {
    let breaker = breaker();
    let seen = recorded(&breaker);
    let weak: Weak<Breaker> = Arc::downgrade(&breaker);
    breaker.subscribe(Arc::new(move |event: &Event| {
        let breaker = weak.upgrade().unwrap();
        assert_eq!(breaker.state(), event.transition.to, "the change has been made");
        if event.transition.to == State::Open {
            breaker.reset();
        }
    }));
    breaker.acquire().unwrap().failure();
    let order: Vec<_> = seen.lock().unwrap().iter().map(|event| (event.sequence, event.transition.to)).collect();
    assert_eq!(order, [(1, State::Open), (2, State::Closed)]);
}

#[test]
fn a_listener_that_panics_harms_nobody() {
    let breaker = breaker();
    breaker.subscribe(Arc::new(|_: &Event| panic!("a listener's own trouble")));
    let seen = recorded(&breaker);
    breaker.acquire().unwrap().failure();
    breaker.reset();
    assert_eq!(seen.lock().unwrap().len(), 2);
    assert_eq!((breaker.counts().failed_calls, breaker.counts().in_flight), (1, 0));
}

#[test]
fn events_never_overtake_each_other() {
    let breaker = breaker();
    let seen = recorded(&breaker);
    thread::scope(|scope| {
        for n in 0..8 {
            let breaker = &breaker;
            scope.spawn(move || {
                for round in 0..500 {
                    if let Ok(permit) = breaker.acquire() {
                        permit.settle(Outcome::ALL[(n + round) % 4]);
                    } else {
                        breaker.reset();
                    }
                }
            });
        }
    });
    let sequence: Vec<u64> = seen.lock().unwrap().iter().map(|event| event.sequence).collect();
    assert_eq!(sequence, (1..=breaker.status().state_transitions).collect::<Vec<_>>());
}

/// Lets a listener wait in its first event until another thread has made this many transitions. Returns the events that it
/// received, and the number of those that it missed.
fn received_by_a_slow_listener(transitions: u64) -> (Vec<u64>, u64) {
    let breaker = breaker();
    let (entered, wait) = (Barrier::new(2), Barrier::new(2));
    let barriers = Arc::new((entered, wait));
    let waiting = Arc::clone(&barriers);
    breaker.subscribe(Arc::new(move |event: &Event| {
        if event.sequence == 1 {
            waiting.0.wait();
            waiting.1.wait();
        }
    }));
    let seen = recorded(&breaker);
    thread::scope(|scope| {
        scope.spawn(|| breaker.force_open(None).unwrap());
        barriers.0.wait();
        for number in 0..transitions {
            if number % 2 == 0 {
                breaker.reset();
            } else {
                breaker.force_open(None).unwrap();
            }
        }
        barriers.1.wait();
    });
    let sequence = seen.lock().unwrap().iter().map(|event| event.sequence).collect();
    (sequence, breaker.missed_events())
}

#[test]
fn a_slow_listener_receives_the_newest_events_and_the_missed_ones_are_counted() {
    let most = EVENTS_WAITING as u64;
    assert_eq!(received_by_a_slow_listener(most), ((1..=most + 1).collect(), 0));
    let newest = [1].into_iter().chain(102..=most + 101).collect();
    assert_eq!(received_by_a_slow_listener(most + 100), (newest, 100));
}

#[test]
fn a_removed_listener_receives_nothing() {
    let breaker = breaker();
    let captured = Arc::new(());
    let capture = Arc::clone(&captured);
    let id = breaker.subscribe(Arc::new(move |_: &Event| {
        let _ = &capture;
        panic!("it was taken away");
    }));
    assert!(breaker.unsubscribe(id));
    assert!(!breaker.unsubscribe(id));
    breaker.acquire().unwrap().failure();
    assert_eq!(Arc::strong_count(&captured), 1, "what it captured is gone with it");
}

#[test]
fn the_right_one_of_two_listeners_is_removed() {
    let breaker = breaker();
    let received = Arc::new(Mutex::new(Vec::new()));
    let [first, second] = ["first", "second"].map(|name| {
        let record = Arc::clone(&received);
        breaker.subscribe(Arc::new(move |event: &Event| record.lock().unwrap().push((name, event.transition.to))))
    });
    assert!(breaker.unsubscribe(first));
    breaker.force_open(None).unwrap();
    assert!(breaker.unsubscribe(second));
    breaker.reset();
    assert_eq!(*received.lock().unwrap(), [("second", State::Open)]);
}

#[test]
fn a_listener_receives_what_comes_between_its_subscription_and_its_removal() {
    let breaker = breaker();
    let received = Arc::new(Mutex::new(Vec::new()));
    let listener = |name| {
        let record = Arc::clone(&received);
        Arc::new(move |event: &Event| record.lock().unwrap().push((name, event.sequence)))
    };
    let (weak, late, gone) = (Arc::downgrade(&breaker), listener("late"), Arc::new(Mutex::new(None)));
    let leaving = Arc::clone(&gone);
    breaker.subscribe(Arc::new(move |event: &Event| {
        if event.sequence == 1 {
            let breaker = weak.upgrade().unwrap();
            assert!(breaker.unsubscribe(leaving.lock().unwrap().take().unwrap()));
            breaker.reset();
            breaker.subscribe(Arc::clone(&late) as _);
        }
    }));
    *gone.lock().unwrap() = Some(breaker.subscribe(listener("gone")));
    breaker.force_open(None).unwrap();
    assert_eq!(*received.lock().unwrap(), []);
    breaker.force_open(None).unwrap();
    assert_eq!(*received.lock().unwrap(), [("late", 3)]);
}

#[test]
fn the_hosts_own_listener_receives_everything_and_keeps_no_breaker() {
    let breaker = breaker();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let record = Arc::clone(&seen);
    host::follow(&breaker, Arc::new(move |event: &Event| record.lock().unwrap().push(event.transition.to)));
    assert!(breaker.is_idle(), "a registry may evict it");
    let id = breaker.subscribe(Arc::new(|_: &Event| ()));
    assert!(!breaker.is_idle());
    breaker.unsubscribe(id);
    breaker.acquire().unwrap().failure();
    breaker.reset();
    assert_eq!(*seen.lock().unwrap(), [State::Open, State::Closed]);
    assert!(breaker.is_idle());
}
