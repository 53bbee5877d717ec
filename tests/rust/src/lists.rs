//! Prints the core's lists as JSON: the table of fields, the enumerations and the entries of readings. `tests/lists` writes
//! them into the bindings and the docs.

mod readings;

use halfopen::classify::Scope;
use halfopen::clock::Tick;
use halfopen::control::{Cause, Mode, Reason};
use halfopen::evidence::EVENTS_KEPT;
use halfopen::host::{self, ErrorCode};
use halfopen::pool::{OnExhausted, PassReason, Role, Strategy};
use halfopen::{Outcome, State};
use serde_json::{Value, json};

fn main() -> Result<(), serde_json::Error> {
    let schema = serde_json::to_value(host::config_schema())?;
    let enums = json!({
        "state": list("The state of a circuit.", State::ALL, State::as_str, State::description),
        "mode": list("The mode of a circuit: automatic, or set by an operator.", Mode::ALL, Mode::as_str, Mode::description),
        "outcome": list("The end of a call.", Outcome::ALL, Outcome::as_str, Outcome::description),
        "reason": list("The reason of a rejection.", Reason::ALL, Reason::as_str, Reason::description),
        "cause": list("The cause of a change of state.", Cause::ALL, Cause::as_str, Cause::description),
        "scope": list("The subject of a verdict.", Scope::ALL, Scope::as_str, Scope::description),
        "role": list("The reason of a choice.", Role::ALL, Role::as_str, Role::description),
        "pass_reason": list("The reason why a pool passed over a provider.", PassReason::ALL, PassReason::as_str, PassReason::description),
        "strategy": list("The order of a pool within a tier.", Strategy::ALL, Strategy::as_str, Strategy::description),
        "on_exhausted": list(
            "The behaviour of a pool without an available provider.",
            OnExhausted::ALL,
            OnExhausted::as_str,
            OnExhausted::description,
        ),
        "error_code": list("The stable code of an error.", ErrorCode::ALL, ErrorCode::as_str, ErrorCode::description),
    });
    let lists = json!({
        "fields": schema["properties"],
        "enums": enums,
        "readings": readings::all(),
        "latest_millis": Tick::LATEST_MILLIS,
        "events_kept": EVENTS_KEPT,
    });
    println!("{lists}");
    Ok(())
}

/// An enumeration with its values in the order of declaration, each with its description.
fn list<T: Copy>(about: &str, all: &[T], name: fn(T) -> &'static str, description: fn(T) -> &'static str) -> Value {
    let values: Value = all.iter().map(|&value| (name(value).to_owned(), Value::from(description(value)))).collect();
    json!({ "about": about, "values": values })
}
