//! The pool of the core.

use halfopen::InvalidValue;
use halfopen::host::Value;
use napi_derive::napi;
#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::host::{Host, Plain, Result};

/// Replays a log of a pool and returns what each step shows; both are JSON documents. A bad log throws a `Refusal`.
#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen(js_name = replayPool))]
pub fn replay_pool(log: Plain) -> Result<String> {
    let host = Host::of(&log);
    let document = host.value(log)?;
    let shown = match &document {
        Value::Text(text) => Value::from_json("log", text).and_then(|log| halfopen::pool::replay(&log)),
        other => Err(InvalidValue::new("log", other, "a JSON document, as a string")),
    };
    Ok(host.checked(shown)?.to_json())
}
