//! Percentiles of durations, for what a host hands in.

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::host::{self, Value};
use halfopen::{CircuitBreaker, Config};

fn after_four_calls() -> CircuitBreaker<ManualClock> {
    let breaker = CircuitBreaker::with_clock(Config::default(), ManualClock::new());
    for _ in 0..4 {
        let permit = breaker.acquire().unwrap();
        breaker.clock().advance(Duration::from_millis(400));
        permit.success();
    }
    breaker
}

#[test]
fn it_is_interpolated_within_its_bucket() {
    let breaker = after_four_calls();
    let percentile = |share: f64, outcome: &str| host::percentile(&breaker, &share.into(), &outcome.into()).unwrap();
    // Four calls between 250 and 500 milliseconds.
    assert_eq!(percentile(0.25, "success"), Some(Duration::from_micros(312_500)));
    assert_eq!(percentile(1.0, "success"), Some(Duration::from_millis(500)));
    assert_eq!(percentile(1.0, "failure"), None);
}

#[test]
fn an_invalid_share_or_outcome_is_refused_by_name() {
    let breaker = after_four_calls();
    let success = Value::from("success");
    for share in [Value::Null, (-0.1).into(), 1.1.into(), f64::INFINITY.into(), "0.5".into(), Value::Bool(true)] {
        let error = host::percentile(&breaker, &share, &success).unwrap_err();
        assert_eq!((error.field(), error.value()), ("share", &share));
    }
    assert!(host::percentile(&breaker, &f64::NAN.into(), &success).is_err());
    for outcome in [Value::Null, "ignored".into(), "cancelled".into(), "".into(), 0.0.into()] {
        let error = host::percentile(&breaker, &0.5.into(), &outcome).unwrap_err();
        assert_eq!((error.field(), error.value()), ("outcome", &outcome));
    }
}
