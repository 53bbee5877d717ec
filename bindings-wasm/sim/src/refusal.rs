//! The core's refusals as errors of JavaScript.

use halfopen::InvalidValue;
use js_sys::{Error, Reflect};
use wasm_bindgen::prelude::*;

pub type Result<T> = core::result::Result<T, JsValue>;

/// An `Error` with the core's message, and with `field` and `allowed`.
pub fn refused(refusal: InvalidValue) -> JsValue {
    let error = Error::new(&refusal.to_string());
    for (name, text) in [("field", refusal.field()), ("allowed", refusal.allowed()), ("code", refusal.code())] {
        // A new object takes any property.
        let _ = Reflect::set(&error, &name.into(), &text.into());
    }
    error.into()
}
