//! The table of fields as a JSON Schema, for hosts that describe their interfaces with one.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::fields::{CALLS, FIELDS, Field, Place, SMALL, STREAKS};
use super::parse::{NAME_CHARS, RATES, YEAR};
use super::{Config, Value, WindowShape};
use crate::names::Spelling;

type Entries = Vec<(String, Value)>;

/// See [`host::config_schema`](crate::host::config_schema).
pub(crate) fn json_schema() -> Value {
    let mut default = Config::default();
    let mut properties = Entries::new();
    for field in FIELDS {
        properties.push((field.name.to_string(), Value::Map(field.schema(&mut default))));
    }
    Value::Map(closed_object(properties))
}

impl Field {
    fn schema(&self, default: &mut Config) -> Entries {
        let own = self.read(default);
        let mut schema = match (self.place)(default) {
            Place::Name(_) => entries([
                ("type", "string".into()),
                ("minLength", Value::Uint(1)),
                ("maxLength", Value::Uint(NAME_CHARS)),
            ]),
            Place::Streak(_) => or_none(whole(STREAKS)),
            Place::Small(_) => whole(SMALL),
            Place::Calls(_) => whole(CALLS),
            Place::Wait(_) => above_zero(Some(YEAR.as_secs_f64())),
            Place::Seconds(_) => or_none(above_zero(None)),
            Place::Rate(_) => or_none(above_zero(Some(*RATES.end()))),
            Place::Number(_, range) => entries([
                ("type", "number".into()),
                ("minimum", Value::Number(*range.start())),
                ("maximum", Value::Number(*range.end())),
            ]),
            Place::Shape(_) => any_of([shape("calls", WindowShape::CALLS), shape("seconds", WindowShape::SECONDS)]),
            Place::Boolean(_) => entries([("type", "boolean".into())]),
        };
        let text = format!("{}. Allowed: {}.", self.meaning, self.allowed);
        schema.extend(entries([("default", own), ("description", Value::Text(Spelling::SnakeCase.text(&text)))]));
        schema
    }
}

fn entries<const N: usize>(named: [(&str, Value); N]) -> Entries {
    named.map(|(name, value)| (name.to_string(), value)).into()
}

fn whole(range: RangeInclusive<u64>) -> Entries {
    let mut schema = entries([("type", "integer".into()), ("minimum", Value::Uint(*range.start()))]);
    if *range.end() < u64::MAX {
        schema.extend(entries([("maximum", Value::Uint(*range.end()))]));
    }
    schema
}

fn above_zero(most: Option<f64>) -> Entries {
    let mut schema = entries([("type", "number".into()), ("exclusiveMinimum", Value::Uint(0))]);
    schema.extend(most.map(|most| ("maximum".to_string(), Value::Number(most))));
    schema
}

fn or_none(schema: Entries) -> Entries {
    any_of([schema, entries([("type", "null".into())])])
}

fn any_of<const N: usize>(schemas: [Entries; N]) -> Entries {
    entries([("anyOf", Value::List(schemas.map(Value::Map).into()))])
}

/// An object whose one member is a count.
fn shape(name: &str, range: RangeInclusive<u64>) -> Entries {
    let mut schema = closed_object(entries([(name, Value::Map(whole(range)))]));
    schema.extend(entries([("required", Value::List(Vec::from([name.into()])))]));
    schema
}

fn closed_object(properties: Entries) -> Entries {
    entries([("type", "object".into()), ("properties", Value::Map(properties)), ("additionalProperties", false.into())])
}
