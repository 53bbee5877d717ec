//! Reading and writing through serde.
#![cfg(feature = "json")]

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::WindowShape;
use halfopen::control::Cause;
use halfopen::{CircuitBreaker, Config, Snapshot, State};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Settings {
    workers: u32,
    breaker: Config,
}

fn config() -> Config {
    Config::builder()
        .name("gemini")
        .failure_threshold(3)
        .timeout(Duration::from_millis(7500))
        .failure_rate_threshold(0.25)
        .window(WindowShape::Time(Duration::from_secs(30)))
        .build()
        .unwrap()
}

#[test]
fn a_configuration_is_read_from_toml() {
    let text = r#"
        workers = 4
        [breaker]
        name = "gemini"
        failure_threshold = 3
        timeout_seconds = 7.5
        failure_rate_threshold = 0.25
        window = { seconds = 30 }
    "#;
    assert_eq!(toml::from_str::<Settings>(text).unwrap(), Settings { workers: 4, breaker: config() });
}

#[test]
fn a_configuration_that_is_refused_is_refused_in_the_words_of_the_core() {
    for (text, message) in [
        ("timeout_seconds = -1", "timeout_seconds = -1 is refused: allowed is a number of seconds above 0, at most"),
        ("failure_treshold = 3", "failure_treshold = 3 is refused: allowed is one of: name, failure_threshold, "),
        ("slow_call_rate_threshold = 0.5", "allowed is a rate only together with slow_call_seconds"),
        ("window = { calls = 0 }", r#"window = {"calls": 0} is refused"#),
        ("shadow = 1979-05-27", "shadow = "),
    ] {
        let error = toml::from_str::<Config>(text).unwrap_err().to_string();
        assert!(error.contains(message), "{error}");
    }
    let error = serde_json::from_str::<Config>("[]").unwrap_err().to_string();
    assert!(error.contains("config = [] is refused: allowed is an object"), "{error}");
}

#[test]
fn a_configuration_that_is_written_is_read_as_the_same() {
    for config in [config(), Config::default()] {
        let settings = Settings { workers: 1, breaker: config };
        assert_eq!(toml::from_str::<Settings>(&toml::to_string(&settings).unwrap()).unwrap(), settings);
        assert_eq!(serde_json::from_value::<Settings>(serde_json::to_value(&settings).unwrap()).unwrap(), settings);
    }
    let off = Config::builder().failure_threshold(None).failure_rate_threshold(0.5).build().unwrap();
    let written = serde_json::to_value(&off).unwrap();
    assert_eq!((&written["failure_threshold"], written.get("slow_call_seconds")), (&json!(null), None));
    assert_eq!(serde_json::from_value::<Config>(written).unwrap(), off);
}

#[test]
fn a_status_and_an_event_are_written_by_name() {
    let clock = ManualClock::new();
    let breaker = CircuitBreaker::with_clock(Config::builder().failure_threshold(1).build().unwrap(), clock.clone());
    clock.advance(Duration::from_millis(1500));
    breaker.acquire().unwrap().failure();
    let status = serde_json::to_value(breaker.status()).unwrap();
    assert_eq!(
        (&status["state"], &status["now_seconds"], &status["retry_after_seconds"], &status["failed_calls"]),
        (&json!("open"), &json!(1.5), &json!(60.0), &json!(1))
    );
    let event = serde_json::to_value(breaker.events(0)[0]).unwrap();
    assert_eq!(
        event,
        json!({
            "sequence": 1, "at_seconds": 1.5, "from_state": "closed", "to_state": "open",
            "cause": "consecutive_failures", "generation": 1, "consecutive_failures": 1, "consecutive_successes": 0,
            "retry_after_seconds": 60.0,
        })
    );
}

#[test]
fn a_snapshot_is_the_same_document_as_its_value() {
    let breaker = CircuitBreaker::with_clock(config(), ManualClock::new());
    breaker.acquire().unwrap().failure();
    let snapshot = breaker.snapshot();
    let text = serde_json::to_string(&snapshot).unwrap();
    assert_eq!(text, snapshot.to_value().to_json());
    assert_eq!(serde_json::from_str::<Snapshot>(&text).unwrap(), snapshot);
    let error = serde_json::from_str::<Snapshot>(r#"{"version": 2}"#).unwrap_err().to_string();
    assert!(error.contains("snapshot.version = 2 is refused: allowed is 1"), "{error}");
}

#[test]
fn the_values_of_enumerations_are_written_by_their_names() {
    assert_eq!(serde_json::to_value(State::HalfOpen).unwrap(), json!("half_open"));
    assert_eq!(serde_json::from_value::<Cause>(json!("probe_failed")).unwrap(), Cause::ProbeFailed);
    let error = serde_json::from_value::<State>(json!("ajar")).unwrap_err().to_string();
    assert!(error.starts_with("unknown variant `ajar`, expected one of `closed`, `open`, `half_open`"), "{error}");
}
