//! The properties of a replay.

use core::time::Duration;

use super::*;

fn record(at_seconds: f64, outcome: RecordedOutcome) -> Record {
    let duration_seconds = if outcome == RecordedOutcome::Rejected { 0.0 } else { 0.5 };
    Record { at_seconds, circuit: "gemini".into(), duration_seconds, outcome, retry_after_seconds: None }
}

fn config(threshold: u16) -> Config {
    Config::builder()
        .failure_threshold(threshold)
        .success_threshold(1)
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}

/// The log of a breaker with a threshold of 3 and a wait of 10 s in an outage of 15 s.
fn incident() -> Vec<Record> {
    let mut records: Vec<_> = (0..3).map(|n| record(f64::from(n), RecordedOutcome::Failure)).collect();
    records.extend((4..12).map(|n| record(f64::from(n), RecordedOutcome::Rejected)));
    records.push(record(13.0, RecordedOutcome::Failure));
    records.extend((14..23).map(|n| record(f64::from(n), RecordedOutcome::Rejected)));
    records.extend((24..30).map(|n| record(f64::from(n), RecordedOutcome::Success)));
    records
}

#[test]
fn the_configuration_in_force_reproduces_its_own_decisions() {
    let replayed = replay(&incident(), &config(3), Outcome::Success);
    assert!(replayed.reproduces_the_log(), "{replayed:?}");
    assert_eq!((replayed.admitted, replayed.still_rejected, replayed.unknown), (10, 17, 0));
    let causes: Vec<_> = replayed.transitions.iter().map(|transition| transition.cause.as_str()).collect();
    let half_open = "timeout_elapsed";
    assert_eq!(causes, ["consecutive_failures", half_open, "probe_failed", half_open, "probes_succeeded"]);
    assert_eq!(replayed.transitions[0].at_seconds, 2.5, "at the end of the third call");
}

#[test]
fn a_lower_threshold_would_have_spared_failures() {
    let replayed = replay(&incident(), &config(1), Outcome::Success);
    assert_eq!(replayed.first_difference, Some(1));
    assert_eq!((replayed.spared_failures, replayed.spared_seconds), (2, 1.0));
}

#[test]
fn calls_that_only_a_higher_threshold_makes_are_unknown() {
    let (best, worst) =
        (replay(&incident(), &config(5), Outcome::Success), replay(&incident(), &config(5), Outcome::FAILURE));
    assert_eq!(best.unknown, 17, "every rejected call would have been made");
    assert!(best.transitions.is_empty());
    assert!(worst.unknown < 17);
    assert_eq!(worst.transitions[0].cause, Cause::ConsecutiveFailures);
}

#[test]
fn each_circuit_of_a_log_has_its_own_breaker() {
    let mut records = incident();
    for record in incident() {
        records.push(Record { circuit: "openai".into(), outcome: RecordedOutcome::Success, ..record });
    }
    records.sort_by(|one, other| one.at_seconds.total_cmp(&other.at_seconds));
    let replayed = replay(&records, &config(3), Outcome::Success);
    assert!(replayed.reproduces_the_log());
    assert!(replayed.transitions.iter().all(|transition| transition.circuit == "gemini"));
}

#[test]
fn a_replay_that_is_stopped_gives_the_same_result() {
    let mut stopping = Replay::new(incident().into(), &config(3), Outcome::Success);
    assert_eq!(stopping.circuit("gemini"), None);
    for stop in [0.0, 2.4, 2.5, 1.0, 12.4, 13.2] {
        stopping.advance_to(stop);
    }
    let view = stopping.circuit("gemini").unwrap();
    assert_eq!(view.explanation, "half-open: 0 successes in a row, and 1 closes it; a failure opens it");
    assert_eq!(view.probe_slots, 1);
    let made = stopping.decisions().iter().filter(|admitted| **admitted).count();
    assert_eq!((stopping.decisions().len(), made), (12, 4));
    assert_eq!(stopping.finish(), replay(&incident(), &config(3), Outcome::Success));
}
