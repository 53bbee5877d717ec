//! Values across the border. Names stay as the core spells them: `ts/names.ts` knows how JavaScript spells them.

use halfopen::{Durations, InvalidValue, Rejected, Value};
use wasm_bindgen::prelude::*;

// Declared here and not taken from `js-sys`, which brings an executor for futures that no one can strip.
#[wasm_bindgen]
extern "C" {
    /// JavaScript's `Array`.
    pub type Array;
    #[wasm_bindgen(constructor)]
    fn new() -> Array;
    #[wasm_bindgen(method)]
    fn push(this: &Array, item: &JsValue);
    #[wasm_bindgen(method, getter)]
    pub(crate) fn length(this: &Array) -> u32;
    #[wasm_bindgen(method, indexing_getter)]
    pub(crate) fn item(this: &Array, index: u32) -> JsValue;
}

/// A host's value as the core's. One of a type that no field takes has no text here: who refused it shows it.
pub(crate) fn value_of(value: &JsValue) -> Value {
    if value.is_null() {
        Value::Null
    } else if let Some(truth) = value.as_bool() {
        Value::Bool(truth)
    } else if let Some(number) = value.as_f64() {
        Value::Number(number)
    } else if let Some(text) = value.as_string() {
        Value::Text(text)
    } else {
        Value::Other(String::new())
    }
}

fn object_of(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Bool(truth) => (*truth).into(),
        Value::Whole(count) => (*count as f64).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) | Value::Other(text) => text.into(),
    }
}

/// The items of an array.
pub(crate) fn list(items: impl IntoIterator<Item = JsValue>) -> Array {
    let list = Array::new();
    for item in items {
        list.push(&item);
    }
    list
}

/// Names and values in turn.
pub(crate) fn flat(entries: impl Iterator<Item = (&'static str, Value)>) -> Array {
    list(entries.flat_map(|(name, value)| [name.into(), object_of(&value)]))
}

/// The outcome, the calls, all their seconds, and the bounds and counts of the buckets in turn.
pub(crate) fn histogram(outcome: &str, durations: &Durations) -> Array {
    let buckets = list(durations.cumulative().flat_map(|(bound, calls)| [bound.into(), (calls as f64).into()]));
    let (calls, seconds) = (durations.count() as f64, durations.total.as_secs_f64());
    list([outcome.into(), calls.into(), seconds.into(), buckets.into()])
}

/// Where a refusal crosses the border: the field, and what is allowed. The value never left the host.
pub(crate) fn refusal(error: &InvalidValue) -> Array {
    list([error.field().into(), error.allowed().into()])
}

/// Where a rejection crosses the border: reason, seconds to wait or null.
pub(crate) fn rejection(rejected: &Rejected) -> Array {
    let wait = rejected.retry_after.map(|wait| wait.as_secs_f64());
    list([rejected.reason.as_str().into(), object_of(&wait.into())])
}
