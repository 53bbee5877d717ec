//! Values, by serde.

use halfopen::{InvalidValue, Value};
use halfopen_js::number;
use js_sys::{Error, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// What the host hands in: plain values, which the TypeScript has made of whatever its caller gave.
#[inline(never)]
pub(crate) fn from_js(value: JsValue) -> Result<Value, JsValue> {
    Ok(serde_wasm_bindgen::from_value(value)?)
}

/// What the host is told: plain objects, `null` for nothing.
#[inline(never)]
pub(crate) fn to_js(value: &Value) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// The host's error for a value that was refused.
#[inline(never)]
pub(crate) fn refusal(refused: InvalidValue) -> JsValue {
    let error = Error::new(refused.allowed());
    let value = to_js(&number(refused.value().clone())).unwrap_or_default();
    let parts = [
        ("code", refused.code().into()),
        ("field", refused.field().into()),
        ("value", value),
        ("allowed", refused.allowed().into()),
    ];
    for (name, part) in parts {
        // A new error takes any property.
        let _ = Reflect::set(&error, &name.into(), &part);
    }
    error.into()
}
