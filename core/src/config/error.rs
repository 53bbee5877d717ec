//! The one error for every bad value that a host or a user gives.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use core::fmt;

use super::Value;
use crate::names::ErrorCode;

/// A value that was refused: which field, what was given, what is allowed.
///
/// Boxed, so that a function which may refuse hands little around when it does not.
#[derive(Clone, Debug, PartialEq)]
pub struct InvalidValue(Box<Refusal>);

#[derive(Clone, Debug, PartialEq)]
struct Refusal {
    field: String,
    value: Value,
    allowed: String,
}

impl InvalidValue {
    /// A refusal of `value` for `field`, where only `allowed` would do.
    pub fn new(field: &str, value: &Value, allowed: &str) -> Self {
        Self(Box::new(Refusal { field: field.to_string(), value: value.clone(), allowed: allowed.to_string() }))
    }

    /// `INVALID_VALUE`, the same in every language.
    pub const fn code(&self) -> &'static str {
        ErrorCode::InvalidValue.as_str()
    }

    /// The name of the field that was given a bad value.
    pub fn field(&self) -> &str {
        &self.0.field
    }

    /// The value as it was given; its `Display` is its short form.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// What would have been accepted.
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
