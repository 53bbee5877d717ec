//! The configuration: its fields, their defaults and their checks. Every default and every limit is defined here.

mod builder;
pub(crate) mod document;
mod error;
mod explain;
mod fields;
#[cfg(feature = "json")]
mod json;
pub(crate) mod parse;
mod rules;
pub(crate) mod schema;
#[cfg(feature = "serde")]
mod serde;
pub(crate) mod value;

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

pub use builder::ConfigBuilder;
pub use error::InvalidValue;
pub(crate) use explain::{counted, percent};
pub(crate) use parse::{is_wait, wait_argument};
pub use rules::{Rules, WindowShape};
pub(crate) use value::Value;

use crate::names::Spelling;

/// A checked configuration. Every value of this type is valid.
///
/// ```
/// use core::time::Duration;
///
/// use halfopen::Config;
///
/// let config = Config::builder().name("gemini").failure_threshold(3).timeout(Duration::from_secs(30)).build()?;
/// assert_eq!(config.name(), "gemini");
///
/// let error = Config::builder().timeout(Duration::ZERO).build().unwrap_err();
/// assert_eq!((error.code(), error.field()), ("INVALID_VALUE", "timeout_seconds"));
/// # Ok::<(), halfopen::InvalidValue>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    name: Arc<str>,
    rules: Rules,
}

impl Config {
    pub(crate) fn new(name: Arc<str>, rules: Rules) -> Self {
        Self { name, rules }
    }

    /// Starts from the defaults.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::new(Spelling::SnakeCase)
    }

    /// The circuit's name, `"default"` unless one was given.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.name)
    }

    /// The numbers by which the state machine decides.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The first field, in the order of the documentation, whose value differs from that of `other`.
    pub fn difference(&self, other: &Self) -> Option<&'static str> {
        if self == other {
            return None;
        }
        self.fields().zip(other.fields()).find(|(own, others)| own.1 != others.1).map(|((name, _), _)| name)
    }

    /// Every field with its value, in the order of the documentation.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        fields::FIELDS.iter().map(|field| (field.name, field.read(self)))
    }

    /// The value of the field called `name`, if there is such a field.
    pub(crate) fn field(&self, name: &str) -> Option<Value> {
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
