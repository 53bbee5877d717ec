//! Conversion of values and errors, which differs between the two hosts.

#[cfg(not(target_family = "wasm"))]
mod node;
#[cfg(target_family = "wasm")]
mod wasm;

use halfopen::{Config, InvalidValue};

use crate::values;

#[cfg(not(target_family = "wasm"))]
pub use node::{Durations, EffectiveConfig, Events, Host, Plain, Result, Status};
#[cfg(target_family = "wasm")]
pub use wasm::{Durations, EffectiveConfig, Events, Host, Plain, Result, Status};

impl Host {
    /// A configuration from an object whose fields are named in camelCase.
    ///
    /// # Errors
    /// An error with the code `INVALID_VALUE` for the first field that is bad or unknown.
    pub fn config(self, object: Plain) -> Result<Config> {
        self.checked(values::config(&self.value(object)?))
    }

    /// Throws a refusal of the core as an error with its parts as properties.
    pub(crate) fn checked<T>(self, result: std::result::Result<T, InvalidValue>) -> Result<T> {
        result.map_err(|refused| {
            let properties = [
                ("code", refused.code().into()),
                ("field", refused.field().into()),
                ("value", refused.value().clone()),
                ("allowed", refused.allowed().into()),
            ];
            self.error(refused.allowed(), &properties)
        })
    }
}
