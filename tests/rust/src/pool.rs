//! Runs one vector on the pool: the vector is a log, which is replayed.

use halfopen::host::Value as Field;
use halfopen::pool;
use serde_json::{Value, json};

/// Runs a vector; `Err` describes the first difference.
pub fn run(vector: &Value) -> Result<(), String> {
    let steps = vector.get("steps").cloned().unwrap_or_else(|| json!([]));
    let log = json!({ "pool": vector["pool"], "steps": steps }).to_string();
    let shown = Field::from_json("log", &log).and_then(|log| pool::replay(&log));
    let shown = match (shown, vector.get("config_error").and_then(Value::as_str)) {
        (Err(error), Some(field)) if error.field() == field => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(_), Some(field)) => return Err(format!("expected an error naming {field}, seen: none")),
        (Ok(shown), None) => serde_json::to_value(shown).map_err(|error| error.to_string())?,
    };
    for (at, step) in steps.as_array().ok_or("steps is not a list")?.iter().enumerate() {
        for (key, expected) in step.get("expect").and_then(Value::as_object).into_iter().flatten() {
            let seen = if key == "first" { shown[at]["picks"][0][0].clone() } else { shown[at][key].clone() };
            if !same(&seen, expected) {
                return Err(format!("step {} {step}: {key}: seen {seen}", at + 1));
            }
        }
    }
    Ok(())
}

/// Whether two values are equal; a whole number equals itself as a double.
fn same(seen: &Value, expected: &Value) -> bool {
    match (seen, expected) {
        (Value::Number(one), Value::Number(other)) => one.as_f64() == other.as_f64(),
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        _ => seen == expected,
    }
}
