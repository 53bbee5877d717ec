//! A snapshot that contradicts itself is refused by the name of the part: docs/semantics.md, section 5. What stands just
//! on the right side of each line is taken.

mod calls;
mod documents;

use std::time::Duration;

use calls::{end, end_slowly};
use documents::{fields, part};
use halfopen::{CircuitBreaker, Config, ManualClock, Outcome, Snapshot, Value, WindowShape};

const SECOND: u64 = 1_000_000_000;

type Breaker = CircuitBreaker<ManualClock>;

/// Opens after three failures in a row, for ten seconds, and looks at the last ten calls.
fn fresh() -> Breaker {
    let rates = Config::builder().failure_rate_threshold(1.0).slow_call_seconds(1.0).slow_call_rate_threshold(1.0);
    let config = rates.window(WindowShape::Calls(10)).failure_threshold(3).success_threshold(1).timeout_seconds(10.0);
    CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new())
}

/// Two successes, one of them slow, an ignored and a cancelled call, two failures.
fn failing() -> Breaker {
    let breaker = fresh();
    end(&breaker, Outcome::Success);
    end_slowly(&breaker, Outcome::Success);
    for outcome in [Outcome::Ignored, Outcome::Cancelled, Outcome::Failure, Outcome::Failure] {
        end(&breaker, outcome);
    }
    breaker
}

fn succeeding() -> Breaker {
    let breaker = fresh();
    end(&breaker, Outcome::Success);
    end(&breaker, Outcome::Success);
    breaker
}

fn open() -> Breaker {
    let breaker = failing();
    end(&breaker, Outcome::Failure);
    breaker
}

/// Opened once and closed by a probe.
fn recovered() -> Breaker {
    let breaker = open();
    breaker.clock().advance(Duration::from_secs(10));
    end(&breaker, Outcome::Success);
    breaker
}

/// Open by a slow probe after an order, with no failure ever.
fn opened_by_a_slow_probe() -> Breaker {
    let breaker = forced(5);
    breaker.clock().advance(Duration::from_secs(5));
    end_slowly(&breaker, Outcome::Success);
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
    end(&breaker, Outcome::Failure);
    breaker
}

/// The part that is refused in the snapshot of `breaker` with other values at some paths; nothing where it is taken.
fn refused(breaker: &Breaker, changes: &[(&str, Value)]) -> String {
    let mut document = breaker.snapshot().to_value();
    assert!(Snapshot::from_value(&document).is_ok(), "what a breaker writes is whole");
    for (path, value) in changes {
        *part(&mut document, path) = value.clone();
    }
    Snapshot::from_value(&document).err().map_or_else(String::new, |error| error.field().to_owned())
}

/// The same for whole numbers.
fn refused_counts<const N: usize>(breaker: &Breaker, changes: [(&str, u64); N]) -> String {
    refused(breaker, &changes.map(|(path, count)| (path, count.into())))
}

#[test]
fn counters_that_do_not_add_up() {
    for total in [5, 7] {
        assert_eq!(refused_counts(&failing(), [("counters.total_calls", total)]), "snapshot.counters.total_calls");
    }
    assert_eq!(refused_counts(&failing(), [("counters.slow_calls", 4)]), "");
    assert_eq!(refused_counts(&failing(), [("counters.slow_calls", 5)]), "snapshot.counters.slow_calls");
    let unheld = |taken_back, on_trial| {
        let counts = [("counters.probe_timeouts", taken_back), ("counters.shadow_rejected", on_trial)];
        refused_counts(&recovered(), counts)
    };
    assert_eq!(recovered().counts().total_calls, 8);
    assert_eq!([unheld(8, 0), unheld(0, 8), unheld(3, 5)], ["", "", ""]);
    assert_eq!([unheld(9, 0), unheld(0, 9), unheld(4, 5)], ["snapshot.counters.total_calls"; 3]);
}

#[test]
fn streaks_that_are_longer_than_what_was_counted() {
    assert_eq!(refused_counts(&failing(), [("consecutive_failures", 3)]), "snapshot.consecutive_failures");
    assert_eq!(refused_counts(&succeeding(), [("consecutive_successes", 3)]), "snapshot.consecutive_successes");
    assert_eq!(refused_counts(&succeeding(), [("consecutive_successes", 1)]), "");
    for elsewhere in [failing(), open(), held_without_end()] {
        assert_eq!(refused_counts(&elsewhere, [("consecutive_successes", 1)]), "snapshot.consecutive_successes");
    }
    let slow = opened_by_a_slow_probe();
    assert_eq!((slow.status().consecutive_failures, slow.counts().failed_calls), (1, 0));
    assert_eq!(refused_counts(&slow, [("consecutive_failures", 2)]), "snapshot.consecutive_failures");
    assert_eq!(refused_counts(&slow, [("counters.slow_calls", 0)]), "snapshot.consecutive_failures");
}

