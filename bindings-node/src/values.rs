//! Values and errors on their way between JavaScript and the core.

use halfopen::{InvalidValue, RegistryError, Spelling, Value};
use napi::bindgen_prelude::{Env, Error, JsValue, Object, Result, Unknown};

/// A value from the TypeScript, which has reduced the user's values to plain ones.
pub(crate) fn from_js(env: &Env, value: Unknown<'_>) -> Result<Value> {
    env.from_js_value(value)
}

/// A reading. All its numbers are doubles, because napi would turn a large count into a `bigint`.
pub(crate) fn to_js<'env>(env: &'env Env, value: &Value) -> Result<Unknown<'env>> {
    env.to_js_value(value)
}

/// Turns errors of core into JavaScript errors with a `code` and their parts as properties.
pub(crate) trait OrThrow<T> {
    fn or_throw(self, env: &Env) -> Result<T>;
}

impl<T> OrThrow<T> for std::result::Result<T, InvalidValue> {
    fn or_throw(self, env: &Env) -> Result<T> {
        self.map_err(|refusal| {
            thrown(env, &refusal, refusal.code(), |error| {
                error.set("field", refusal.field())?;
                error.set("value", to_js(env, refusal.value())?)?;
                error.set("allowed", refusal.allowed())
            })
        })
    }
}

impl<T> OrThrow<T> for std::result::Result<T, RegistryError> {
    fn or_throw(self, env: &Env) -> Result<T> {
        self.map_err(|fault| {
            thrown(env, &fault, fault.code(), |error| match &fault {
                RegistryError::NameConflict { name, field } => {
                    error.set("circuitName", name)?;
                    error.set("field", Spelling::CamelCase.name(field))
                }
                RegistryError::Full { bound } => error.set("bound", *bound as f64),
            })
        })
    }
}

/// The error, or the fault that occurred while it was created.
fn thrown(
    env: &Env,
    fault: &dyn std::error::Error,
    code: &str,
    describe: impl FnOnce(&mut Object<'_>) -> Result<()>,
) -> Error {
    let made = env.create_error(Error::from_reason(fault.to_string())).and_then(|mut error| {
        error.set("code", code)?;
        describe(&mut error)?;
        Ok(error.to_unknown())
    });
    made.map_or_else(|hindrance| hindrance, Error::from)
}
