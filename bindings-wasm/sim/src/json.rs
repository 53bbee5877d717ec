//! JSON whose numbers are formatted by the standard library, which the module contains anyway. The code of `serde_json`
//! for that would add 10 KB.

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
