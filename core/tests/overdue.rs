//! Calls in flight that are overdue: `docs/semantics.md`, section 4, "overdue calls".

use std::time::Duration;

use halfopen::clock::{Clock, ManualClock};
use halfopen::config::ConfigBuilder;
use halfopen::control::{Cause, Reason};
use halfopen::host::{self, Ticket};
use halfopen::{CircuitBreaker, Config, Outcome, State};

type Breaker = CircuitBreaker<ManualClock>;

const SECOND: Duration = Duration::from_secs(1);

/// A call is slow after four seconds, so a group takes calls for one second.
fn config() -> ConfigBuilder {
    Config::builder().slow_call(4 * SECOND).slow_call_rate_threshold(0.5).minimum_calls(10)
}

fn breaker(config: ConfigBuilder) -> Breaker {
    CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new())
}

fn admitted(breaker: &Breaker, calls: usize) -> Vec<Ticket> {
    (0..calls).map(|_| host::admit(breaker, || None).unwrap()).collect()
}

fn settle(breaker: &Breaker, tickets: impl IntoIterator<Item = Ticket>, outcome: Outcome) {
    tickets.into_iter().for_each(|ticket| host::settle(breaker, ticket, outcome));
}

#[test]
fn twenty_calls_that_hang_open_the_circuit_before_one_returns() {
    let breaker = breaker(config());
    let hanging = admitted(&breaker, 20);
    breaker.clock().advance(5 * SECOND);
    assert_eq!(breaker.state(), State::Closed, "reading changes nothing");
    let rejected = host::admit(&breaker, || None).unwrap_err();
    assert_eq!((rejected.reason, rejected.retry_after), (Reason::Open, Some(60 * SECOND)));
    assert_eq!(breaker.events(0)[0].transition.cause, Cause::SlowCallRate);
    assert_eq!(
        breaker.explain(),
        "open because too many calls were slow: in 60.0 s the next call is let through as a probe"
    );
    settle(&breaker, hanging, Outcome::Success);
    let counts = breaker.counts();
    assert_eq!((counts.slow_calls, counts.rejected_calls, counts.in_flight), (20, 1, 0));
}

#[test]
fn a_group_is_overdue_when_its_last_call_is() {
    let breaker = breaker(config());
    let first = admitted(&breaker, 5);
    breaker.clock().advance(SECOND - Duration::from_nanos(1));
    let last = admitted(&breaker, 5);
    breaker.clock().advance(4 * SECOND);
    let admitted_in_time = admitted(&breaker, 1);
    breaker.clock().advance(Duration::from_nanos(1));
    assert!(host::admit(&breaker, || None).is_err());
    drop((first, last, admitted_in_time));
}

#[test]
fn calls_that_return_are_no_longer_overdue() {
    let breaker = breaker(config());
    let mut hanging = admitted(&breaker, 20);
    settle(&breaker, hanging.drain(9..), Outcome::Success);
    breaker.clock().advance(5 * SECOND);
    // 9 overdue of 20 calls.
    let more = admitted(&breaker, 3);
    settle(&breaker, hanging, Outcome::Ignored);
    settle(&breaker, more, Outcome::Success);
    breaker.clock().advance(SECOND);
    assert_eq!(admitted(&breaker, 30).len(), 30);
    assert_eq!((breaker.status().window.calls, breaker.status().window.slow), (14, 0));
}

#[test]
fn each_call_counts_once() {
    let breaker = breaker(config());
    let mut hanging = admitted(&breaker, 9);
    breaker.clock().advance(5 * SECOND);
    // Nine overdue calls are fewer than the minimum. Four of them end, and enter the window as slow ones.
    settle(&breaker, hanging.drain(..4), Outcome::Success);
    let tenth = admitted(&breaker, 1);
    assert_eq!((breaker.status().window.slow, breaker.state()), (4, State::Closed));
    settle(&breaker, tenth, Outcome::Success);
    assert!(host::admit(&breaker, || None).is_err(), "nine slow of ten");
}

#[test]
fn the_groups_of_many_hours_are_told_apart() {
    let breaker = breaker(config().minimum_calls(3));
    let mut in_flight = Vec::new();
    // Each call takes three and a half seconds, and there is always one that is not overdue.
    for half_second in 0..10_000 {
        in_flight.extend(admitted(&breaker, 1));
        if half_second >= 7 {
            settle(&breaker, in_flight.drain(..1), Outcome::Success);
        }
        breaker.clock().advance(SECOND / 2);
    }
    assert_eq!(breaker.counts().slow_calls, 0);
    breaker.clock().advance(5 * SECOND);
    // 7 of 107.
    assert!(host::admit(&breaker, || None).is_ok());
}

