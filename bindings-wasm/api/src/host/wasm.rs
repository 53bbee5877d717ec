//! Values and errors on their way between JavaScript and WebAssembly, by serde.

use halfopen::host::Value;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "import type { Plain } from '../ts/host-values.js';
import type { EffectiveConfig } from '../ts/config.js';
import type { DurationsByOutcome, EventReading, StatusReading } from '../ts/status.js';";

#[wasm_bindgen]
extern "C" {
    /// A plain value of the host.
    #[wasm_bindgen(typescript_type = "Plain")]
    pub type Plain;
}

/// A result, or what JavaScript throws.
pub type Result<T> = std::result::Result<T, JsValue>;

/// The host; there is only one.
#[derive(Clone, Copy, Debug)]
pub struct Host;

impl Host {
    /// The host of a value.
    pub fn of(_value: &Plain) -> Self {
        Self
    }

    /// A value of the host.
    #[inline(never)]
    pub(crate) fn value(self, value: Plain) -> Result<Value> {
        Ok(serde_wasm_bindgen::from_value(value.into())?)
    }

    /// A plain value, with `null` for none.
    #[inline(never)]
    pub(crate) fn plain(self, value: &Value) -> Result<Plain> {
        Ok(value.serialize(&Serializer::json_compatible())?.unchecked_into())
    }

    /// An error with this cause.
    pub(crate) fn error(self, cause: &Value) -> Result<JsValue> {
        let error = js_sys::Error::new("refused by the core");
        error.set_cause(&self.plain(cause)?.into());
        Ok(error.into())
    }
}
