//! The error for every value that is not allowed.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use super::Value;
use crate::names::ErrorCode;

/// A value that is not allowed: the field, the value, and what is allowed.
///
/// Boxed, so that a `Result` with this error stays small.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidValue(Box<Refusal>);

#[derive(Clone, Debug, PartialEq)]
struct Refusal {
    field: String,
    value: Value,
    allowed: String,
}

impl InvalidValue {
    /// An error about `value` for `field`; `allowed` says what is accepted.
    pub fn new(field: &str, value: &Value, allowed: &str) -> Self {
        Self(Box::new(Refusal { field: field.to_string(), value: value.clone(), allowed: allowed.to_string() }))
    }

    /// `INVALID_VALUE`, the same in every language.
    pub const fn code(&self) -> &'static str {
        ErrorCode::InvalidValue.as_str()
    }

    /// The name of the field.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// The value as it was given. Its `Display` shortens long values.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// The accepted values.
    pub fn allowed(&self) -> &str {
        &self.0.allowed
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is refused: allowed is {}", self.0.field, self.0.value, self.0.allowed)
    }
}

impl core::error::Error for InvalidValue {}
