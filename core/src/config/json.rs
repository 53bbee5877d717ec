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
    /// [`InvalidValue`] naming `field`, for what is no JSON, or nested more than 127 deep.
    pub fn from_json(field: &str, document: &str) -> Result<Self, InvalidValue> {
        serde_json::from_str(document)
            .map_err(|fault| InvalidValue::new(field, &Self::Other(fault.to_string()), "a JSON document"))
    }

    /// The document; a number that JSON does not have, such as NaN, becomes `null`.
    pub fn to_json(&self) -> String {
        // Texts, numbers, lists and maps with texts for names: nothing that JSON could refuse.
        serde_json::to_string(self).unwrap_or_default()
    }
}
