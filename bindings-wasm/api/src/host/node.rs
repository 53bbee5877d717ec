//! Values and errors on their way between JavaScript and the addon, by serde.

use halfopen::host::Value;
use napi::bindgen_prelude::{Env, Error, JsValue, Object, Unknown};

pub use napi::bindgen_prelude::Result;

/// A plain value of the host.
pub type Plain<'env> = Unknown<'env>;

/// The environment that a breaker lives in: the main thread of Node or a worker.
#[derive(Clone, Copy)]
pub struct Host(Env);

impl Host {
    /// The host of a value.
    pub fn of(value: &Plain<'_>) -> Self {
        Self(Env::from(value.value().env))
    }

    /// A value of the host.
    pub(crate) fn value(self, value: Plain<'_>) -> Result<Value> {
        self.0.from_js_value(value)
    }

    /// A plain value. All its numbers are doubles, because napi refuses a large count.
    pub(crate) fn plain<'env>(self, value: &Value) -> Result<Plain<'env>> {
        self.0.to_js_value(value)
    }

    /// An error with this cause.
    pub(crate) fn error(self, cause: &Value) -> Result<Error> {
        let mut error: Object<'_> = self.0.create_error(Error::from_reason("refused by the core"))?;
        error.set("cause", self.plain(cause)?)?;
        Ok(error.to_unknown().into())
    }
}
