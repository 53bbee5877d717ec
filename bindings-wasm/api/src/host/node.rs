//! Values and errors on their way between JavaScript and the addon, by serde.

use halfopen::control::Jitter;
use halfopen::host::Value;
use napi::bindgen_prelude::{Env, Error, JsValue, Object, Unknown};

use crate::values;

pub use napi::bindgen_prelude::Result;

/// A value that the TypeScript has reduced to a plain one.
pub type Plain<'env> = Unknown<'env>;
/// A status.
pub type Status<'env> = Unknown<'env>;
/// A configuration in force.
pub type EffectiveConfig<'env> = Unknown<'env>;
/// Events.
pub type Events<'env> = Unknown<'env>;
/// The histograms.
pub type Durations<'env> = Unknown<'env>;

/// The environment that a breaker lives in: the main thread of Node or a worker.
#[derive(Clone, Copy)]
pub struct Host(Env);

impl Host {
    /// The host of a value.
    pub fn of(value: &Plain<'_>) -> Self {
        Self(Env::from(value.value().env))
    }

    pub(crate) fn jitter() -> Jitter {
        halfopen::host::random_jitter()
    }

    /// A value of the host.
    pub(crate) fn value(self, value: Plain<'_>) -> Result<Value> {
        self.0.from_js_value(value)
    }

    /// A plain object. All its numbers are doubles, because napi would turn a large count into a `bigint`.
    pub(crate) fn object<'env>(self, value: &Value) -> Result<Unknown<'env>> {
        self.0.to_js_value(value)
    }

    /// An error with these properties.
    pub fn error(self, message: &str, properties: &[(&'static str, Value)]) -> Error {
        let made = self.0.create_error(Error::from_reason(message)).and_then(|mut error: Object<'_>| {
            if let Value::Map(properties) = values::object(properties.iter().cloned()) {
                for (name, value) in properties {
                    error.set(&name, self.object(&value)?)?;
                }
            }
            Ok(error.to_unknown())
        });
        made.map_or_else(|hindrance| hindrance, Error::from)
    }
}