#[test]
fn a_window_that_holds_more_than_was_counted() {
    let holding = |ended: &str| refused(&failing(), &[("window.ended", ended.into())]);
    assert_eq!([holding(".sff"), holding(".sf"), holding("b"), holding("")], [""; 4]);
    assert_eq!([holding(".sfff"), holding("..sff"), holding("ss"), holding("fb.s")], ["snapshot.window"; 4]);
}

#[test]
fn a_window_of_a_size_that_none_has() {
    let sized = |shape, size: u64| {
        let config = Config::builder().failure_rate_threshold(1.0).minimum_calls(1).window(shape).build().unwrap();
        let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
        let kind = if matches!(shape, WindowShape::Calls(_)) { "window.calls" } else { "window.seconds" };
        refused_counts(&breaker, [(kind, size)])
    };
    let (calls, seconds) = (WindowShape::Calls(1), WindowShape::Seconds(1));
    assert_eq!([sized(calls, 1), sized(calls, 10_000), sized(seconds, 1), sized(seconds, 3_600)], [""; 4]);
    assert_eq!([sized(calls, 0), sized(calls, 10_001)], ["snapshot.window.calls"; 2]);
    assert_eq!([sized(seconds, 0), sized(seconds, 3_601)], ["snapshot.window.seconds"; 2]);
}

#[test]
fn a_disabled_circuit_that_is_open_or_remembers() {
    // With what is named taken away.
    let disabling = |breaker: &Breaker, forgotten: &[&'static str]| {
        let nothing = |path| if path == "window.ended" { "".into() } else { 0u64.into() };
        let off = [("mode", Value::from("disabled"))];
        let changes: Vec<_> = forgotten.iter().map(|path| (*path, nothing(*path))).chain(off).collect();
        refused(breaker, &changes)
    };
    assert_eq!(disabling(&fresh(), &[]), "");
    assert_eq!(disabling(&open(), &["consecutive_failures", "window.ended"]), "snapshot.mode");
    assert_eq!(disabling(&held_without_end(), &[]), "snapshot.mode");
    assert_eq!(disabling(&failing(), &["window.ended"]), "snapshot.mode", "a streak of failures");
    assert_eq!(disabling(&succeeding(), &["window.ended"]), "snapshot.mode", "a streak of successes");
    assert_eq!(disabling(&succeeding(), &["consecutive_successes"]), "snapshot.mode", "a window");
    assert_eq!(disabling(&recovered(), &["consecutive_successes"]), "snapshot.mode", "openings");
    assert_eq!(disabling(&failing(), &["consecutive_failures", "window.ended"]), "");
    assert_eq!(disabling(&succeeding(), &["consecutive_successes", "window.ended"]), "");
    assert_eq!(refused(&disabled(), &[]), "", "what is counted while it is disabled is not remembered");
}

#[test]
fn a_wait_where_none_is_and_none_where_one_is() {
    let (auto, shadow, forced_open) = (Value::from("auto"), Value::from("shadow"), Value::from("forced_open"));
    let wait = |chosen: Option<u64>, left: Option<u64>| [("wait_nanos", chosen.into()), ("left_nanos", left.into())];
    let ten_seconds = wait(Some(10 * SECOND), Some(10 * SECOND));
    assert_eq!(refused(&failing(), &ten_seconds), "snapshot.wait_nanos");
    assert_eq!(refused(&failing(), &[("mode", forced_open)]), "snapshot.mode");
    assert_eq!(refused(&open(), &wait(None, None)), "snapshot.wait_nanos");
    assert_eq!(refused(&held_without_end(), &[("mode", auto.clone())]), "snapshot.wait_nanos");
    assert_eq!(refused(&open(), &[("mode", shadow)]), "");
    assert_eq!(refused(&open(), &[("state", "half_open".into())]), "snapshot.state");
    for half in [("wait_nanos", Value::Null), ("left_nanos", Value::Null)] {
        assert_eq!(refused(&forced(5), &[half]), "snapshot.left_nanos", "half a wait would make a timed order endless");
    }

    // The machine's own wait is the last wait, unless it is over: then it may have been an order's.
    assert_eq!(refused(&open(), &wait(Some(10 * SECOND), Some(1))), "");
    assert_eq!(refused(&open(), &wait(Some(10 * SECOND), Some(10 * SECOND + 1))), "snapshot.left_nanos");
    assert_eq!(refused(&open(), &wait(Some(11 * SECOND), Some(1))), "snapshot.wait_nanos");
    assert_eq!(refused(&open(), &wait(Some(11 * SECOND), Some(0))), "");

    // An order's is as long as it was ordered, and over when its mode is.
    assert_eq!(refused(&forced(5), &wait(Some(7 * SECOND), Some(7 * SECOND))), "");
    assert_eq!(refused(&forced(5), &wait(Some(7 * SECOND), Some(7 * SECOND + 1))), "snapshot.left_nanos");
    assert_eq!(refused(&forced(5), &wait(Some(5 * SECOND), Some(0))), "snapshot.left_nanos");
    const YEAR: u64 = 365 * 24 * 3_600 * SECOND;
    assert_eq!(refused(&forced(5), &wait(Some(YEAR), Some(1))), "");
    assert_eq!(refused(&forced(5), &wait(Some(YEAR + 1), Some(1))), "snapshot.wait_nanos");
    assert_eq!(refused(&forced(5), &[("mode", auto)]), "snapshot.wait_nanos");
}

