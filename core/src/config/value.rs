//! A dynamic value: a field, an argument or a document from a host, before it is checked.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use crate::clock::Tick;

/// A dynamic value: everything that JSON can express, and a description of any other value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`, `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number from 0. JavaScript has only one kind of number, so a host may pass a count as [`Number`](Self::Number).
    Uint(u64),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// Named values: a dictionary, an object.
    Map(Vec<(String, Value)>),
    /// A list.
    List(Vec<Value>),
    /// A value of a type that no field accepts, as its host prints it.
    Other(String),
}

impl Value {
    /// The value under a name, if this is a map.
    pub(crate) fn entry(&self, name: &str) -> Option<&Self> {
        let Self::Map(entries) = self else { return None };
        entries.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The names in a map.
    pub(crate) fn names(&self) -> Vec<&str> {
        if let Self::Map(entries) = self { entries.iter().map(|(name, _)| name.as_str()).collect() } else { Vec::new() }
    }

    /// The value as a text, if it is one.
    pub(crate) fn as_text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// The value as a count, if it is a whole number.
    pub(crate) fn as_whole(&self) -> Option<u64> {
        match *self {
            Self::Uint(count) => Some(count),
            // `as` changes a negative number, a fraction and NaN, so these do not compare equal. It saturates at a number
            // that is 2^64 as a double.
            Self::Number(number) if (number as u64) as f64 == number && number < u64::MAX as f64 => Some(number as u64),
            _ => None,
        }
    }
}

/// An error message shows at most this many characters of a value.
const SHOWN_CHARS: usize = 80;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(boolean) => boolean.fmt(f),
            Self::Uint(count) => count.fmt(f),
            // The decimal form of 1e300 has three hundred digits.
            Self::Number(number) if (1e-5..1e16).contains(&number.abs()) || *number == 0.0 => number.fmt(f),
            Self::Number(number) => write!(f, "{number:?}"),
            Self::Text(text) => write!(f, "{:?}", shortened(text)),
            Self::Map(entries) => {
                let shown: Vec<_> = entries.iter().map(|(name, value)| alloc::format!("{name:?}: {value}")).collect();
                write!(f, "{{{}}}", shortened(&shown.join(", ")))
            }
            Self::List(values) => {
                let shown: Vec<_> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", shortened(&shown.join(", ")))
            }
            Self::Other(shown) => f.write_str(&shortened(shown)),
        }
    }
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        None => text.to_string(),
        Some((end, _)) => text[..end].to_string() + "…",
    }
}

macro_rules! value_from {
    ($($type:ty => $variant:ident),+ $(,)?) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

value_from!(bool => Bool, u8 => Uint, u16 => Uint, u32 => Uint, u64 => Uint, f64 => Number, &str => Text, String => Text);

impl<N: Into<String>> FromIterator<(N, Value)> for Value {
    fn from_iter<I: IntoIterator<Item = (N, Self)>>(entries: I) -> Self {
        Self::Map(entries.into_iter().map(|(name, value)| (name.into(), value)).collect())
    }
}

/// In seconds.
impl From<Duration> for Value {
    fn from(duration: Duration) -> Self {
        Self::Number(duration.as_secs_f64())
    }
}

/// In seconds from the clock's origin.
impl From<Tick> for Value {
    fn from(moment: Tick) -> Self {
        Self::Number(moment.as_seconds())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_shown_in_few_characters() {
        let shown = |number: f64| Value::from(number).to_string();
        assert_eq!((shown(-1.0), shown(0.0), shown(2.5)), ("-1".into(), "0".into(), "2.5".into()));
        assert_eq!((shown(1e300), shown(5e-324), shown(f64::NAN)), ("1e300".into(), "5e-324".into(), "NaN".into()));
    }

    #[test]
    fn a_long_value_is_shown_truncated() {
        let (most, more) = ("é".repeat(80), "é".repeat(81));
        let shown = |text: &str| Value::Other(text.into()).to_string();
        assert_eq!((shown(&most), shown(&more)), (most.clone(), most + "…"));
    }
}
