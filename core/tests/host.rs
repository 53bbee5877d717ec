//! The parts that only bindings use: arguments as dynamic values, and calls whose time the host fetches.

use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::config::WindowShape;
use halfopen::control::Reason;
use halfopen::host::{self, TryAdmitError, Value};
use halfopen::{CircuitBreaker, Config, Outcome, State};

fn breaker(record_durations: bool) -> CircuitBreaker<ManualClock> {
    let config =
        Config::builder().failure_threshold(1).timeout(Duration::from_secs(60)).record_durations(record_durations);
    CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new())
}

#[test]
fn a_hint_is_a_number_of_seconds_from_zero() {
    let hint = |value: Value| host::outcome_with_hint(Outcome::FAILURE, "retry_after", &value);
    let failure = |retry_after| Ok(Outcome::Failure { retry_after });
    assert_eq!(hint(Value::Null), failure(None));
    assert_eq!(hint(2.5.into()), failure(Some(Duration::from_millis(2_500))));
    assert_eq!(hint(0u64.into()), failure(Some(Duration::ZERO)));
    for value in [Value::Number(-1.0), f64::NAN.into(), f64::INFINITY.into(), 1e20.into(), "3".into(), true.into()] {
        assert_eq!(hint(value).unwrap_err().field(), "retry_after");
    }
}

#[test]
fn only_a_failure_carries_a_hint() {
    for outcome in [Outcome::Success, Outcome::Ignored, Outcome::Cancelled] {
        assert_eq!(host::outcome_with_hint(outcome, "retry_after", &1.0.into()), Ok(outcome));
        assert!(host::outcome_with_hint(outcome, "retry_after", &"soon".into()).is_err(), "but a bad one is refused");
    }
}

#[test]
fn a_host_that_fetches_the_time_learns_when_it_is_needed() {
    let timed = breaker(true);
    assert!(host::times_calls(&timed));
    assert_eq!(host::try_admit(&timed, None, || None).unwrap_err(), TryAdmitError::NeedsTime);

    let untimed = breaker(false);
    assert!(!host::times_calls(&untimed));
    let [success, failure] = [(); 2].map(|()| host::try_admit(&untimed, None, || None).unwrap());
    assert_eq!(host::try_settle(&untimed, success, Outcome::Success, None).unwrap().outcome, Outcome::Success);
    let failure = host::try_settle(&untimed, failure, Outcome::FAILURE, None).unwrap_err();
    assert_eq!(untimed.status().counts.in_flight, 1, "nothing has changed");
    assert!(host::try_settle(&untimed, failure, Outcome::FAILURE, Some(Tick::ZERO)).is_ok());
    assert_eq!(untimed.state(), State::Open);
    assert_eq!(host::try_admit(&untimed, None, || None).unwrap_err(), TryAdmitError::NeedsTime);
    assert_eq!(untimed.counts().rejected_calls, 0, "nothing was asked");
    assert_eq!(TryAdmitError::NeedsTime.to_string(), "the answer depends on the time");
}

#[test]
fn a_success_in_a_window_of_calls_needs_the_time_only_after_a_failure() {
    let config = Config::builder().failure_rate_threshold(1.0).window(WindowShape::Calls(10)).record_durations(false);
    let breaker = CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new());
    let settle = |outcome, now| {
        let ticket = host::try_admit(&breaker, None, || None).unwrap();
        host::try_settle(&breaker, ticket, outcome, now)
    };
    assert!(settle(Outcome::Success, None).is_ok());
    assert_eq!(breaker.status().window.calls, 1);
    settle(Outcome::FAILURE, Some(Tick::ZERO)).unwrap();
    let success = settle(Outcome::Success, None).unwrap_err();
    assert_eq!(breaker.status().window.calls, 2, "nothing has changed");
    host::try_settle(&breaker, success, Outcome::Success, Some(Tick::ZERO)).unwrap();
    assert_eq!(breaker.status().window.calls, 3);
}

#[test]
fn a_host_that_brings_the_time_gets_the_answer() {
    let second = |seconds| Some(Tick::from_seconds(seconds).unwrap());
    for record_durations in [false, true] {
        let breaker = breaker(record_durations);
        let ticket = host::try_admit(&breaker, second(1.0), || None).unwrap();
        host::try_settle(&breaker, ticket, Outcome::FAILURE, second(2.0)).unwrap();
        match host::try_admit(&breaker, second(61.0), || None) {
            Err(TryAdmitError::Rejected(rejected)) => {
                assert_eq!((rejected.reason, rejected.retry_after), (Reason::Open, Some(Duration::from_secs(1))));
            }
            other => panic!("it is open: {other:?}"),
        }
        let probe = host::try_admit(&breaker, second(62.0), || None).unwrap();
        let nested = host::try_admit(&breaker, second(62.0), || Some(probe.stamp())).unwrap();
        assert!(probe.is_probe() && nested.shares_permit());
        assert_eq!(breaker.counts().rejected_calls, 1);
    }
}

#[test]
fn a_host_with_metrics_of_its_own_learns_how_a_call_was_counted() {
    let rules = Config::builder().failure_threshold(9).cancel_failure_after(Duration::from_secs(2));
    let settled = |record, outcome, seconds| {
        let config = rules.clone().record_durations(record).build().unwrap();
        let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
        let ticket = host::admit(&breaker, || None).unwrap();
        let call = host::try_settle(&breaker, ticket, outcome, Tick::from_seconds(seconds)).unwrap();
        let recorded = if record { breaker.counts().failed_calls } else { 0 };
        assert_eq!(breaker.durations().failure.count(), recorded, "only failures have the duration of a failure");
        (call.outcome, call.duration.map(|it| it.as_secs_f64()), breaker.counts().failed_calls)
    };
    assert_eq!(settled(true, Outcome::Success, 1.0), (Outcome::Success, Some(1.0), 0));
    assert_eq!(settled(true, Outcome::FAILURE, 1.0), (Outcome::FAILURE, Some(1.0), 1));
    assert_eq!(settled(true, Outcome::Cancelled, 1.0), (Outcome::Cancelled, Some(1.0), 0));
    assert_eq!(settled(true, Outcome::Cancelled, 3.0), (Outcome::FAILURE, Some(3.0), 1));
    assert_eq!(settled(false, Outcome::FAILURE, 1.0), (Outcome::FAILURE, None, 1));
}
