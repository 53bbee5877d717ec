//! A log of real calls, ready to be replayed with any configuration.

use std::sync::Arc;

use halfopen::Outcome;
use halfopen::sim::{Record, Replay, read_log};
use wasm_bindgen::prelude::*;

use crate::config_of;
use crate::json::json_of;
use crate::refusal::{Result, refused};

/// A log of real calls.
#[wasm_bindgen]
pub struct Log(Arc<[Record]>);

#[wasm_bindgen]
impl Log {
    /// Reads a log: lines of JSON, CSV with a header, or an export of spans.
    pub fn read(text: &str) -> Result<Log> {
        Ok(Self(read_log(text, None).map_err(refused)?.into()))
    }

    /// The records as a JSON list, sorted by their times.
    #[wasm_bindgen(getter)]
    pub fn records(&self) -> String {
        json_of(&&*self.0)
    }

    /// Begins a replay. In the best case, calls of unknown outcome succeed; in the worst case they fail.
    pub fn start(&self, config: &str, is_best_case: bool) -> Result<LogReplay> {
        let unknown = if is_best_case { Outcome::Success } else { Outcome::FAILURE };
        Ok(LogReplay(Replay::new(Arc::clone(&self.0), &config_of(config)?, unknown)))
    }
}

/// A replay that stops at any time. Stopping changes nothing.
#[wasm_bindgen]
pub struct LogReplay(Replay);

#[wasm_bindgen]
impl LogReplay {
    /// Runs until this time, in the log's seconds. A time that has passed changes nothing.
    #[wasm_bindgen(js_name = advanceTo)]
    pub fn advance_to(&mut self, seconds: f64) {
        self.0.advance_to(seconds);
    }

    /// The circuit of this name as JSON; nothing before its first record.
    pub fn circuit(&self, name: &str) -> Option<String> {
        self.0.circuit(name).map(|view| json_of(&view))
    }

    /// For each record that has begun, in the order of `records`: 1 if it is admitted, otherwise 0.
    #[wasm_bindgen(getter)]
    pub fn decisions(&self) -> Vec<u8> {
        self.0.decisions().iter().map(|admitted| u8::from(*admitted)).collect()
    }

    /// Runs to the end; returns the result as JSON.
    pub fn finish(self) -> String {
        json_of(&self.0.finish())
    }
}
