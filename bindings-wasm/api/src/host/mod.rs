//! Conversion of values and errors, which differs between the two hosts.

#[cfg(not(target_family = "wasm"))]
mod node;
#[cfg(target_family = "wasm")]
mod wasm;

use halfopen::Config;
use halfopen::host::{Entries, Spelling, config_from};

use crate::values;

#[cfg(not(target_family = "wasm"))]
pub use node::{Host, Plain, Result};
#[cfg(target_family = "wasm")]
pub use wasm::{Host, Plain, Result};

impl Host {
    /// A configuration from an object whose fields are named in camelCase.
    ///
    /// # Errors
    /// An error of the core for the first field that is bad or unknown.
    pub fn config(self, object: Plain) -> Result<Config> {
        self.checked(config_from(&self.value(object)?, Spelling::CamelCase))
    }

    /// Throws an error whose cause has the parts of the core's error. The TypeScript makes its own error of them.
    ///
    /// # Errors
    /// The error that is thrown.
    pub fn checked<T>(self, result: std::result::Result<T, impl Entries>) -> Result<T> {
        match result {
            Ok(value) => Ok(value),
            Err(error) => Err(self.error(&values::object(error.entries()))?),
        }
    }
}