#[test]
fn a_stream_is_overdue_only_while_its_consumer_waits() {
    let breaker = breaker(config());
    let clock = breaker.clock();
    let mut streams = admitted(&breaker, 20);
    streams.iter_mut().for_each(|stream| (0..2).for_each(|_| host::pause(&breaker, stream)));
    let paused_at = clock.now();
    clock.advance(60 * SECOND);
    settle(&breaker, admitted(&breaker, 1), Outcome::Success);
    for stream in &mut streams {
        stream.exclude(clock.now().since(paused_at));
        (0..2).for_each(|_| host::resume(&breaker, stream, clock.now()));
    }
    clock.advance(4 * SECOND);
    settle(&breaker, admitted(&breaker, 1), Outcome::Success);
    settle(&breaker, streams.drain(..15), Outcome::Ignored);
    clock.advance(SECOND);
    (0..3).for_each(|_| settle(&breaker, admitted(&breaker, 1), Outcome::Success));
    assert!(host::admit(&breaker, || None).is_err(), "five hang, and five have ended");
}

#[test]
fn a_paused_call_may_share_a_permit_or_be_stale() {
    let breaker = breaker(config().failure_threshold(1));
    let mut stale = admitted(&breaker, 20);
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(60 * SECOND);
    let mut probe = host::admit(&breaker, || None).unwrap();
    let mut shared = host::admit(&breaker, || Some(probe.stamp())).unwrap();
    for ticket in stale.iter_mut().chain([&mut probe, &mut shared]) {
        host::pause(&breaker, ticket);
        host::resume(&breaker, ticket, breaker.clock().now());
    }
    assert!(shared.shares_permit());
    settle(&breaker, [shared, probe], Outcome::Success);
    settle(&breaker, admitted(&breaker, 1), Outcome::Success);
    assert_eq!(breaker.state(), State::Closed);
    breaker.clock().advance(60 * SECOND);
    settle(&breaker, admitted(&breaker, 1), Outcome::Success);
    settle(&breaker, stale, Outcome::Success);
    let counts = breaker.counts();
    assert_eq!((counts.successful_calls, counts.slow_calls, counts.in_flight), (23, 20, 0));
}

#[test]
fn calls_of_earlier_generations_and_configurations_are_forgotten() {
    let fresh = || breaker(config());
    let operations: [fn(&Breaker); 3] = [
        |breaker| breaker.reset(),
        |breaker| breaker.restore(&breaker.snapshot()).unwrap(),
        |breaker| breaker.reconfigure(config().build().unwrap()),
    ];
    for operation in operations {
        let breaker = fresh();
        let mut hanging = admitted(&breaker, 20);
        breaker.clock().advance(SECOND / 2);
        operation(&breaker);
        hanging.extend(admitted(&breaker, 9));
        breaker.clock().advance(5 * SECOND);
        settle(&breaker, hanging.drain(..20), Outcome::Cancelled);
        // The nine that remain are too few, until another is overdue.
        hanging.extend(admitted(&breaker, 1));
        breaker.clock().advance(5 * SECOND);
        assert!(host::admit(&breaker, || None).is_err());
    }
}

#[test]
fn without_a_slow_call_rate_nothing_is_overdue() {
    let rate = Config::builder().slow_call(4 * SECOND).failure_rate_threshold(0.5).minimum_calls(10);
    let breaker = breaker(rate);
    let hanging = admitted(&breaker, 20);
    breaker.clock().advance(60 * SECOND);
    assert_eq!(admitted(&breaker, 20).len(), 20);
    // Turned on with calls in flight, and off again.
    for builder in [config(), Config::builder()] {
        breaker.reconfigure(builder.build().unwrap());
        breaker.clock().advance(60 * SECOND);
        assert_eq!(admitted(&breaker, 1).len(), 1);
    }
    settle(&breaker, hanging, Outcome::Success);
}

#[test]
fn a_disabled_circuit_tracks_no_call() {
    let breaker = breaker(config());
    breaker.disable();
    let hanging = admitted(&breaker, 20);
    breaker.clock().advance(60 * SECOND);
    assert_eq!(admitted(&breaker, 1).len(), 1);
    breaker.reset();
    assert_eq!(admitted(&breaker, 1).len(), 1);
    drop(hanging);
}

#[test]
fn a_host_is_told_whether_calls_can_be_overdue() {
    let breaker = breaker(config());
    assert!(host::tracks_calls(&breaker));
    breaker.disable();
    assert!(!host::tracks_calls(&breaker));
    breaker.force_open(None).unwrap();
    assert!(!host::tracks_calls(&breaker));
    breaker.reset();
    assert!(host::tracks_calls(&breaker));
    breaker.reconfigure(Config::default());
    assert!(!host::tracks_calls(&breaker));
}
