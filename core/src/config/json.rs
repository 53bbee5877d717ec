//! A value as JSON and back, with the feature `json`.

use alloc::format;
use alloc::string::String;

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
    /// [`InvalidValue`] naming `field`, unless the text is JSON that is nested at most 127 levels deep. What is allowed
    /// says where the text is none.
    pub fn from_json(field: &str, document: &str) -> Result<Self, InvalidValue> {
        serde_json::from_str(document).map_err(|fault| {
            let shown = Self::from(document);
            InvalidValue::new(field, &shown, &format!("a JSON document ({fault})"))
        })
    }

    /// The value as JSON. A number that JSON cannot express, such as NaN, becomes `null`.
    pub fn to_json(&self) -> String {
        // Every map has strings as keys, so serialisation cannot fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}
