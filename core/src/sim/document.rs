//! Reading documents whose errors name the place of the value: `faults[0].effect.share`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::config::{InvalidValue, Value};

/// An object of a document, with its place in it.
pub(super) struct Object<'v> {
    at: String,
    value: &'v Value,
    entries: &'v [(String, Value)],
}

impl<'v> Object<'v> {
    /// `at` is empty for the document itself, which errors call `name`.
    pub(super) fn of(at: &str, name: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        match value {
            Value::Map(entries) => Ok(Self { at: at.to_string(), value, entries }),
            _ => Err(InvalidValue::new(name, value, "an object")),
        }
    }

    /// Refuses every field that is not among these.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, InvalidValue> {
        match self.entries.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, value)) => {
                Err(InvalidValue::new(&self.place(name), value, &format!("one of these fields: {}", known.join(", "))))
            }
            None => Ok(self),
        }
    }

    /// The value of a field; [`Value::Null`] if it is left out.
    pub(super) fn get(&self, name: &str) -> &'v Value {
        self.value.entry(name).unwrap_or(&Value::Null)
    }

    fn place(&self, name: &str) -> String {
        if self.at.is_empty() { name.to_string() } else { format!("{}.{name}", self.at) }
    }

    pub(super) fn refused(&self, name: &str, allowed: &str) -> InvalidValue {
        InvalidValue::new(&self.place(name), self.get(name), allowed)
    }

    /// A number, or this one if it is left out. Its range is checked later.
    pub(super) fn number_or(&self, name: &str, missing: f64) -> Result<f64, InvalidValue> {
        if *self.get(name) == Value::Null { Ok(missing) } else { self.number(name) }
    }

    pub(super) fn number(&self, name: &str) -> Result<f64, InvalidValue> {
        match *self.get(name) {
            Value::Number(number) => Ok(number),
            Value::Uint(count) => Ok(count as f64),
            _ => Err(self.refused(name, "a number")),
        }
    }

    pub(super) fn optional(&self, name: &str) -> Result<Option<f64>, InvalidValue> {
        if *self.get(name) == Value::Null { Ok(None) } else { self.number(name).map(Some) }
    }

    /// A whole number, or this one if it is left out.
    pub(super) fn whole_or(&self, name: &str, missing: u64) -> Result<u64, InvalidValue> {
        match self.get(name) {
            Value::Null => Ok(missing),
            value => value.as_whole().ok_or_else(|| self.refused(name, "a whole number, at least 0")),
        }
    }

    /// The same in 32 bits; a larger number is refused later by its range, as the largest one.
    pub(super) fn count_or(&self, name: &str, missing: u32) -> Result<u32, InvalidValue> {
        let count = self.whole_or(name, missing.into())?;
        Ok(u32::try_from(count).unwrap_or(u32::MAX))
    }

    pub(super) fn count(&self, name: &str) -> Result<u32, InvalidValue> {
        if *self.get(name) == Value::Null { Err(self.refused(name, "a whole number")) } else { self.count_or(name, 0) }
    }

    pub(super) fn text_or(&self, name: &str, missing: &'v str) -> Result<&'v str, InvalidValue> {
        match self.get(name) {
            Value::Null => Ok(missing),
            Value::Text(text) => Ok(text),
            _ => Err(self.refused(name, "a text")),
        }
    }

    pub(super) fn text(&self, name: &str) -> Result<&'v str, InvalidValue> {
        match self.get(name) {
            Value::Text(text) => Ok(text),
            _ => Err(self.refused(name, "a text")),
        }
    }

    /// One of these names, by its index.
    pub(super) fn named(&self, name: &str, names: &[&str]) -> Result<usize, InvalidValue> {
        let found = match self.get(name) {
            Value::Text(text) => names.iter().position(|known| known == text),
            _ => None,
        };
        found.ok_or_else(|| self.refused(name, &format!("one of: {}", names.join(", "))))
    }

    pub(super) fn object(&self, name: &str) -> Result<Self, InvalidValue> {
        let place = self.place(name);
        Self::of(&place, &place, self.get(name))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        *self.get(name) != Value::Null
    }

    /// The objects of a list; none if it is left out.
    pub(super) fn objects(&self, name: &str) -> Result<Vec<Self>, InvalidValue> {
        let list = match self.get(name) {
            Value::Null => return Ok(Vec::new()),
            Value::List(list) => list,
            _ => return Err(self.refused(name, "a list")),
        };
        let mut objects = Vec::with_capacity(list.len());
        for (index, value) in list.iter().enumerate() {
            let place = format!("{}[{index}]", self.place(name));
            objects.push(Self::of(&place, &place, value)?);
        }
        Ok(objects)
    }
}
