//! A snapshot is whole or refused by name, and what is restored goes on.

mod documents;

use std::time::Duration;

use documents::{fields, part};
use halfopen::clock::ManualClock;
use halfopen::config::WindowShape;
use halfopen::host::Value;
use halfopen::{CircuitBreaker, Config, Outcome, Snapshot, State};
use proptest::prelude::*;

fn breaker(shape: WindowShape) -> CircuitBreaker<ManualClock> {
    let config = Config::builder()
        .failure_threshold(3)
        .failure_rate_threshold(0.5)
        .minimum_calls(4)
        .window(shape)
        .timeout(Duration::from_secs(10))
        .timeout_multiplier(2.0)
        .build()
        .unwrap();
    CircuitBreaker::with_clock(config, ManualClock::new())
}

fn lived(shape: WindowShape, seconds: u64) -> CircuitBreaker<ManualClock> {
    let breaker = breaker(shape);
    breaker.clock().advance(Duration::from_secs(seconds));
    breaker.acquire().unwrap().success();
    breaker.clock().advance(Duration::from_secs(2));
    breaker.acquire().unwrap().failure();
    breaker
}

fn refused_field(document: &Value) -> String {
    Snapshot::from_value(document).unwrap_err().field().to_owned()
}

#[test]
fn a_restored_breaker_tells_the_same_on_a_younger_clock() {
    for shape in [WindowShape::Calls(4), WindowShape::Time(Duration::from_secs(30))] {
        let old = lived(shape, 1_000_000);
        let new = breaker(shape);
        new.restore(&Snapshot::from_value(&old.snapshot().to_value()).unwrap()).unwrap();
        assert_eq!(new.status().window, old.status().window, "{shape:?}");
        assert_eq!(new.counts(), old.counts());
        let reading = |breaker: &CircuitBreaker<ManualClock>| {
            let mut document = breaker.snapshot().to_value();
            fields(&mut document).retain(|(name, _)| name != "generation");
            document
        };
        assert_eq!(reading(&new), reading(&old));
    }
}

#[test]
fn restored_changes_of_state_are_added_to_its_own() {
    let (old, new) = (breaker(WindowShape::Calls(4)), breaker(WindowShape::Calls(4)));
    for breaker in [&old, &new, &new] {
        breaker.force_open(None).unwrap();
        breaker.reset();
    }
    old.force_open(None).unwrap();
    new.restore(&old.snapshot()).unwrap();
    let walked: Vec<_> = new.edges().iter().map(|edge| (edge.from, edge.to, edge.count)).collect();
    assert_eq!(walked, [(State::Closed, State::Open, 4), (State::Open, State::Closed, 3)]);
    assert_eq!(new.status().state_transitions, 7);
}

#[test]
fn a_call_in_flight_is_saved_as_cancelled() {
    let old = lived(WindowShape::Calls(4), 0);
    let _in_flight = old.acquire().unwrap();
    let snapshot = old.snapshot();
    assert_eq!(Snapshot::from_value(&snapshot.to_value()).unwrap(), snapshot, "its document restores it");
    let new = breaker(WindowShape::Calls(4));
    new.restore(&snapshot).unwrap();
    let counts = new.counts();
    assert_eq!((counts.total_calls, counts.cancelled_calls, counts.in_flight), (3, 1, 0));
}

#[test]
fn a_window_of_another_shape_starts_empty() {
    let new = breaker(WindowShape::Calls(5));
    new.restore(&lived(WindowShape::Calls(4), 0).snapshot()).unwrap();
    assert_eq!(new.status().window.calls, 0);
}

#[test]
fn a_permit_from_before_a_restore_has_no_vote() {
    let breaker = breaker(WindowShape::Calls(4));
    let permit = breaker.acquire().unwrap();
    breaker.restore(&lived(WindowShape::Calls(4), 0).snapshot()).unwrap();
    permit.failure();
    assert_eq!((breaker.status().consecutive_failures, breaker.status().window.calls), (1, 2));
    assert_eq!((breaker.counts().total_calls, breaker.counts().in_flight), (3, 0));
}

#[test]
fn a_missing_an_unknown_and_a_wrong_part_are_named() {
    let whole = lived(WindowShape::Calls(4), 0).snapshot().to_value();
    let names: Vec<String> = fields(&mut whole.clone()).iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let mut missing = whole.clone();
        fields(&mut missing).retain(|(known, _)| known != name);
        assert_eq!(refused_field(&missing), format!("snapshot.{name}"));

        let mut wrong = whole.clone();
        *part(&mut wrong, name) = Value::Bool(true);
        assert!(refused_field(&wrong).starts_with(&format!("snapshot.{name}")));
    }
    let mut unknown = whole.clone();
    fields(&mut unknown).push(("surprise".into(), Value::Null));
    assert_eq!(refused_field(&unknown), "snapshot.surprise");
    assert_eq!(refused_field(&Value::Text("{".into())), "snapshot");
}

