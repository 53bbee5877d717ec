//! Calls that meet an operator's operations, and the changes that both announce.

use core::time::Duration;

use halfopen::config::WindowShape;
use halfopen::control::Reason;
use halfopen::evidence::Event;
use halfopen::host;
use halfopen::{Outcome, Snapshot, State};
use loom::sync::{Arc, Mutex};
use loom::thread;

use crate::{about_to_probe, bounded, breaker, call, config, counts_add_up, three_threads, two_threads};

#[test]
fn a_failure_begun_before_a_reset_changes_nothing_after_it() {
    two_threads(None, |turn| {
        let breaker = breaker(config());
        let ticket = host::admit(&breaker, || None).unwrap();
        turn.race(&breaker, |it| host::settle(&it, ticket, Outcome::FAILURE), |it| it.reset());
        let status = breaker.status();
        assert_eq!((status.state, status.consecutive_failures), (State::Closed, 0));
        counts_add_up(&breaker, 1);
    });
}

#[test]
fn a_circuit_forced_open_stays_open() {
    three_threads(|| {
        let breaker = about_to_probe(config());
        let calling = [Outcome::Success, Outcome::FAILURE].map(|outcome| {
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
fn a_rejection_tells_the_reason_and_the_wait_of_one_opening() {
    two_threads(bounded(), |turn| {
        let breaker = breaker(config().timeout(Duration::from_secs(1)));
        breaker.force_open(None).unwrap();
        let orders = |it: &crate::Breaker| {
            it.force_open(Some(Duration::from_secs(2))).unwrap();
            it.reset();
            it.acquire().unwrap().failure();
        };
        let (answer, ()) = turn.race(
            &breaker,
            |it| host::admit(&it, || None).map(|ticket| host::settle(&it, ticket, Outcome::Ignored)),
            orders,
        );
        let answer = answer.map_err(|rejected| (rejected.reason, rejected.retry_after));
        let holds = [(Reason::ForcedOpen, None), (Reason::ForcedOpen, Some(2)), (Reason::Open, Some(1))];
        let of_one = |answer| holds.iter().any(|(reason, wait)| answer == (*reason, wait.map(Duration::from_secs)));
        assert!(answer.is_ok() || answer.is_err_and(of_one));
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn a_window_that_is_taken_away_and_a_success() {
    two_threads(None, |turn| {
        let rates = config().failure_rate_threshold(0.5).minimum_calls(1).window(WindowShape::Calls(2));
        let breaker = breaker(rates);
        let without = config().build().unwrap();
        turn.race(&breaker, |it| call(it, Outcome::Success), |it| it.reconfigure(without));
        assert_eq!(breaker.status().window.calls, 0);
        assert_eq!(breaker.status().consecutive_successes, 1);
        counts_add_up(&breaker, 1);
    });
}

#[test]
fn a_snapshot_during_a_call_is_consistent() {
    for outcome in [Outcome::Success, Outcome::FAILURE] {
        two_threads(None, move |turn| {
            let rates = config().failure_rate_threshold(0.5).minimum_calls(2).window(WindowShape::Calls(2));
            let breaker = breaker(rates.failure_threshold(2));
            let (_, saved) = turn.race(&breaker, move |it| call(it, outcome), |it| it.snapshot().to_value());
            assert!(Snapshot::from_value(&saved).is_ok());
            counts_add_up(&breaker, 1);
        });
    }
}

#[test]
fn a_snapshot_beside_a_lock_free_success_is_consistent() {
    two_threads(None, |turn| {
        let breaker = breaker(config());
        call(&breaker, Outcome::Success);
        let (_, saved) = turn.race(&breaker, |it| call(it, Outcome::Success), |it| it.snapshot().to_value());
        assert!(Snapshot::from_value(&saved).is_ok());
    });
}

#[test]
fn a_restored_breaker_counts_what_happens_meanwhile() {
    two_threads(None, |turn| {
        let saved = about_to_probe(config()).snapshot();
        let breaker = breaker(config());
        turn.race(&breaker, |it| call(it, Outcome::FAILURE), move |it| it.restore(&saved).unwrap());
        assert_ne!(breaker.state(), State::Closed, "restored as open, or opened by a probe");
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn a_listener_receives_each_change_once_and_in_order() {
    two_threads(None, |turn| {
        let breaker = breaker(config());
        let received = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&received);
        breaker.subscribe(std::sync::Arc::new(move |event: &Event| sink.lock().unwrap().push(event.sequence)));
        let orders = |it: &crate::Breaker| {
            it.force_open(None).unwrap();
            it.reset();
        };
        turn.race(&breaker, |it| call(it, Outcome::FAILURE), orders);
        let changes = breaker.status().state_transitions;
        assert_eq!(*received.lock().unwrap(), (1..=changes).collect::<Vec<_>>());
    });
}
