//! JSON with the numbers of the standard library, whose code the module contains anyway; those of `serde_json` take 10 KB.

use std::io::{Result, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

struct StandardNumbers;

impl Formatter for StandardNumbers {
    fn write_f64<W: ?Sized + Write>(&mut self, writer: &mut W, value: f64) -> Result<()> {
        write!(writer, "{value:?}")
    }
}

/// A document as JSON.
pub fn json_of(document: &impl Serialize) -> String {
    let mut text = Vec::new();
    // Texts, numbers and lists of them: nothing that JSON could refuse.
    let _ = document.serialize(&mut Serializer::with_formatter(&mut text, StandardNumbers));
    String::from_utf8(text).unwrap_or_default()
}
