//! A snapshot whose parts contradict each other is refused, and the error names a part: docs/semantics.md, section 5.
//! A snapshot just inside each limit is restored and works.

mod documents;

use std::time::Duration;

use documents::{fields, part};
use halfopen::clock::ManualClock;
use halfopen::config::WindowShape;
use halfopen::host::Value;
use halfopen::{CircuitBreaker, Config, Outcome, Snapshot};

const SECOND: u64 = 1_000_000_000;
const YEAR: u64 = 365 * 24 * 3_600 * SECOND;

type Breaker = CircuitBreaker<ManualClock>;

/// Opens after three failures in a row, for ten seconds, and looks at the last ten calls.
fn fresh() -> Breaker {
    let rates =
        Config::builder().failure_rate_threshold(1.0).slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0);
    let config =
        rates.window(WindowShape::Calls(10)).failure_threshold(3).success_threshold(1).timeout(Duration::from_secs(10));
    CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new())
}

fn open() -> Breaker {
    let breaker = fresh();
    for outcome in [Outcome::Success, Outcome::Ignored, Outcome::FAILURE, Outcome::FAILURE, Outcome::FAILURE] {
        breaker.acquire().unwrap().settle(outcome);
    }
    breaker
}

/// Opened once and closed by a probe.
fn recovered() -> Breaker {
    let breaker = open();
    breaker.clock().advance(Duration::from_secs(10));
    breaker.acquire().unwrap().success();
    breaker
}

fn forced(seconds: u64) -> Breaker {
    let breaker = fresh();
    breaker.force_open(Some(Duration::from_secs(seconds))).unwrap();
    breaker
}

fn held_without_end() -> Breaker {
    let breaker = fresh();
    breaker.force_open(None).unwrap();
    breaker
}

fn disabled() -> Breaker {
    let breaker = recovered();
    breaker.disable();
    breaker
}

/// Replaces values in the snapshot of `breaker` and restores it. Returns the name of the part that is refused, or
/// nothing.
fn refused(breaker: &Breaker, changes: &[(&str, Value)]) -> String {
    let mut document = breaker.snapshot().to_value();
    assert!(Snapshot::from_value(&document).is_ok(), "a breaker writes valid documents");
    for (path, value) in changes {
        *part(&mut document, path) = value.clone();
    }
    match Snapshot::from_value(&document) {
        Err(error) => error.field().to_owned(),
        Ok(snapshot) => {
            lives_on(breaker, &snapshot);
            String::new()
        }
    }
}

/// A restored breaker can be called, and its own snapshot can be read again.
fn lives_on(saved: &Breaker, snapshot: &Snapshot) {
    let next = CircuitBreaker::with_clock(saved.config(), ManualClock::new());
    next.restore(snapshot).unwrap();
    for outcome in Outcome::ALL {
        next.acquire().map(|permit| permit.settle(*outcome)).unwrap_or_default();
        next.clock().advance(Duration::from_secs(10));
        let counts = next.counts();
        assert_eq!(counts.in_flight, 0);
        assert!(Snapshot::from_value(&next.snapshot().to_value()).is_ok());
    }
    next.reset();
    next.acquire().unwrap().success();
}

/// The same for whole numbers.
fn refused_counts<const N: usize>(breaker: &Breaker, changes: [(&str, u64); N]) -> String {
    refused(breaker, &changes.map(|(path, count)| (path, count.into())))
}

#[test]
fn counters_that_do_not_add_up() {
    for total in [4, 6] {
        assert_eq!(refused_counts(&open(), [("counters.total_calls", total)]), "snapshot.counters.total_calls");
    }
    let more = [("counters.total_calls", 6), ("counters.cancelled_calls", 1)];
    assert_eq!(refused_counts(&open(), more), "");
}

#[test]
fn numbers_that_harm_nothing_are_taken() {
    let most = ((1 << 53) - 1) / 2;
    for path in ["consecutive_failures", "counters.slow_calls", "counters.probe_timeouts", "counters.rejected_calls"] {
        assert_eq!(refused_counts(&open(), [(path, 1_000)]), "", "{path}");
    }
    assert_eq!(refused_counts(&recovered(), [("consecutive_successes", most)]), "");
    assert_eq!(refused_counts(&recovered(), [("openings", u32::MAX.into())]), "");
    assert_eq!(refused_counts(&open(), [("transitions.closed>open", 0)]), "");
    assert_eq!(refused(&recovered(), &[("window.ended", "fffsssbbb.".into())]), "");
}

