//! Calls that meet calls, and readings of them.

use core::time::Duration;

use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::host;
use halfopen::{Outcome, State};
use loom::sync::Arc;
use loom::thread;

use crate::{about_to_probe, breaker, call, config, counts_add_up, three_threads, two_threads};

#[test]
fn a_success_and_a_failure() {
    two_threads(None, |turn| {
        let breaker = breaker(config());
        let (admitted, _) = turn.race(&breaker, |it| call(it, Outcome::FAILURE), |it| call(it, Outcome::Success));
        assert!(admitted, "closed: it was admitted");
        assert_eq!(breaker.state(), State::Open);
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn one_slot_and_three_that_want_it() {
    three_threads(|| {
        let breaker = about_to_probe(config());
        let ask = |breaker: Arc<crate::Breaker>| move || host::admit(&breaker, || None).ok();
        let others = [0, 1].map(|_| thread::spawn(ask(Arc::clone(&breaker))));
        let mine = ask(Arc::clone(&breaker))();
        let admitted: Vec<_> = others.into_iter().map(|other| other.join().unwrap()).chain([mine]).flatten().collect();
        assert_eq!(admitted.len(), 1, "exactly one is the probe");
        for ticket in admitted {
            host::settle(&breaker, ticket, Outcome::Success);
        }
        assert_eq!(breaker.state(), State::Closed);
        counts_add_up(&breaker, 4);
    });
}

#[test]
fn a_probe_that_is_dropped_while_another_asks() {
    two_threads(None, |turn| {
        let breaker = about_to_probe(config());
        let probe = host::admit(&breaker, || None).unwrap();
        let (admitted, ()) =
            turn.race(&breaker, |it| call(it, Outcome::Success), |it| host::settle(&it, probe, Outcome::Cancelled));
        assert_eq!(breaker.state() == State::Closed, admitted);
        assert!(admitted || call(&breaker, Outcome::Success), "the slot came back");
        assert_eq!(breaker.counts().in_flight, 0);
    });
}

#[test]
fn how_long_a_call_took_is_kept_while_another_opens() {
    two_threads(None, |turn| {
        let breaker = breaker(config().record_durations(true));
        let (good, bad) = (host::admit(&breaker, || None).unwrap(), host::admit(&breaker, || None).unwrap());
        turn.race(
            &breaker,
            |it| host::settle(&it, bad, Outcome::FAILURE),
            |it| host::settle(&it, good, Outcome::Success),
        );
        let durations = breaker.durations();
        assert_eq!((durations.success.count(), durations.failure.count()), (1, 1));
    });
}

#[test]
fn two_failures_enter_the_window_once_each() {
    two_threads(None, |turn| {
        let rates = config().failure_threshold(None).failure_rate_threshold(1.0).minimum_calls(2);
        let breaker = breaker(rates.window(WindowShape::Calls(2)));
        turn.race(&breaker, |it| call(it, Outcome::FAILURE), |it| call(it, Outcome::FAILURE));
        let status = breaker.status();
        assert_eq!((status.state, status.window.calls, status.window.failed), (State::Open, 2, 2));
    });
}

#[test]
fn a_success_and_a_failure_enter_the_window_once_each() {
    two_threads(None, |turn| {
        let rates = config().failure_threshold(None).failure_rate_threshold(1.0).minimum_calls(2);
        let breaker = breaker(rates.window(WindowShape::Calls(2)));
        turn.race(&breaker, |it| call(it, Outcome::FAILURE), |it| call(it, Outcome::Success));
        let status = breaker.status();
        assert_eq!((status.state, status.window.calls, status.window.failed), (State::Closed, 2, 1));
        counts_add_up(&breaker, 2);
    });
}

#[test]
fn a_reading_adds_up_at_every_moment() {
    two_threads(None, |turn| {
        let breaker = breaker(config().failure_threshold(9));
        let calls = |it: &crate::Breaker| {
            call(it, Outcome::Success);
            call(it, Outcome::FAILURE);
        };
        let (counts, ()) = turn.race(&breaker, |it| it.status().counts, calls);
        let ended = counts.successful_calls + counts.failed_calls + counts.ignored_calls + counts.cancelled_calls;
        assert_eq!(counts.total_calls, ended + counts.in_flight);
    });
}

/// Two calls that are in flight after a second open it.
fn slow_rate() -> ConfigBuilder {
    let rates = config().failure_threshold(None).slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0);
    rates.minimum_calls(2).window(WindowShape::Calls(2))
}

#[test]
fn two_calls_that_begin_together_are_both_overdue() {
    two_threads(None, |turn| {
        let breaker = breaker(slow_rate());
        let admit = |it: &crate::Breaker| host::admit(it, || None).unwrap();
        let hanging = turn.race(&breaker, admit, admit);
        breaker.clock().advance(Duration::from_secs(2));
        assert!(host::admit(&breaker, || None).is_err());
        assert_eq!(breaker.state(), State::Open);
        drop(hanging);
    });
}

#[test]
fn a_call_that_begins_while_another_ends_leaves_one_overdue() {
    two_threads(None, |turn| {
        let breaker = breaker(slow_rate());
        let (ends, hangs) = (host::admit(&breaker, || None).unwrap(), host::admit(&breaker, || None).unwrap());
        let (_, begins) =
            turn.race(&breaker, |it| host::settle(it, ends, Outcome::Ignored), |it| host::admit(it, || None).unwrap());
        host::settle(&breaker, hangs, Outcome::Ignored);
        breaker.clock().advance(Duration::from_secs(2));
        let second = host::admit(&breaker, || None).unwrap();
        breaker.clock().advance(Duration::from_secs(2));
        assert!(host::admit(&breaker, || None).is_err(), "the call that began and the second");
        drop((begins, second));
    });
}

#[test]
fn a_call_that_begins_beside_a_reset_is_of_one_generation() {
    two_threads(None, |turn| {
        let breaker = breaker(slow_rate());
        let before = host::admit(&breaker, || None).unwrap();
        let (beside, ()) = turn.race(&breaker, |it| host::admit(it, || None).unwrap(), |it| it.reset());
        let after = host::admit(&breaker, || None).unwrap();
        let of_the_new_generation = beside.stamp().generation() == after.stamp().generation();
        breaker.clock().advance(Duration::from_secs(2));
        assert_eq!(host::admit(&breaker, || None).is_err(), of_the_new_generation);
        drop((before, beside, after));
    });
}
