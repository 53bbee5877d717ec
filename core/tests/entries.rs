//! Readings as names and values, from which each host makes an object of its own.

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::evidence::BUCKET_BOUNDS;
use halfopen::host::{Entries, Value};
use halfopen::registry::RegistryError;
use halfopen::{CircuitBreaker, Config, InvalidValue};

/// Two successes of 5 and 20 milliseconds, a failure of a minute that opened it, and a rejection.
fn lived() -> CircuitBreaker<ManualClock> {
    let config = Config::builder().failure_threshold(1).timeout(Duration::from_millis(2500)).build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    for millis in [5, 20] {
        let permit = breaker.acquire().unwrap();
        breaker.clock().advance(Duration::from_millis(millis));
        permit.success();
    }
    let permit = breaker.acquire().unwrap();
    breaker.clock().advance(Duration::from_secs(60));
    permit.failure();
    breaker.clock().advance(Duration::from_secs(1));
    assert!(breaker.acquire().is_err());
    breaker
}

#[test]
fn a_status_tells_every_number_with_its_name() {
    let entries: Vec<_> = lived().status().entries().collect();
    let counts: Vec<_> = lived().counts().entries().collect();
    assert_eq!(
        entries[..15],
        [
            ("now_seconds", Value::Number(61.025)),
            ("state", "open".into()),
            ("mode", "auto".into()),
            ("retry_after_seconds", Value::Number(1.5)),
            ("generation", Value::Uint(1)),
            ("success_rate", Value::Number(200.0 / 3.0)),
            ("consecutive_failures", Value::Uint(1)),
            ("consecutive_successes", Value::Uint(0)),
            ("window_calls", Value::Uint(0)),
            ("window_failed", Value::Uint(0)),
            ("window_slow", Value::Uint(0)),
            ("state_transitions", Value::Uint(1)),
            ("last_failure_seconds", Value::Number(60.025)),
            ("last_success_seconds", Value::Number(0.025)),
            ("last_state_change_seconds", Value::Number(60.025)),
        ]
    );
    assert_eq!(entries[15..], counts);
}

#[test]
fn durations_have_names() {
    let durations = lived().durations();
    let entries: Vec<_> = durations.entries().collect();
    let [("success", Value::Map(success)), ("failure", Value::Map(failure))] = entries.as_slice() else {
        panic!("the outcomes that have durations: {entries:?}")
    };
    assert_eq!(success[..2], [("count".into(), Value::Uint(2)), ("total_seconds".into(), Value::Number(0.025))]);
    let (name, Value::List(buckets)) = &failure[2] else { panic!("the buckets: {failure:?}") };
    assert_eq!((name.as_str(), buckets.len()), ("buckets", BUCKET_BOUNDS.len() + 1));
    let last = [("up_to_seconds".into(), Value::Number(f64::INFINITY)), ("count".into(), Value::Uint(1))];
    assert_eq!(buckets.last(), Some(&Value::Map(last.into())));
}

#[test]
fn an_error_tells_its_code_and_its_parts() {
    let refused = InvalidValue::new("timeout_seconds", &Value::Uint(0), "more");
    let [code, allowed] = ["INVALID_VALUE", "more"].map(Value::from);
    let parts = [("code", code), ("field", "timeout_seconds".into()), ("value", Value::Uint(0)), ("allowed", allowed)];
    assert_eq!(refused.entries().collect::<Vec<_>>(), parts);
    let conflict = RegistryError::NameConflict { name: "gemini".into(), field: "shadow".into() };
    let parts = [("code", "NAME_CONFLICT".into()), ("circuit_name", "gemini".into()), ("field", "shadow".into())];
    assert_eq!(conflict.entries().collect::<Vec<_>>(), parts);
    let full = RegistryError::Full { bound: 3 };
    assert_eq!(full.entries().collect::<Vec<_>>(), [("code", "REGISTRY_FULL".into()), ("bound", Value::Uint(3))]);
}

#[test]
fn the_lifetime_counters_have_names() {
    let entries: Vec<_> = lived().counts().entries().collect();
    let wanted = [
        ("total_calls", 3),
        ("successful_calls", 2),
        ("failed_calls", 1),
        ("ignored_calls", 0),
        ("cancelled_calls", 0),
        ("rejected_calls", 1),
        ("shadow_rejected", 0),
        ("slow_calls", 0),
        ("probe_timeouts", 0),
        ("in_flight", 0),
    ];
    assert_eq!(entries, wanted.map(|(name, count)| (name, Value::Uint(count))));
}

#[test]
fn an_event_tells_the_numbers_that_decided_it() {
    let breaker = lived();
    breaker.clock().advance(Duration::from_millis(1_500));
    for _ in 0..2 {
        breaker.acquire().unwrap().success();
    }
    let entries: Vec<Vec<_>> = breaker.events(0).iter().map(|event| event.entries().collect()).collect();
    let event =
        |sequence: u64, at: f64, [from, to, cause]: [&str; 3], failures: u64, successes: u64, wait: Option<f64>| {
            vec![
                ("sequence", Value::Uint(sequence)),
                ("at_seconds", Value::Number(at)),
                ("from_state", from.into()),
                ("to_state", to.into()),
                ("cause", cause.into()),
                ("generation", Value::Uint(sequence)),
                ("consecutive_failures", Value::Uint(failures)),
                ("consecutive_successes", Value::Uint(successes)),
                ("retry_after_seconds", wait.into()),
            ]
        };
    assert_eq!(
        entries,
        [
            event(1, 60.025, ["closed", "open", "consecutive_failures"], 1, 0, Some(2.5)),
            event(2, 62.525, ["open", "half_open", "timeout_elapsed"], 0, 0, None),
            event(3, 62.525, ["half_open", "closed", "probes_succeeded"], 0, 2, None),
        ]
    );
}

#[test]
fn durations_are_told_by_outcome_and_added_up_bucket_by_bucket() {
    let [(success, succeeded), (failure, failed)] = lived().durations().by_outcome();
    assert_eq!((success, failure), ("success", "failure"));
    let bounds: Vec<f64> = BUCKET_BOUNDS.into_iter().chain([f64::INFINITY]).collect();
    let (entries, counts): (Vec<f64>, Vec<u64>) = succeeded.cumulative().unzip();
    assert_eq!(entries, bounds);
    assert_eq!(counts, [1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    assert_eq!(failed.cumulative().last(), Some((f64::INFINITY, 1)));
    assert_eq!((succeeded.total, failed.total), (Duration::from_millis(25), Duration::from_secs(60)));
}