#[test]
fn openings_in_a_row_without_a_last_wait() {
    assert_eq!(refused_counts(&fresh(), [("last_wait_nanos", 1)]), "snapshot.last_wait_nanos");
    let no_wait = [("last_wait_nanos", 0), ("clean_in_nanos", 0)];
    assert_eq!(refused_counts(&recovered(), no_wait), "snapshot.last_wait_nanos");

    let resets_in = |breaker: &Breaker, nanos| refused_counts(breaker, [("clean_in_nanos", nanos)]);
    assert_eq!([resets_in(&recovered(), 1), resets_in(&recovered(), 10 * SECOND)], [""; 2]);
    let refusals = [
        resets_in(&recovered(), 0),
        resets_in(&recovered(), 10 * SECOND + 1),
        resets_in(&open(), 1),
        resets_in(&fresh(), 1),
    ];
    assert_eq!(refusals, ["snapshot.clean_in_nanos"; 4]);
}

#[test]
fn transitions_that_no_circuit_makes() {
    let walked = |breaker: &Breaker, edges: &[(&str, u64)]| {
        let changes: Vec<_> = edges.iter().map(|(edge, count)| (*edge, Value::from(*count))).collect();
        refused(breaker, &changes)
    };
    let (first, probed) = ("transitions.closed>open", "transitions.open>half_open");
    let (reopened, closed) = ("transitions.half_open>open", "transitions.half_open>closed");
    for never_opened in [open(), recovered(), held_without_end()] {
        assert_eq!(walked(&never_opened, &[(first, 0)]), "snapshot.transitions.closed>open");
    }
    assert_eq!(walked(&fresh(), &[("transitions.open>closed", 1)]), "snapshot.transitions.closed>open");
    assert_eq!(walked(&fresh(), &[("transitions.open>closed", 1), (first, 1)]), "");

    assert_eq!(walked(&recovered(), &[(probed, 0)]), "snapshot.transitions.open>half_open");
    assert_eq!(walked(&recovered(), &[(reopened, 1)]), "snapshot.transitions.open>half_open");
    assert_eq!(walked(&recovered(), &[(reopened, 1), (probed, 2)]), "");
    assert_eq!(walked(&open(), &[(probed, 5)]), "", "a restart may end a round");
    assert_eq!(walked(&recovered(), &[(closed, 0)]), "snapshot.transitions.half_open>closed");
    assert_eq!(walked(&failing(), &[("counters.probe_timeouts", 1)]), "snapshot.transitions.open>half_open");
    assert_eq!(walked(&open(), &[("counters.probe_timeouts", 1), (probed, 1)]), "");
    for turned_away in ["counters.rejected_calls", "counters.shadow_rejected"] {
        assert_eq!(walked(&failing(), &[(turned_away, 1)]), "snapshot.transitions.closed>open");
    }

    assert_eq!(walked(&open(), &[("openings", 2)]), "snapshot.openings");
    assert_eq!(walked(&open(), &[("openings", 2), (probed, 1), (reopened, 1)]), "");
    assert_eq!(walked(&open(), &[("openings", 3), (probed, 1), (reopened, 1)]), "snapshot.openings");
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
fn what_the_document_says_of_the_part_is_told() {
    let told = |path: &str, value: Value| {
        let mut document = failing().snapshot().to_value();
        *part(&mut document, path) = value;
        Snapshot::from_value(&document).unwrap_err().to_string()
    };
    assert_eq!(
        told("counters.total_calls", 7u64.into()),
        "snapshot.counters.total_calls = 7 is refused: allowed is the sum of how the calls ended"
    );
    assert_eq!(
        told("window.ended", "fff".into()),
        r#"snapshot.window = {"calls": 10, "ended": "fff"} is refused: allowed is at most what was counted"#
    );
}