#[test]
fn a_part_that_is_given_twice_is_refused_as_such() {
    let whole = lived(WindowShape::Calls(4), 0).snapshot().to_value();
    let names: Vec<String> = fields(&mut whole.clone()).iter().map(|(name, _)| name.clone()).collect();
    for name in &names {
        let mut twice = whole.clone();
        let again = part(&mut twice, name).clone();
        fields(&mut twice).push((name.clone(), again));
        let error = Snapshot::from_value(&twice).unwrap_err();
        assert_eq!((error.field(), error.allowed()), (&*format!("snapshot.{name}"), "given once"));
    }
}

#[test]
fn another_version_is_refused() {
    let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
    *part(&mut document, "version") = 2u64.into();
    assert_eq!(refused_field(&document), "snapshot.version");
}

/// The largest number that every JSON library reads exactly.
const EXACT: u64 = (1 << 53) - 1;

/// The same document with other counts at some paths.
fn with(document: &Value, counts: &[(&str, u64)]) -> Value {
    let mut changed = document.clone();
    for (path, count) in counts {
        *part(&mut changed, path) = (*count).into();
    }
    changed
}

#[test]
fn counts_have_room_to_grow_as_much_again() {
    // One that has been open, and so can have rejected calls.
    let document = with(&lived(WindowShape::Calls(4), 0).snapshot().to_value(), &[("transitions.closed>open", 1)]);
    let having = |total: u64, rejected: u64| {
        let counts = [
            ("counters.total_calls", total),
            ("counters.successful_calls", total - 1),
            ("counters.rejected_calls", rejected),
        ];
        Snapshot::from_value(&with(&document, &counts)).unwrap()
    };
    let breaker = breaker(WindowShape::Calls(4));
    for too_much in [having(EXACT, 0), having(EXACT / 2 + 1, 0), having(10, EXACT), having(10, EXACT / 2 + 1)] {
        assert_eq!(breaker.restore(&too_much).unwrap_err().field(), "snapshot.counters");
        assert_eq!(breaker.counts().total_calls, 0);
    }
    breaker.restore(&having(EXACT / 2, EXACT / 2)).unwrap();
    assert_eq!(breaker.restore(&having(2, 0)).unwrap_err().field(), "snapshot.counters");
    breaker.acquire().unwrap().success();
    assert_eq!(breaker.counts().total_calls, EXACT / 2 + 1);
    assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok(), "it can be read exactly");
    let more = with(&document, &[("counters.rejected_calls", EXACT + 1)]);
    assert_eq!(refused_field(&more), "snapshot.counters.rejected_calls");
}

#[test]
fn transitions_have_room_to_grow_as_much_again() {
    let breaker = breaker(WindowShape::Calls(4));
    let restore = |count| {
        let document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        let document = with(&document, &[("transitions.closed>open", count)]);
        breaker.restore(&Snapshot::from_value(&document).unwrap()).map_err(|error| error.field().to_owned())
    };
    breaker.force_open(None).unwrap();
    assert_eq!(restore(EXACT / 2), Err("snapshot.transitions".into()));
    assert_eq!(restore(EXACT / 2 - 1), Ok(()));
    assert_eq!(breaker.status().state_transitions, EXACT / 2);
    assert_eq!(restore(1), Err("snapshot.transitions".into()));
    breaker.force_open(None).unwrap();
    assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok(), "it can be read exactly");
}

#[test]
fn a_generation_has_room_to_grow_as_much_again() {
    let restored = |generation: u64| {
        let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        *part(&mut document, "generation") = generation.into();
        let breaker = breaker(WindowShape::Calls(4));
        breaker.restore(&Snapshot::from_value(&document).map_err(|error| error.field().to_owned())?).unwrap();
        assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok(), "its own snapshot is whole");
        Ok(breaker.status().generation)
    };
    assert_eq!(restored(7), Ok(8));
    assert_eq!(restored(EXACT / 2), Ok(EXACT / 2 + 1));
    assert_eq!(restored(EXACT), Ok(EXACT / 2 + 1));
    assert_eq!(restored(EXACT + 1), Err("snapshot.generation".to_owned()));
}

