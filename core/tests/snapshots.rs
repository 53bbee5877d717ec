//! A snapshot is whole or refused by name, and what is restored goes on.

use std::time::Duration;

use halfopen::{CircuitBreaker, Config, ManualClock, Snapshot, State, Value, WindowShape};
use proptest::prelude::*;

fn breaker(shape: WindowShape) -> CircuitBreaker<ManualClock> {
    let config = Config::builder()
        .failure_threshold(3)
        .failure_rate_threshold(0.5)
        .minimum_calls(4)
        .window(shape)
        .timeout_seconds(10.0)
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

/// The entries of a map, to be changed.
fn fields(document: &mut Value) -> &mut Vec<(String, Value)> {
    let Value::Map(fields) = document else { panic!("a document is a map") };
    fields
}

fn refused_field(document: &Value) -> String {
    Snapshot::from_value(document).unwrap_err().field().to_owned()
}

#[test]
fn a_restored_breaker_tells_the_same_on_a_younger_clock() {
    for shape in [WindowShape::Calls(4), WindowShape::Seconds(30)] {
        let old = lived(shape, 1_000_000);
        let new = breaker(shape);
        new.restore(&Snapshot::from_value(&old.snapshot().to_value()).unwrap()).unwrap();
        assert_eq!(new.status().window, old.status().window, "{shape:?}");
        assert_eq!(new.counts(), old.counts());
        let told = |breaker: &CircuitBreaker<ManualClock>| {
            let mut document = breaker.snapshot().to_value();
            fields(&mut document).retain(|(name, _)| name != "generation");
            document
        };
        assert_eq!(told(&new), told(&old));
    }
}

#[test]
fn the_changes_of_state_of_before_are_added_to_its_own() {
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
fn a_window_of_another_shape_starts_empty() {
    let new = breaker(WindowShape::Calls(5));
    new.restore(&lived(WindowShape::Calls(4), 0).snapshot()).unwrap();
    assert_eq!(new.status().window.calls, 0);
}

#[test]
fn a_permit_of_before_has_no_say() {
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
        fields(&mut wrong)
            .iter_mut()
            .filter(|(known, _)| known == name)
            .for_each(|(_, value)| *value = Value::Bool(true));
        assert!(refused_field(&wrong).starts_with(&format!("snapshot.{name}")));
    }
    let mut unknown = whole.clone();
    fields(&mut unknown).push(("surprise".into(), Value::Null));
    assert_eq!(refused_field(&unknown), "snapshot.surprise");
    assert_eq!(refused_field(&Value::Text("{".into())), "snapshot");
}

#[test]
fn another_version_and_contradictions_are_refused() {
    let refused = |name: &str, value: Value| {
        let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        fields(&mut document).iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.clone());
        refused_field(&document)
    };
    assert_eq!(refused("version", 2u64.into()), "snapshot.version");
    assert_eq!(refused("state", "open".into()), "snapshot.wait_nanos");
    assert_eq!(refused("state", "half_open".into()), "snapshot.state");
    assert_eq!(refused("mode", "forced_open".into()), "snapshot.wait_nanos");
    assert_eq!(refused("consecutive_successes", 1u64.into()), "snapshot.consecutive_successes");
    assert_eq!(refused("clean_in_nanos", 1u64.into()), "snapshot.clean_in_nanos");
    assert_eq!(refused("generation", u64::MAX.into()), "snapshot.generation");
    assert_eq!(refused("wait_nanos", 5u64.into()), "snapshot.left_nanos");
    assert_eq!(refused("left_nanos", 5u64.into()), "snapshot.left_nanos");

    let open = lived(WindowShape::Calls(4), 0);
    open.force_open(Some(Duration::from_secs(1))).unwrap();
    let mut document = open.snapshot().to_value();
    assert!(Snapshot::from_value(&document).is_ok());
    fields(&mut document)
        .iter_mut()
        .filter(|(name, _)| name == "mode")
        .for_each(|(_, mode)| *mode = Value::Text("disabled".into()));
    assert_eq!(refused_field(&document), "snapshot.wait_nanos", "what is disabled is closed");
}

