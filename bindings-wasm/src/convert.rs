//! Values on their way between JavaScript and core, by serde.

use halfopen::{InvalidValue, Value};
use halfopen_js::number;
use js_sys::{Error, Reflect};
use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// A value from the TypeScript, which has reduced the user's values to plain ones.
#[inline(never)]
pub(crate) fn from_js(value: JsValue) -> Result<Value, JsValue> {
    Ok(serde_wasm_bindgen::from_value(value)?)
}

/// A reading as a plain object, with `null` for none.
#[inline(never)]
pub(crate) fn to_js(value: &Value) -> Result<JsValue, JsValue> {
    Ok(value.serialize(&Serializer::json_compatible())?)
}

/// A refusal as an error with a `code` and the parts of the refusal as properties.
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
