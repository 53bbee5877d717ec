//! Documents of a host that are no configuration: maps of known fields, read by their types.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::parse::{boolean, number};
use super::{InvalidValue, Value};
use crate::names::Named;

/// A type that a field of a document may have.
pub(crate) trait Read<'v>: Sized {
    /// Reads a value. An error names its place, such as `faults[0].effect.share`.
    fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue>;

    /// The value of a field that is left out or null, if it may be.
    fn missing() -> Option<Self> {
        None
    }
}

/// The fields of a map, with the place of the map in its document.
pub(crate) struct Fields<'v> {
    place: String,
    entries: &'v [(String, Value)],
}

impl<'v> Fields<'v> {
    /// The map called `name`. Errors name its fields without a place.
    pub fn of(name: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        Ok(Self { place: String::new(), ..Self::read(name, value)? })
    }

    /// Refuses every field that is not among these.
    pub fn only(self, known: &[&str]) -> Result<Self, InvalidValue> {
        match self.entries.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(self.refused(name, &format!("one of these fields: {}", known.join(", ")))),
            None => Ok(self),
        }
    }

    /// A field of any type.
    pub fn get<T: Read<'v>>(&self, name: &str) -> Result<T, InvalidValue> {
        let value = self.value(name);
        if matches!(value, Value::Null)
            && let Some(missing) = T::missing()
        {
            return Ok(missing);
        }
        T::read(&self.place_of(name), value)
    }

    /// A field of any type, or this value if it is left out.
    pub fn get_or<T: Read<'v>>(&self, name: &str, missing: T) -> Result<T, InvalidValue> {
        Ok(self.get::<Option<T>>(name)?.unwrap_or(missing))
    }

    /// The value of a field; [`Value::Null`] if it is left out.
    pub fn value(&self, name: &str) -> &'v Value {
        self.entries.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value)
    }

    pub fn refused(&self, name: &str, allowed: &str) -> InvalidValue {
        InvalidValue::new(&self.place_of(name), self.value(name), allowed)
    }

    fn place_of(&self, name: &str) -> String {
        if self.place.is_empty() { name.to_string() } else { format!("{}.{name}", self.place) }
    }
}

impl<'v> Read<'v> for Fields<'v> {
    fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        match value {
            Value::Map(entries) => Ok(Self { place: place.to_string(), entries }),
            _ => Err(InvalidValue::new(place, value, "an object")),
        }
    }
}

impl<'v, T: Named> Read<'v> for T {
    fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        value
            .as_text()
            .and_then(T::from_name)
            .ok_or_else(|| InvalidValue::new(place, value, &format!("one of: {}", T::NAMES.join(", "))))
    }
}

/// Types of one value, each with what is allowed and how it is read.
macro_rules! read_values {
    ($($type:ty: $allowed:literal, $parse:expr;)+) => {
        $(impl<'v> Read<'v> for $type {
            fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
                let parse: fn(&'v Value) -> Option<Self> = $parse;
                parse(value).ok_or_else(|| InvalidValue::new(place, value, $allowed))
            }
        })+
    };
}

read_values! {
    &'v Value: "present", Some;
    bool: "true or false", boolean;
    &'v str: "a text", Value::as_text;
    String: "a text", |value| value.as_text().map(Into::into);
    u64: "a whole number, at least 0", Value::as_whole;
    u32: "a whole number from 0 to 4294967295", |value| value.as_whole()?.try_into().ok();
    f64: "a number", |value| number(value, f64::MIN..=f64::MAX);
}

impl<'v, T: Read<'v>> Read<'v> for Option<T> {
    fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        T::read(place, value).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<'v, T: Read<'v>> Read<'v> for Vec<T> {
    fn read(place: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        let Value::List(values) = value else { return Err(InvalidValue::new(place, value, "a list")) };
        let mut read = Self::with_capacity(values.len());
        for (index, value) in values.iter().enumerate() {
            read.push(T::read(&format!("{place}[{index}]"), value)?);
        }
        Ok(read)
    }

    fn missing() -> Option<Self> {
        Some(Self::new())
    }
}
