//! Values as JSON, which is how snapshots and configurations reach files and other languages.
#![cfg(feature = "json")]

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::WindowShape;
use halfopen::host::Value;
use halfopen::{CircuitBreaker, Config, Snapshot};

fn read(document: &str) -> Value {
    Value::from_json("document", document).unwrap()
}

#[test]
fn every_kind_of_value_is_read_and_written() {
    let document = r#"{"none":null,"truth":true,"whole":18446744073709551615,"number":-2.5,"list":["é",[],{}]}"#;
    let value = read(document);
    assert_eq!(value.to_json(), document);
    let Value::Map(fields) = value else { panic!("it is an object") };
    let values: Vec<Value> = fields.into_iter().map(|(_, value)| value).collect();
    let list = Value::List(vec!["é".into(), Value::List(vec![]), Value::Map(vec![])]);
    assert_eq!(values, [Value::Null, true.into(), u64::MAX.into(), Value::Number(-2.5), list]);
}

#[test]
fn a_whole_number_below_zero_or_beyond_64_bits_is_a_number() {
    assert_eq!(read("[-1, 18446744073709551616, 5.0]"), {
        Value::List(vec![Value::Number(-1.0), Value::Number(18_446_744_073_709_551_616.0), Value::Number(5.0)])
    });
}

#[test]
fn values_without_a_json_form_are_written_as_null_or_text() {
    let values = vec![Value::Number(f64::NAN), Value::Number(f64::INFINITY), Value::Other("<object>".into())];
    assert_eq!(Value::List(values).to_json(), r#"[null,null,"<object>"]"#);
}

#[test]
fn invalid_json_is_refused_by_name() {
    for document in ["", "{", "nul", "{}{}", "[1,]", "1e999", "\"\\ud800\"", &"[".repeat(100_000)] {
        let error = Value::from_json("document", document).unwrap_err();
        assert_eq!((error.field(), error.value()), ("document", &Value::from(document)), "{error}");
        assert!(error.allowed().starts_with("a JSON document ("), "{error}");
    }
    let error = Value::from_json("document", "[1,]").unwrap_err();
    let message = r#"document = "[1,]" is refused: allowed is a JSON document (trailing comma at line 1 column 4)"#;
    assert_eq!(error.to_string(), message);
    let error = Value::from_json("document", &"[".repeat(100_000)).unwrap_err();
    assert!(error.to_string().len() < 250, "a message stays short: {error}");
}

#[test]
fn values_beyond_json_are_refused() {
    use serde::de::{Deserialize, value};
    let bytes = value::BytesDeserializer::<value::Error>::new(b"bytes");
    let error = Value::deserialize(bytes).unwrap_err();
    assert_eq!(error.to_string(), "invalid type: byte array, expected a JSON value");
}

#[test]
fn a_snapshot_survives_the_way_through_json() {
    for shape in [WindowShape::Calls(4), WindowShape::Time(Duration::from_secs(30))] {
        let config = Config::builder().failure_rate_threshold(0.5).minimum_calls(4).window(shape).build().unwrap();
        let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
        breaker.acquire().unwrap().failure();
        let snapshot = breaker.snapshot();
        assert_eq!(Snapshot::from_value(&read(&snapshot.to_value().to_json())).unwrap(), snapshot);
    }
}