#[test]
fn half_a_wait_is_refused_and_makes_no_order_endless() {
    let breaker = breaker(WindowShape::Calls(10));
    breaker.force_open(Some(Duration::from_secs(5))).unwrap();
    for part in ["wait_nanos", "left_nanos"] {
        let mut document = breaker.snapshot().to_value();
        fields(&mut document).iter_mut().find(|(name, _)| name == part).unwrap().1 = Value::Null;
        assert_eq!(refused_field(&document), "snapshot.left_nanos", "{part}");
    }
}

#[test]
fn no_more_slow_calls_are_believed_than_were_judged() {
    let breaker = breaker(WindowShape::Calls(10));
    breaker.acquire().unwrap().success();
    breaker.acquire().unwrap().ignore();
    let document = breaker.snapshot().to_value();
    assert!(Snapshot::from_value(&with(&document, "counters", "slow_calls", 1)).is_ok());
    assert_eq!(refused_field(&with(&document, "counters", "slow_calls", 2)), "snapshot.counters");
}

#[test]
fn a_success_streak_is_refused_where_the_circuit_is_open() {
    let open = breaker(WindowShape::Calls(4));
    open.force_open(None).unwrap();
    let mut document = open.snapshot().to_value();
    assert!(Snapshot::from_value(&document).is_ok());
    let streak = fields(&mut document).iter_mut().find(|(name, _)| name == "consecutive_successes").unwrap();
    streak.1 = 1u64.into();
    assert_eq!(refused_field(&document), "snapshot.consecutive_successes");
}

#[test]
fn counts_never_grow_beyond_what_can_be_told() {
    let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
    let most = Value::Whole((1 << 53) - 1);
    for part in ["counters", "transitions"] {
        let (_, counts) = fields(&mut document).iter_mut().find(|(name, _)| name == part).unwrap();
        let names = ["total_calls", "successful_calls", "rejected_calls"];
        fields(counts)
            .iter_mut()
            .filter(|(name, _)| names.contains(&name.as_str()))
            .for_each(|(_, old)| *old = most.clone());
        fields(counts)
            .iter_mut()
            .filter(|(name, _)| name == "failed_calls")
            .for_each(|(_, old)| *old = Value::Whole(0));
    }
    let breaker = breaker(WindowShape::Calls(4));
    let huge = Snapshot::from_value(&document).unwrap();
    breaker.restore(&huge).unwrap();
    assert_eq!(breaker.restore(&huge).unwrap_err().field(), "snapshot.counters");
    assert_eq!(breaker.counts().total_calls, (1 << 53) - 1);
    assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok());
}

/// The same document with another value at `part.name`.
fn with(document: &Value, part: &str, name: &str, value: u64) -> Value {
    let mut changed = document.clone();
    let (_, inner) = fields(&mut changed).iter_mut().find(|(known, _)| known == part).unwrap();
    fields(inner).iter_mut().filter(|(known, _)| known == name).for_each(|(_, old)| *old = value.into());
    changed
}

#[test]
fn transitions_never_grow_beyond_what_can_be_told() {
    const MOST: u64 = (1 << 53) - 1;
    let breaker = breaker(WindowShape::Calls(4));
    let restore = |count| {
        let document =
            with(&lived(WindowShape::Calls(4), 0).snapshot().to_value(), "transitions", "closed>open", count);
        breaker.restore(&Snapshot::from_value(&document).unwrap()).map_err(|error| error.field().to_owned())
    };
    breaker.force_open(None).unwrap();
    assert_eq!(restore(MOST), Err("snapshot.transitions".into()));
    assert_eq!(restore(MOST - 1), Ok(()));
    assert_eq!(breaker.status().state_transitions, MOST);
    assert_eq!(restore(1), Err("snapshot.transitions".into()));
}

