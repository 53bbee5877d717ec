//! A value as it comes from a host, before it is known to be any good.

use alloc::string::{String, ToString};
use core::fmt;

/// A field's value in any language: what JSON can say, and a description of everything else.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing: `None`, `null`.
    Null,
    /// A truth value.
    Bool(bool),
    /// A number; whole numbers too, as JavaScript knows no difference.
    Number(f64),
    /// A text.
    Text(String),
    /// A value of a type that no field takes, as its host would print it.
    Other(String),
}

/// The longest text that an error message repeats.
const SHOWN_CHARS: usize = 80;

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(truth) => truth.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => write!(f, "{:?}", shortened(text)),
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

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Bool(truth)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u8> for Value {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_string())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}
