//! Values and errors on their way between JavaScript and WebAssembly, by serde.

use halfopen::control::Jitter;
use halfopen::host::Value;
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use crate::values;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = "import type { Plain } from '../ts/host-values.js';
import type { EffectiveConfig } from '../ts/config.js';
import type { DurationsByOutcome, EventReading, StatusReading } from '../ts/status.js';";

#[wasm_bindgen]
extern "C" {
    /// A value that the TypeScript has reduced to a plain one.
    #[wasm_bindgen(typescript_type = "Plain")]
    pub type Plain;
    /// A status.
    #[wasm_bindgen(typescript_type = "StatusReading")]
    pub type Status;
    /// A configuration in force.
    #[wasm_bindgen(typescript_type = "EffectiveConfig")]
    pub type EffectiveConfig;
    /// Events.
    #[wasm_bindgen(typescript_type = "EventReading[]")]
    pub type Events;
    /// The histograms.
    #[wasm_bindgen(typescript_type = "DurationsByOutcome")]
    pub type Durations;
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

    /// WebAssembly has no source of randomness of its own.
    pub(crate) fn jitter() -> Jitter {
        Jitter { seed: js_sys::Math::random().to_bits() }
    }

    /// A value of the host.
    #[inline(never)]
    pub fn value(self, value: Plain) -> Result<Value> {
        Ok(serde_wasm_bindgen::from_value(value.into())?)
    }

    pub(crate) fn object<T: JsCast>(self, value: &Value) -> Result<T> {
        plain(value).map(JsCast::unchecked_into)
    }

    /// An error with these properties.
    #[inline(never)]
    pub fn error(self, message: &str, properties: &[(&'static str, Value)]) -> JsValue {
        let error = js_sys::Error::new(message);
        let properties = plain(&values::object(properties.iter().cloned()));
        properties.map_or_else(|fault| fault, |them| js_sys::Object::assign(&error, them.unchecked_ref()).into())
    }
}

/// A plain object, with `null` for none.
#[inline(never)]
fn plain(value: &Value) -> Result<JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}
