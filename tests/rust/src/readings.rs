//! The entries of readings: their kinds and meanings, which the core does not need.

use halfopen::host::Entries;
use halfopen::{CircuitBreaker, Config};
use serde_json::{Value, json};

/// Name, kind and meaning.
type Entry = (&'static str, &'static str, &'static str);

/// The entries of each reading, in the core's order.
pub fn all() -> Value {
    let breaker = CircuitBreaker::new(Config::default());
    breaker.force_open(None).expect("a forced opening without an end");
    let status = breaker.status();
    let events = breaker.events(0);
    let [event] = events.as_slice() else { panic!("one event") };
    check(status.entries(), STATUS.iter().chain(&COUNTS));
    check(event.entries(), EVENT.iter());
    check(breaker.durations().success.entries(), DURATIONS.iter());
    json!({ "status": STATUS, "counts": COUNTS, "event": EVENT, "durations": DURATIONS })
}

/// The names must be those of the core.
fn check<'a, V>(known: impl Iterator<Item = (&'static str, V)>, listed: impl Iterator<Item = &'a Entry>) {
    let known: Vec<_> = known.map(|(name, _)| name).collect();
    let listed: Vec<_> = listed.map(|(name, ..)| *name).collect();
    assert_eq!(listed, known, "the entries of a reading in tests/rust/src/readings.rs");
}

/// Those of a status, without its counts.
const STATUS: [Entry; 15] = [
    ("now_seconds", "number", "The moment, in seconds."),
    ("state", "state", "The state; also half-open if the wait is over and no call has come yet."),
    ("mode", "mode", "The mode: automatic, or set by an operator."),
    (
        "retry_after_seconds",
        "optional",
        "The rest of the wait, in seconds; none unless open, and none if held open without an end.",
    ),
    ("generation", "count", "The number that changes with every transition and every operation of an operator."),
    (
        "success_rate",
        "number",
        "Successes in percent of the calls that ended in success or failure; 0 without such calls.",
    ),
    ("consecutive_failures", "count", "Failures in a row."),
    ("consecutive_successes", "count", "Successes in a row."),
    ("window_calls", "count", "Calls in the window; 0 if no rate is set."),
    ("window_failed", "count", "Those of them that failed."),
    ("window_slow", "count", "Those of them that were slow."),
    ("state_transitions", "count", "Changes of state since the breaker was made."),
    ("last_failure_seconds", "optional", "When a call last failed, in seconds; none before the first."),
    ("last_success_seconds", "optional", "When a call last succeeded, in seconds; none before the first."),
    ("last_state_change_seconds", "optional", "When the state last changed, in seconds; none before the first change."),
];

/// Those of the counts.
const COUNTS: [Entry; 10] = [
    ("total_calls", "count", "Calls admitted; the sum of the four outcomes and `in_flight`, always."),
    ("successful_calls", "count", "Calls that ended in success."),
    ("failed_calls", "count", "Calls that ended in failure."),
    ("ignored_calls", "count", "Calls that ended without saying anything about the provider."),
    ("cancelled_calls", "count", "Calls given up before they ended."),
    ("rejected_calls", "count", "Calls that were not admitted."),
    ("shadow_rejected", "count", "Calls that were admitted only because the mode is `shadow`."),
    ("slow_calls", "count", "Calls that ended in success or failure, and were slow."),
    ("probe_timeouts", "count", "Probe slots taken back from probes that hung."),
    ("in_flight", "count", "Calls admitted that have not ended."),
];

/// Those of the durations of calls.
const DURATIONS: [Entry; 3] = [
    ("count", "count", "The number of calls."),
    ("total_seconds", "number", "All their durations added up, in seconds."),
    (
        "buckets",
        "buckets",
        "For each bucket its upper bound in seconds, the last one infinite, and the calls that took at most that long.",
    ),
];

/// Those of an event.
const EVENT: [Entry; 9] = [
    ("sequence", "count", "1 for the breaker's first transition, and one more for each further one."),
    ("at_seconds", "number", "When it happened, in seconds from the origin of the breaker's clock."),
    ("from_state", "state", "The state it left."),
    ("to_state", "state", "The state it entered."),
    ("cause", "cause", "Why."),
    ("generation", "count", "The generation that it started."),
    ("consecutive_failures", "count", "Failures in a row just after it: in an opening, those that opened the circuit."),
    (
        "consecutive_successes",
        "count",
        "Probe successes in a row just before it: in a closing, with the one that closed the circuit.",
    ),
    ("retry_after_seconds", "optional", "The wait that it began, in seconds, if any."),
];
