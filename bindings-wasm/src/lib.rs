//! The WebAssembly build: the border between the TypeScript in `api/`, its only caller, and core.
#![cfg(target_family = "wasm")]
// `stack.rs` holds 576 numbers by one macro.
#![recursion_limit = "1024"]

mod convert;
mod registry;
mod stack;

use std::sync::Arc;

use halfopen::{CircuitBreaker, Jitter};
use halfopen_js::{Circuit, JsClock, config};
use js_sys::Math;
use wasm_bindgen::prelude::*;

use convert::{from_js, refusal, to_js};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "import type { Plain } from '../ts/backend.js';
import type { EffectiveConfig } from '../ts/config.js';
import type { Mode, State } from '../ts/enums.js';
import type { DurationsByOutcome, EventReading, StatusReading } from '../ts/status.js';";

/// A circuit. Each method is described in the crate `halfopen-js`.
#[wasm_bindgen(js_name = Circuit)]
pub struct WasmCircuit(Circuit);

#[wasm_bindgen(js_class = Circuit)]
impl WasmCircuit {
    /// A closed circuit, on a clock whose time its host pushes.
    #[wasm_bindgen(constructor)]
    pub fn new(
        #[wasm_bindgen(unchecked_param_type = "Plain")] fields: JsValue,
        millis: f64,
    ) -> Result<WasmCircuit, JsValue> {
        let config = config(&from_js(fields)?).map_err(refusal)?;
        // WebAssembly has no source of randomness of its own.
        let jitter = Jitter { seed: Math::random().to_bits() };
        let breaker = CircuitBreaker::with_jitter(config, JsClock::pushed(millis), jitter);
        Ok(Self(Circuit::new(Arc::new(breaker))))
    }

    /// See [`Circuit::enter`].
    pub fn enter(&mut self, millis: f64) -> f64 {
        self.0.enter(millis)
    }

    /// See [`Circuit::enter_inside`].
    #[wasm_bindgen(js_name = enterInside)]
    pub fn enter_inside(&mut self, outer: f64, millis: f64) -> f64 {
        self.0.enter_inside(outer, millis)
    }

    /// See [`Circuit::retry_after`].
    #[wasm_bindgen(js_name = retryAfter)]
    pub fn retry_after(&self) -> f64 {
        self.0.retry_after()
    }

    /// See [`Circuit::is_timed`].
    #[wasm_bindgen(js_name = isTimed)]
    pub fn is_timed(&self) -> bool {
        self.0.is_timed()
    }

    /// See [`Circuit::settle`].
    pub fn settle(&mut self, permit: f64, outcome: usize, millis: f64) -> f64 {
        self.0.settle(permit, outcome, millis)
    }

    /// See [`Circuit::fail`].
    pub fn fail(
        &mut self,
        permit: f64,
        #[wasm_bindgen(js_name = retryAfter, unchecked_param_type = "Plain")] retry_after: JsValue,
        millis: f64,
    ) -> Result<bool, JsValue> {
        self.0.fail(permit, &from_js(retry_after)?, millis).map_err(refusal)
    }

    /// See [`Circuit::pause`].
    pub fn pause(&mut self, permit: f64, millis: f64) {
        self.0.pause(permit, millis);
    }

    /// See [`Circuit::resume`].
    pub fn resume(&mut self, permit: f64, millis: f64) {
        self.0.resume(permit, millis);
    }

    /// See [`Circuit::state`].
    #[wasm_bindgen(unchecked_return_type = "State")]
    pub fn state(&self, millis: f64) -> String {
        self.0.state(millis).into()
    }

    /// See [`Circuit::mode`].
    #[wasm_bindgen(unchecked_return_type = "Mode")]
    pub fn mode(&self, millis: f64) -> String {
        self.0.mode(millis).into()
    }

    /// See [`Circuit::status`].
    #[wasm_bindgen(unchecked_return_type = "StatusReading")]
    pub fn status(&self, millis: f64) -> Result<JsValue, JsValue> {
        to_js(&self.0.status(millis))
    }

    /// See [`Circuit::config`].
    #[wasm_bindgen(unchecked_return_type = "EffectiveConfig")]
    pub fn config(&self) -> Result<JsValue, JsValue> {
        to_js(&self.0.config())
    }

    /// See [`Circuit::events`].
    #[wasm_bindgen(unchecked_return_type = "EventReading[]")]
    pub fn events(&self, after: f64) -> Result<JsValue, JsValue> {
        to_js(&self.0.events(after))
    }

    /// See [`Circuit::durations`].
    #[wasm_bindgen(unchecked_return_type = "DurationsByOutcome")]
    pub fn durations(&self) -> Result<JsValue, JsValue> {
        to_js(&self.0.durations())
    }

    /// See [`Circuit::percentile`].
    #[wasm_bindgen(unchecked_return_type = "number | null")]
    pub fn percentile(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Plain")] share: JsValue,
        #[wasm_bindgen(unchecked_param_type = "Plain")] outcome: JsValue,
    ) -> Result<JsValue, JsValue> {
        let longest = self.0.percentile(&from_js(share)?, &from_js(outcome)?).map_err(refusal)?;
        to_js(&longest.into())
    }

    /// See [`Circuit::explain`].
    pub fn explain(&self, millis: f64) -> String {
        self.0.explain(millis)
    }

    /// See [`Circuit::is_idle`].
    #[wasm_bindgen(js_name = isIdle)]
    pub fn is_idle(&self, millis: f64) -> bool {
        self.0.is_idle(millis)
    }

    /// See [`Circuit::force_open`].
    #[wasm_bindgen(js_name = forceOpen)]
    pub fn force_open(
        &self,
        #[wasm_bindgen(js_name = durationSeconds, unchecked_param_type = "Plain")] duration_seconds: JsValue,
        millis: f64,
    ) -> Result<(), JsValue> {
        self.0.force_open(&from_js(duration_seconds)?, millis).map_err(refusal)
    }

    /// See [`Circuit::disable`].
    pub fn disable(&self, millis: f64) {
        self.0.disable(millis);
    }

    /// See [`Circuit::reset`].
    pub fn reset(&self, millis: f64) {
        self.0.reset(millis);
    }

    /// See [`Circuit::reconfigure`].
    pub fn reconfigure(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Plain")] fields: JsValue,
        millis: f64,
    ) -> Result<(), JsValue> {
        self.0.reconfigure(&from_js(fields)?, millis).map_err(refusal)
    }

    /// See [`Circuit::difference`].
    pub fn difference(
        &self,
        #[wasm_bindgen(unchecked_param_type = "Plain")] fields: JsValue,
    ) -> Result<Option<String>, JsValue> {
        self.0.difference(&from_js(fields)?).map_err(refusal)
    }

    /// See [`Circuit::snapshot`].
    #[wasm_bindgen(unchecked_return_type = "Plain")]
    pub fn snapshot(&self, millis: f64) -> Result<JsValue, JsValue> {
        to_js(&self.0.snapshot(millis))
    }

    /// See [`Circuit::restore`].
    pub fn restore(&self, document: &str, millis: f64) -> Result<(), JsValue> {
        self.0.restore(document, millis).map_err(refusal)
    }
}

/// The most milliseconds that a clock can mean.
#[wasm_bindgen(js_name = latestMillis)]
pub fn latest_millis() -> f64 {
    halfopen::Tick::LATEST_MILLIS
}
