//! Documents that are no configuration, such as snapshots, pools and scenarios: maps of known fields, read by their types.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::ops::RangeInclusive;

use super::parse::{boolean, count, number};
use super::{InvalidValue, Value};
use crate::names::Named;

/// A type that a field of a document may have.
pub(crate) trait Read<'v>: Sized {
    /// Reads a value. An error names its place.
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue>;

    /// The value of a field that is left out or null, if it may be.
    fn missing() -> Option<Self> {
        None
    }
}

/// The path to a value in its document, such as `faults[0].effect.share`. Only errors format it.
#[derive(Clone, Copy)]
pub(crate) struct Place<'p> {
    outer: Option<&'p Place<'p>>,
    name: &'p str,
    index: Option<usize>,
}

impl<'p> Place<'p> {
    /// The place of a document.
    pub const fn of(name: &'p str) -> Self {
        Self { outer: None, name, index: None }
    }

    /// The place of the item at `index` of the list at this place.
    pub const fn item(self, index: usize) -> Self {
        Self { index: Some(index), ..self }
    }

    pub fn refused(&self, value: &Value, allowed: &str) -> InvalidValue {
        InvalidValue::new(&self.to_string(), value, allowed)
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(outer) = self.outer {
            write!(f, "{outer}.")?;
        }
        f.write_str(self.name)?;
        self.index.map_or(Ok(()), |index| write!(f, "[{index}]"))
    }
}

/// The fields of a map.
pub(crate) struct Fields<'p, 'v> {
    /// `None` if errors name the fields of the document without its own name.
    place: Option<Place<'p>>,
    entries: &'v [(String, Value)],
}

impl<'p, 'v> Fields<'p, 'v> {
    /// The map at this place.
    pub fn at(place: &Place<'p>, value: &'v Value) -> Result<Self, InvalidValue> {
        match value {
            Value::Map(entries) => Ok(Self { place: Some(*place), entries }),
            _ => Err(place.refused(value, "an object")),
        }
    }

    /// The document called `name`. Errors name its fields without it.
    pub fn of(name: &'p str, value: &'v Value) -> Result<Self, InvalidValue> {
        Ok(Self { place: None, ..Self::at(&Place::of(name), value)? })
    }

    /// Refuses every field that is not among these, or is given twice.
    pub fn only(self, known: &[&str]) -> Result<Self, InvalidValue> {
        for (index, (name, value)) in self.entries.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                let allowed = format!("one of these fields: {}", known.join(", "));
                return Err(self.place_of(name).refused(value, &allowed));
            }
            if self.entries[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(self.place_of(name).refused(value, "given once"));
            }
        }
        Ok(self)
    }

    /// Refuses a map that lacks one of these fields, or has others, or one twice.
    pub fn all(self, known: &[&str]) -> Result<Self, InvalidValue> {
        match known.iter().find(|name| self.entries.iter().all(|(given, _)| given != **name)) {
            Some(missing) => Err(self.refused(missing, "present")),
            None => self.only(known),
        }
    }

    /// A field that is a map.
    pub fn map<'s>(&'s self, name: &'s str) -> Result<Fields<'s, 'v>, InvalidValue> {
        Fields::at(&self.place_of(name), self.value(name))
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

    /// A whole number in `range`.
    pub fn whole(&self, name: &str, range: RangeInclusive<u64>) -> Result<u64, InvalidValue> {
        let allowed = || format!("a whole number from {} to {}", range.start(), range.end());
        count(self.value(name), range.clone()).ok_or_else(|| self.refused(name, &allowed()))
    }

    /// The value of a field; [`Value::Null`] if it is left out.
    pub fn value(&self, name: &str) -> &'v Value {
        self.entries.iter().find(|(known, _)| known == name).map_or(&Value::Null, |(_, value)| value)
    }

    pub fn refused(&self, name: &str, allowed: &str) -> InvalidValue {
        self.place_of(name).refused(self.value(name), allowed)
    }

    /// The place of a field.
    pub fn place_of<'s>(&'s self, name: &'s str) -> Place<'s> {
        Place { outer: self.place.as_ref(), name, index: None }
    }
}

/// Reads a struct from the entries that have the names of its fields. A field with `=` may be left out, and then has
/// the value behind it.
macro_rules! read_fields {
    ($fields:expr, $($type:ident)::+ $([$kind:literal])? { $($field:ident $(= $missing:expr)?),* $(,)? }) => {{
        #[allow(unused_variables, reason = "a kind may have no fields")]
        let fields = $fields.only(&[$($kind,)? $(stringify!($field)),*])?;
        Ok($($type)::+ { $($field: read_fields!(@ fields $field $($missing)?)),* })
    }};
    (@ $fields:ident $field:ident) => { $fields.get(stringify!($field))? };
    (@ $fields:ident $field:ident $missing:expr) => { $fields.get_or(stringify!($field), $missing)? };
}
pub(crate) use read_fields;

impl<'v, T: Named> Read<'v> for T {
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
        let refused = || place.refused(value, &format!("one of: {}", T::NAMES.join(", ")));
        value.as_text().and_then(T::from_name).ok_or_else(refused)
    }
}

/// Types of one value, each with what is allowed and how it is read.
macro_rules! read_values {
    ($($type:ty: $allowed:literal, $parse:expr;)+) => {
        $(impl<'v> Read<'v> for $type {
            fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
                let parse: fn(&'v Value) -> Option<Self> = $parse;
                parse(value).ok_or_else(|| place.refused(value, $allowed))
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
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
        T::read(place, value).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }
}

impl<'v> Read<'v> for &'v [Value] {
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
        if let Value::List(values) = value { Ok(values) } else { Err(place.refused(value, "a list")) }
    }

    fn missing() -> Option<Self> {
        Some(&[])
    }
}

impl<'v, T: Read<'v>> Read<'v> for Vec<T> {
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
        let values = <&[Value]>::read(place, value)?.iter().enumerate();
        values.map(|(index, value)| T::read(&place.item(index), value)).collect()
    }

    fn missing() -> Option<Self> {
        Some(Self::new())
    }
}
