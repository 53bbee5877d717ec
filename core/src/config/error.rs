//! The one error for every bad value that a host or a user gives.

use alloc::string::{String, ToString};
use core::fmt;

use super::Value;

/// A value that was refused: which field, what was given, what is allowed.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidValue {
    field: String,
    value: Value,
    allowed: String,
}

impl InvalidValue {
    /// A refusal of `value` for `field`, where only `allowed` would do.
    pub fn new(field: &str, value: &Value, allowed: &str) -> Self {
        Self { field: field.to_string(), value: value.clone(), allowed: allowed.to_string() }
    }

    /// `INVALID_VALUE`, the same in every language.
    pub const fn code(&self) -> &'static str {
        "INVALID_VALUE"
    }

    /// The name of the field that was given a bad value.
    pub fn field(&self) -> &str {
        &self.field
    }

    /// The value as it was given; its `Display` is its short form.
    pub const fn value(&self) -> &Value {
        &self.value
    }

    /// What would have been accepted.
    pub fn allowed(&self) -> &str {
        &self.allowed
    }
}

impl fmt::Display for InvalidValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {} is refused: allowed is {}", self.field, self.value, self.allowed)
    }
}

impl core::error::Error for InvalidValue {}
