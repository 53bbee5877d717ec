//! The simulation and the replay for pages. Documents cross the border as JSON, and calls as numbers.
#![cfg(target_family = "wasm")]
// Not `forbid`, because the attributes of wasm-bindgen expand to `unsafe` code.
#![deny(unsafe_code)]

mod json;
mod log;
mod refusal;
mod run;
mod world;

use halfopen::Config;
use halfopen::host::{self, Spelling, Value, config_from};
use wasm_bindgen::prelude::*;

pub use log::{Log, LogReplay};
pub use run::{Recording, Run};
pub use world::World;

use refusal::{Result, refused};

/// The fields of a configuration as a JSON Schema.
#[wasm_bindgen(js_name = configSchema)]
pub fn config_schema() -> String {
    json::json_of(&host::config_schema())
}

/// Checks a configuration.
///
/// # Errors
/// The core's refusal of its first field that is not allowed.
#[wasm_bindgen(js_name = checkConfig)]
pub fn check_config(config: &str) -> Result<()> {
    config_of(config).map(drop)
}

fn config_of(config: &str) -> Result<Config> {
    let document = Value::from_json("config", config).map_err(refused)?;
    config_from(&document, Spelling::SnakeCase).map_err(refused)
}
