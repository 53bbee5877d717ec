//! The pool of the core.

use halfopen::host::Spelling;
use napi_derive::napi;
#[cfg(target_family = "wasm")]
use wasm_bindgen::prelude::wasm_bindgen;

use crate::host::{Host, Plain, Result};
use crate::values;

/// Replays a log of a pool and returns what each step shows. A bad log throws an error whose cause has the code `INVALID_VALUE`.
#[napi]
#[cfg_attr(target_family = "wasm", wasm_bindgen(js_name = replayPool))]
pub fn replay_pool(log: Plain) -> Result<Plain> {
    let host = Host::of(&log);
    let shown = halfopen::pool::replay(&host.value(log)?);
    host.plain(&values::converted(host.checked(shown)?, Spelling::SnakeCase))
}