#[test]
fn a_wait_of_centuries_survives_a_library_that_knows_only_doubles() {
    let longest = Config::builder().failure_threshold(1).max_timeout(Duration::from_secs(10_000_000_000));
    let breaker = CircuitBreaker::with_clock(longest.build().unwrap(), ManualClock::new());
    let hint = Some(Duration::from_secs(10_000_000_000));
    breaker.acquire().unwrap().settle(Outcome::Failure { retry_after: hint });
    let written = breaker.snapshot().to_value();
    // The second is what JavaScript writes for the first.
    for reading in [Value::Number(i64::MAX as f64), Value::Uint(9_223_372_036_854_776_000)] {
        let mut document = written.clone();
        fields(&mut document)
            .iter_mut()
            .filter(|(_, value)| *value == Value::Uint(i64::MAX as u64))
            .for_each(|(_, value)| *value = reading.clone());
        assert_ne!(document, written);
        assert_eq!(Snapshot::from_value(&document).unwrap().to_value(), written);
    }
}

#[test]
fn a_window_holds_no_more_calls_than_its_size() {
    let restored = |ended: &str| {
        let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        *part(&mut document, "window.ended") = ended.into();
        let counts = [
            ("counters.total_calls", 4),
            ("counters.failed_calls", 2),
            ("counters.successful_calls", 2),
            ("counters.slow_calls", 2),
        ];
        document = with(&document, &counts);
        Snapshot::from_value(&document).map_err(|error| error.field().to_owned())
    };
    assert!(restored(".fsb").is_ok());
    assert_eq!(restored(".fsb."), Err("snapshot.window.ended".to_owned()));
    assert_eq!(restored(".fx"), Err("snapshot.window.ended".to_owned()));
}

#[test]
fn a_bucket_holds_no_more_of_any_kind_than_calls() {
    let restored = |bucket: [u64; 3]| {
        let mut document = lived(WindowShape::Time(Duration::from_secs(30)), 0).snapshot().to_value();
        let Value::List(buckets) = part(&mut document, "window.buckets") else { panic!("the buckets are a list") };
        buckets.fill(Value::List([0u64; 3].map(Value::from).into()));
        buckets[3] = Value::List(bucket.map(Value::from).into());
        Snapshot::from_value(&document).map_err(|error| error.field().to_owned())
    };
    for whole in [[3, 2, 3], [2, 2, 2], [1, 0, 0], [0, 0, 0], [EXACT / 2, 0, 0]] {
        assert!(restored(whole).is_ok(), "{whole:?}");
    }
    for damaged in [[1, 2, 0], [1, 0, 2], [EXACT / 2 + 1, 0, 0]] {
        assert_eq!(restored(damaged), Err("snapshot.window.buckets".to_owned()), "{damaged:?}");
    }
}

#[test]
fn a_refused_snapshot_changes_nothing() {
    let breaker = lived(WindowShape::Calls(4), 0);
    let before = breaker.status();
    assert!(Snapshot::from_value(&Value::Null).is_err());
    assert_eq!(breaker.status(), before);
}

/// Puts `value` where `at` points to, counting through the whole document.
fn damage(document: &mut Value, at: &mut usize, value: &Value) {
    if *at == 0 {
        *document = value.clone();
    }
    *at = at.wrapping_sub(1);
    match document {
        Value::Map(fields) => fields.iter_mut().for_each(|(_, field)| damage(field, at, value)),
        Value::List(values) => values.iter_mut().for_each(|field| damage(field, at, value)),
        _ => {}
    }
}

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<u64>().prop_map(Value::Uint),
        (0..1u64 << 53).prop_map(Value::Uint),
        any::<f64>().prop_map(Value::Number),
        "[.fsbx]{0,6}".prop_map(Value::Text),
        Just(Value::List(vec![])),
    ]
}

proptest! {
    #[test]
    fn a_damaged_document_is_refused_or_still_whole(seconds in any::<bool>(), at in 0..80usize, value in scalar()) {
        let shape = if seconds { WindowShape::Time(Duration::from_secs(30)) } else { WindowShape::Calls(4) };
        let mut document = lived(shape, 7).snapshot().to_value();
        let mut place = at;
        damage(&mut document, &mut place, &value);
        let breaker = breaker(shape);
        if Snapshot::from_value(&document).and_then(|snapshot| breaker.restore(&snapshot)).is_ok() {
            prop_assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok(), "its own snapshot is whole");
            let status = breaker.status();
            let counts = status.counts;
            prop_assert_eq!(counts.in_flight, 0);
            prop_assert!(status.window.failed <= status.window.calls && status.window.slow <= status.window.calls);
            // After any restored snapshot a call is admitted after a finite time, unless an operator holds the circuit open.
            breaker.clock().advance(Duration::from_nanos(u64::MAX));
            let held = status.state == State::Open && status.retry_after.is_none();
            prop_assert!(held || breaker.acquire().is_ok());
        }
    }
}