#[test]
fn a_generation_leaves_room_for_as_many_again() {
    const HALF: u64 = ((1 << 53) - 1) / 2;
    let restored = |generation: u64| {
        let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        let known = fields(&mut document).iter_mut().find(|(name, _)| name == "generation").unwrap();
        known.1 = generation.into();
        Snapshot::from_value(&document).map_err(|error| error.field().to_owned())
    };
    assert!(restored(HALF).is_ok());
    assert_eq!(restored(HALF + 1), Err("snapshot.generation".into()));
}

#[test]
fn a_window_holds_no_more_calls_than_its_size() {
    let restored = |ended: &str| {
        let mut document = lived(WindowShape::Calls(4), 0).snapshot().to_value();
        let (_, window) = fields(&mut document).iter_mut().find(|(name, _)| name == "window").unwrap();
        fields(window).iter_mut().filter(|(name, _)| name == "ended").for_each(|(_, old)| *old = ended.into());
        Snapshot::from_value(&document).map_err(|error| error.field().to_owned())
    };
    assert!(restored(".fsb").is_ok());
    assert_eq!(restored(".fsb."), Err("snapshot.window.ended".to_owned()));
    assert_eq!(restored(".fx"), Err("snapshot.window.ended".to_owned()));
}

#[test]
fn the_calls_in_a_window_never_grow_beyond_what_can_be_told() {
    const TENTH: u64 = ((1 << 53) - 1) / 10;
    let restored = |calls: u64| {
        let mut document = lived(WindowShape::Seconds(30), 0).snapshot().to_value();
        let (_, window) = fields(&mut document).iter_mut().find(|(name, _)| name == "window").unwrap();
        let (_, buckets) = fields(window).iter_mut().find(|(name, _)| name == "buckets").unwrap();
        let Value::List(buckets) = buckets else { panic!("the buckets are a list") };
        buckets.fill(Value::List(vec![calls.into(), calls.into(), 0u64.into()]));
        let snapshot = Snapshot::from_value(&document).map_err(|error| error.field().to_owned())?;
        let breaker = breaker(WindowShape::Seconds(30));
        breaker.restore(&snapshot).unwrap();
        Ok(breaker.status().window.calls)
    };
    assert_eq!(restored(TENTH), Ok(10 * TENTH));
    assert_eq!(restored(TENTH + 1), Err("snapshot.window.buckets".to_owned()));
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
        any::<u64>().prop_map(Value::Whole),
        (0..1u64 << 53).prop_map(Value::Whole),
        any::<f64>().prop_map(Value::Number),
        "[.fsbx]{0,6}".prop_map(Value::Text),
        Just(Value::List(vec![])),
    ]
}

proptest! {
    #[test]
    fn a_damaged_document_is_refused_or_still_whole(seconds in any::<bool>(), at in 0..80usize, value in scalar()) {
        let shape = if seconds { WindowShape::Seconds(30) } else { WindowShape::Calls(4) };
        let mut document = lived(shape, 7).snapshot().to_value();
        let mut place = at;
        damage(&mut document, &mut place, &value);
        if let Ok(snapshot) = Snapshot::from_value(&document) {
            let breaker = breaker(shape);
            breaker.restore(&snapshot).unwrap();
            prop_assert!(Snapshot::from_value(&breaker.snapshot().to_value()).is_ok(), "its own snapshot is whole");
            let status = breaker.status();
            let counts = status.counts;
            prop_assert_eq!(counts.in_flight, 0);
            prop_assert!(status.window.failed <= status.window.calls && status.window.slow <= status.window.calls);
            // Whatever was restored, some finite passing of time admits a call, unless an operator holds it open.
            breaker.clock().advance(Duration::from_nanos(u64::MAX));
            let held = status.state == State::Open && status.retry_after.is_none();
            prop_assert!(held || breaker.acquire().is_ok());
        }
    }
}
