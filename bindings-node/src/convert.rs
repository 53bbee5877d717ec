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
    } else if env.is_array(value)? {
        structure_of(env, &env.items(value)?)?
    } else {
        Value::Other(String::new())
    })
}

/// A list or a map, told apart by the word that the TypeScript put before its items.
fn structure_of<'call>(env: Env<'call>, items: &[Js<'call>]) -> Option<Value> {
    let Some((first, items)) = items.split_first() else { return Some(Value::Other(String::new())) };
    let word = if env.type_of(*first)? == ValueType::napi_string { env.text_of(*first)? } else { String::new() };
    Some(match word.as_str() {
        "list" => Value::List(items.iter().map(|item| value_of(env, *item)).collect::<Option<_>>()?),
        "map" => {
            let entry = |pair: &[Js<'call>]| Some((env.text_of(pair[0])?, value_of(env, pair[1])?));
            Value::Map(items.chunks_exact(2).map(entry).collect::<Option<_>>()?)
        }
        _ => Value::Other(String::new()),
    })
}

pub(crate) fn object_of<'call>(env: Env<'call>, value: &Value) -> Option<Js<'call>> {
    match value {
        Value::Null => env.null(),
        Value::Bool(truth) => env.boolean(*truth),
        Value::Whole(count) => env.number(*count as f64),
        Value::Number(number) => env.number(*number),
        Value::Text(text) | Value::Other(text) => env.text(text),
        Value::List(values) => {
            env.list([env.text("list")].into_iter().chain(values.iter().map(|value| object_of(env, value))))
        }
        Value::Map(entries) => {
            let items = entries.iter().flat_map(|(name, value)| [env.text(name), object_of(env, value)]);
            env.list([env.text("map")].into_iter().chain(items))
        }
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

/// Null, or the refusal.
pub(crate) fn refused<'call>(env: Env<'call>, result: Result<(), InvalidValue>) -> Option<Js<'call>> {
    match result {
        Ok(()) => env.null(),
        Err(error) => refusal(env, &error),
    }
}

/// Where a refusal crosses the border: the field, what is allowed, and the value, which JavaScript
/// shows.
pub(crate) fn refusal<'call>(env: Env<'call>, error: &InvalidValue) -> Option<Js<'call>> {
    env.list([env.text(error.field()), env.text(error.allowed()), object_of(env, error.value())])
}

/// Where a rejection crosses the border: reason, seconds to wait or null.
pub(crate) fn rejection<'call>(env: Env<'call>, rejected: &Rejected) -> Option<Js<'call>> {
    let wait = rejected.retry_after.map(|wait| wait.as_secs_f64());
    env.list([env.text(rejected.reason.as_str()), object_of(env, &wait.into())])
}
