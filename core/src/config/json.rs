//! A value as JSON and back, with the feature `json`.

use alloc::string::{String, ToString};

use super::{InvalidValue, Value};

impl Value {
    /// Reads a document.
    ///
    /// ```
    /// use halfopen::host::{self, Spelling, Value};
    ///
    /// let document = Value::from_json("config", r#"{"name": "gemini", "timeout_seconds": 30}"#)?;
    /// assert_eq!(host::config_from(&document, Spelling::SnakeCase)?.name(), "gemini");
    /// # Ok::<(), halfopen::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidValue`] naming `field`, unless the text is JSON that is nested at most 127 levels deep.
    pub fn from_json(field: &str, document: &str) -> Result<Self, InvalidValue> {
        serde_json::from_str(document)
            .map_err(|fault| InvalidValue::new(field, &Self::Other(fault.to_string()), "a JSON document"))
    }

    /// The value as JSON. A number that JSON cannot express, such as NaN, becomes `null`.
    pub fn to_json(&self) -> String {
        // Every map has strings as keys, so serialisation cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}
