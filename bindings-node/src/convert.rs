//! Values across the border. Names stay as the core spells them: the shared TypeScript knows how JavaScript spells
//! them.

use halfopen::{Durations, InvalidValue, Rejected, Value};
use napi_sys::ValueType;

use crate::js::{Env, Js};

/// A host's value as the core's. One of a type that no field takes has no text here: who refused it shows it.
pub(crate) fn value_of<'call>(env: Env<'call>, value: Js<'call>) -> Option<Value> {
    let kind = env.type_of(value)?;
    Some(if kind == ValueType::napi_null {
        Value::Null
    } else if kind == ValueType::napi_boolean {
        Value::Bool(env.boolean_of(value)?)
    } else if kind == ValueType::napi_number {
        Value::Number(env.number_of(value)?)
    } else if kind == ValueType::napi_string {
        Value::Text(env.text_of(value)?)
    } else {
        Value::Other(String::new())
    })
}

fn object_of<'call>(env: Env<'call>, value: &Value) -> Option<Js<'call>> {
    match value {
        Value::Null => env.null(),
        Value::Bool(truth) => env.boolean(*truth),
        Value::Whole(count) => env.number(*count as f64),
        Value::Number(number) => env.number(*number),
        Value::Text(text) | Value::Other(text) => env.text(text),
    }
}

/// Names and values in turn.
pub(crate) fn flat<'call>(env: Env<'call>, entries: impl Iterator<Item = (&'static str, Value)>) -> Option<Js<'call>> {
    env.list(entries.flat_map(|(name, value)| [env.text(name), object_of(env, &value)]))
}

/// The outcome, the calls, all their seconds, and the bounds and counts of the buckets in turn.
pub(crate) fn histogram<'call>(env: Env<'call>, outcome: &str, durations: &Durations) -> Option<Js<'call>> {
    let buckets =
        env.list(durations.cumulative().flat_map(|(bound, calls)| [env.number(bound), env.number(calls as f64)]));
    let (calls, seconds) = (durations.count() as f64, durations.total.as_secs_f64());
    env.list([env.text(outcome), env.number(calls), env.number(seconds), buckets])
}

/// Where a refusal crosses the border: the field, and what is allowed. The value never left the host.
pub(crate) fn refusal<'call>(env: Env<'call>, error: &InvalidValue) -> Option<Js<'call>> {
    env.list([env.text(error.field()), env.text(error.allowed())])
}

/// Where a rejection crosses the border: reason, seconds to wait or null.
pub(crate) fn rejection<'call>(env: Env<'call>, rejected: &Rejected) -> Option<Js<'call>> {
    let wait = rejected.retry_after.map(|wait| wait.as_secs_f64());
    env.list([env.text(rejected.reason.as_str()), object_of(env, &wait.into())])
}
