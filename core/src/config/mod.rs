//! The configuration: its fields, their defaults and their checks. No default and no limit stands anywhere else.

mod builder;
mod error;
mod fields;
#[cfg(feature = "json")]
mod json;
mod parse;
mod rules;
mod schema;
#[cfg(feature = "serde")]
mod serde;
mod value;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use builder::ConfigBuilder;
pub use error::InvalidValue;
pub(crate) use parse::{
    bound_argument, hint_argument, is_wait, outcome_argument, seconds_argument, share_argument, wait_argument,
};
pub use rules::{Rules, WindowShape};
pub use value::Value;

use crate::names::Spelling;

/// A checked configuration. Every value of this type is valid.
///
/// ```
/// use halfopen::Config;
///
/// let config = Config::builder().name("gemini").failure_threshold(3).timeout_seconds(30.0).build()?;
/// assert_eq!(config.name(), "gemini");
///
/// let error = Config::builder().timeout_seconds(-1.0).build().unwrap_err();
/// assert_eq!((error.code(), error.field()), ("INVALID_VALUE", "timeout_seconds"));
/// # Ok::<(), halfopen::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    name: Arc<str>,
    rules: Rules,
}

impl Config {
    /// Starts from the defaults.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Spelling::SnakeCase)
    }

    /// A configuration from named fields, as [`entries`](Self::entries) lists them; fields that are left out keep their
    /// defaults.
    ///
    /// # Errors
    /// [`InvalidValue`] for the first field that is bad, unknown or given twice, or naming `config` where `document` is no
    /// [`Value::Map`].
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        Self::from_value_spelled(document, Spelling::SnakeCase)
    }

    /// The same from fields whose names are in the host's spelling, as are those in an error.
    ///
    /// # Errors
    /// As [`from_value`](Self::from_value).
    pub fn from_value_spelled(document: &Value, spelling: Spelling) -> Result<Self, InvalidValue> {
        let Value::Map(fields) = document else {
            return Err(InvalidValue::new("config", document, "an object"));
        };
        let mut builder = ConfigBuilder::new(spelling);
        for (at, (name, value)) in fields.iter().enumerate() {
            if fields[..at].iter().any(|(known, _)| known == name) {
                return Err(InvalidValue::new(name, value, "given once"));
            }
            builder.try_set(name, value)?;
        }
        builder.build()
    }

    /// Checks a name that a host gives to something else than the circuit (a provider, say), under the rule of `name`.
    ///
    /// # Errors
    /// [`InvalidValue`] naming `field`, for what is not 1 to 128 printable characters.
    pub fn check_name(field: &str, value: &Value) -> Result<(), InvalidValue> {
        parse::check_name(field, value)
    }

    /// The circuit's name, `"default"` unless one was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name to share.
    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The numbers that the machine decides by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The same numbers under the name of another.
    pub(crate) fn renamed(self, other: &Self) -> Self {
        Self { name: other.shared_name(), ..self }
    }

    /// The first field, in the order of the documentation, whose value differs from that of `other`.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        if self == other {
            return None;
        }
        self.entries().zip(other.entries()).find(|(own, others)| own.1 != others.1).map(|((name, _), _)| name)
    }

    /// Every field with its value, in the order of the documentation: what a host shows or serialises.
    pub fn entries(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        fields::FIELDS.iter().map(|field| (field.name, field.read(self)))
    }

    /// The value of the field called `name`, where there is such a field.
    pub fn entry(&self, name: &str) -> Option<Value> {
        fields::find(name, Spelling::SnakeCase).map(|field| field.read(self))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self { name: Arc::from("default"), rules: Rules::DEFAULT }
    }
}

/// The names of all fields, for a message.
fn known_fields(spelling: Spelling) -> String {
    let names: Vec<String> = fields::FIELDS.iter().map(|field| spelling.name(field.name)).collect();
    names.join(", ")
}
