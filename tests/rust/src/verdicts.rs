//! Runs the shared verdicts in `tests/verdicts` on the Rust API.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::slice;
use std::time::Duration;

use halfopen::classify::Response;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let (passed, failed) = run_all();
    println!("verdicts rust: {passed} passed, {failed} failed");
    if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The numbers of passed and failed verdicts; prints the difference of each failed one.
fn run_all() -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    for vector in vectors() {
        let seen = run(&vector["response"]);
        let keys = ["outcome", "scope", "retry_after_ms", "cooldown_ms"];
        let expected: Value = keys.iter().map(|key| ((*key).to_owned(), vector["verdict"][key].clone())).collect();
        if seen == expected {
            passed += 1;
        } else {
            failed += 1;
            println!("{}: expected {expected}, seen {seen}", vector["id"]);
        }
    }
    (passed, failed)
}

/// Includes the verdicts in `cargo test`, which cargo-mutants uses.
#[test]
fn every_verdict_passes() {
    let (passed, failed) = run_all();
    assert!(failed == 0 && passed > 0);
}

fn vectors() -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../verdicts");
    let mut files: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let read = |file| serde_json::from_str::<Vec<Value>>(&fs::read_to_string(file).expect("a text")).expect("a list");
    files.iter().flat_map(read).collect()
}

fn run(response: &Value) -> Value {
    let mut headers = Vec::new();
    for (name, value) in response["headers"].as_object().into_iter().flatten() {
        let lines = value.as_array().map_or_else(|| slice::from_ref(value), Vec::as_slice);
        headers.extend(lines.iter().map(|line| (name.as_str(), line.as_str().unwrap_or_default())));
    }
    let verdict = Response {
        status: response["status"].as_u64().and_then(|status| status.try_into().ok()).expect("a status"),
        code: response["code"].as_str(),
        headers: &headers,
        now: Duration::from_secs(response["now"].as_u64().expect("seconds")),
    }
    .verdict();
    json!({
        "outcome": verdict.outcome().as_str(),
        "scope": verdict.scope().map(|scope| scope.as_str()),
        "retry_after_ms": verdict.retry_after().map_or(Value::Null, millis),
        "cooldown_ms": verdict.cooldown().map_or(Value::Null, millis),
    })
}

/// An integer if the wait is a whole number of milliseconds, as JSON has it.
fn millis(wait: Duration) -> Value {
    match wait.as_nanos() {
        nanos if nanos.is_multiple_of(1_000_000) => json!((nanos / 1_000_000) as u64),
        nanos => json!(nanos as f64 / 1e6),
    }
}
