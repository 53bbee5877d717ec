//! Reading the fields of a document.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

use super::parse::{boolean, number};
use super::{InvalidValue, Value};

/// The fields of a map, of which no other is allowed.
pub(crate) struct Fields<'v>(&'v [(String, Value)]);

impl<'v> Fields<'v> {
    pub fn of(field: &str, value: &'v Value, known: &[&str]) -> Result<Self, InvalidValue> {
        let Value::Map(entries) = value else { return Err(InvalidValue::new(field, value, "an object")) };
        match entries.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((unknown, value)) => {
                Err(InvalidValue::new(unknown, value, &format!("one of these fields: {}", known.join(", "))))
            }
            None => Ok(Self(entries)),
        }
    }

    /// The value of a field; [`Value::Null`] if it is left out.
    pub fn get(&self, name: &str) -> &'v Value {
        self.0.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value)
    }

    fn read<T>(
        &self,
        name: &str,
        allowed: &str,
        parse: impl FnOnce(&'v Value) -> Option<T>,
    ) -> Result<Option<T>, InvalidValue> {
        let value = self.get(name);
        if *value == Value::Null {
            return Ok(None);
        }
        parse(value).map(Some).ok_or_else(|| InvalidValue::new(name, value, allowed))
    }

    pub fn count(&self, name: &str) -> Result<Option<u64>, InvalidValue> {
        self.read(name, "a whole number, at least 0", Value::as_whole)
    }

    pub fn number(&self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, InvalidValue> {
        let allowed = format!("a number from {} to {}", range.start(), range.end());
        self.read(name, &allowed, |value| number(value, range))
    }

    pub fn flag(&self, name: &str, default: bool) -> Result<bool, InvalidValue> {
        Ok(self.read(name, "true or false", boolean)?.unwrap_or(default))
    }

    pub fn text(&self, name: &str) -> Result<Option<&'v str>, InvalidValue> {
        self.read(name, "a text", |value| if let Value::Text(text) = value { Some(text.as_str()) } else { None })
    }

    pub fn list(&self, name: &str) -> Result<&'v [Value], InvalidValue> {
        let list = |value: &'v Value| if let Value::List(list) = value { Some(list.as_slice()) } else { None };
        Ok(self.read(name, "a list", list)?.unwrap_or_default())
    }

    pub fn texts(&self, name: &str) -> Result<Vec<String>, InvalidValue> {
        let text = |value: &Value| if let Value::Text(text) = value { Some(text.clone()) } else { None };
        let texts: Option<Vec<String>> = self.list(name)?.iter().map(text).collect();
        texts.ok_or_else(|| InvalidValue::new(name, self.get(name), "a list of texts"))
    }

    /// One of the values of an enumeration.
    pub fn named<T: Copy>(&self, name: &str, all: &[T], names: &[&str], default: T) -> Result<T, InvalidValue> {
        let position = |value: &Value| {
            let Value::Text(text) = value else { return None };
            names.iter().position(|known| known == text)
        };
        let at = self.read(name, &format!("one of: {}", names.join(", ")), position)?;
        Ok(at.map_or(default, |at| all[at]))
    }
}