#[test]
fn a_window_of_a_size_that_none_has() {
    let sized = |shape, size: u64| {
        let config = Config::builder().failure_rate_threshold(1.0).minimum_calls(1).window(shape).build().unwrap();
        let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
        let kind = if matches!(shape, WindowShape::Calls(_)) { "window.calls" } else { "window.seconds" };
        refused_counts(&breaker, [(kind, size)])
    };
    let (calls, seconds) = (WindowShape::Calls(1), WindowShape::Time(Duration::from_secs(1)));
    assert_eq!([sized(calls, 1), sized(calls, 10_000), sized(seconds, 1), sized(seconds, 3_600)], [""; 4]);
    assert_eq!([sized(calls, 0), sized(calls, 10_001)], ["snapshot.window.calls"; 2]);
    assert_eq!([sized(seconds, 0), sized(seconds, 3_601)], ["snapshot.window.seconds"; 2]);
}

#[test]
fn a_mode_that_does_not_fit_the_state() {
    let mode = |breaker: &Breaker, mode: &str| refused(breaker, &[("mode", mode.into())]);
    assert_eq!(mode(&open(), "disabled"), "snapshot.mode");
    assert_eq!(mode(&held_without_end(), "disabled"), "snapshot.wait_nanos");
    assert_eq!([mode(&fresh(), "forced_open"), mode(&recovered(), "forced_open")], ["snapshot.mode"; 2]);
    assert_eq!([mode(&recovered(), "disabled"), mode(&disabled(), "auto"), mode(&open(), "shadow")], [""; 3]);
    assert_eq!(mode(&open(), "forced_open"), "");
}

#[test]
fn a_missing_wait_and_one_too_many() {
    let wait = |chosen: Option<u64>, left: Option<u64>| [("wait_nanos", chosen.into()), ("left_nanos", left.into())];
    assert_eq!(refused(&fresh(), &wait(Some(1), Some(1))), "snapshot.wait_nanos");
    assert_eq!(refused(&open(), &wait(None, None)), "snapshot.wait_nanos", "nothing would end it");
    assert_eq!(refused(&held_without_end(), &[("mode", "auto".into())]), "snapshot.wait_nanos");
    assert_eq!(refused(&open(), &[("state", "half_open".into())]), "snapshot.state");
    for half in [("wait_nanos", Value::Null), ("left_nanos", Value::Null)] {
        assert_eq!(
            refused(&forced(5), &[half]),
            "snapshot.left_nanos",
            "half a wait would make a timed opening endless"
        );
    }
    for breaker in [open(), forced(5)] {
        assert_eq!(refused(&breaker, &wait(Some(7), Some(7))), "");
        assert_eq!(refused(&breaker, &wait(Some(7), Some(0))), "");
        assert_eq!(refused(&breaker, &wait(Some(7), Some(8))), "snapshot.left_nanos");
    }
    assert_eq!(refused(&forced(5), &wait(Some(YEAR), Some(1))), "");
    assert_eq!(refused(&forced(5), &wait(Some(YEAR + 1), Some(1))), "snapshot.wait_nanos");
    assert_eq!(refused(&forced(5), &wait(Some(0), Some(0))), "snapshot.wait_nanos");
}

#[test]
fn openings_in_a_row_without_a_last_wait() {
    assert_eq!(refused_counts(&fresh(), [("last_wait_nanos", 1)]), "snapshot.last_wait_nanos");
    let no_wait = [("last_wait_nanos", 0), ("clean_in_nanos", 0)];
    assert_eq!(refused_counts(&recovered(), no_wait), "snapshot.last_wait_nanos");
    let resets_in = |nanos| refused_counts(&recovered(), [("clean_in_nanos", nanos)]);
    assert_eq!([resets_in(0), resets_in(10 * SECOND)], [""; 2]);
    assert_eq!(resets_in(10 * SECOND + 1), "snapshot.clean_in_nanos");
}

#[test]
fn a_transition_from_closed_to_half_open() {
    let mut document = fresh().snapshot().to_value();
    let edges = fields(part(&mut document, "transitions"));
    assert!(edges.iter().all(|(name, _)| name != "closed>half_open"));
    edges.push(("closed>half_open".into(), 0u64.into()));
    let error = Snapshot::from_value(&document).unwrap_err();
    assert_eq!(error.field(), "snapshot.transitions.closed>half_open");
}

#[test]
fn the_error_names_the_part_and_its_value() {
    let mut document = open().snapshot().to_value();
    *part(&mut document, "counters.total_calls") = 7u64.into();
    assert_eq!(
        Snapshot::from_value(&document).unwrap_err().to_string(),
        "snapshot.counters.total_calls = 7 is refused: allowed is the sum of how the calls ended"
    );
}
