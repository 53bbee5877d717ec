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
    #[wasm_bindgen(static_method_of = Array, js_name = isArray)]
    fn is_array(value: &JsValue) -> bool;
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
    } else if Array::is_array(value) {
        structure_of(value.unchecked_ref())
    } else {
        Value::Other(String::new())
    }
}

/// A list or a map, told apart by the word that the TypeScript put before its items.
fn structure_of(array: &Array) -> Value {
    let items = |step| (1..array.length()).step_by(step);
    match array.item(0).as_string().as_deref() {
        Some("list") => Value::List(items(1).map(|index| value_of(&array.item(index))).collect()),
        Some("map") => {
            let name = |index| array.item(index).as_string().unwrap_or_default();
            Value::Map(items(2).map(|index| (name(index), value_of(&array.item(index + 1)))).collect())
        }
        _ => Value::Other(String::new()),
    }
}

pub(crate) fn object_of(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        Value::Bool(truth) => (*truth).into(),
        Value::Whole(count) => (*count as f64).into(),
        Value::Number(number) => (*number).into(),
        Value::Text(text) | Value::Other(text) => text.into(),
        Value::List(values) => list([JsValue::from("list")].into_iter().chain(values.iter().map(object_of))).into(),
        Value::Map(entries) => {
            let items = entries.iter().flat_map(|(name, value)| [name.into(), object_of(value)]);
            list([JsValue::from("map")].into_iter().chain(items)).into()
        }
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

/// Where a refusal crosses the border: the field, what is allowed, and the value. JavaScript shows
/// it: the formatting of numbers would be a third of the module.
pub(crate) fn refusal(error: &InvalidValue) -> Array {
    list([error.field().into(), error.allowed().into(), object_of(error.value())])
}

/// Null, or the refusal.
pub(crate) fn refused(result: Result<(), InvalidValue>) -> JsValue {
    result.map_or_else(|error| refusal(&error).into(), |()| JsValue::NULL)
}

/// Where a rejection crosses the border: reason, seconds to wait or null.
pub(crate) fn rejection(rejected: &Rejected) -> Array {
    let wait = rejected.retry_after.map(|wait| wait.as_secs_f64());
    list([rejected.reason.as_str().into(), object_of(&wait.into())])
}
