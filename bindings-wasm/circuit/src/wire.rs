//! Values in bytes: a tag, and what it announces. The other end is `ts/wire.ts`.
//!
//! Numbers have their little end first. Each side writes texts as the other one likes to read them: JavaScript in units
//! of UTF-16, half of a pair alone included, and Rust in UTF-8.

use alloc::string::String;
use alloc::vec::Vec;

use halfopen::{InvalidValue, Value};

const END: u8 = 0;
const NULL: u8 = 1;
const FALSE: u8 = 2;
const TRUE: u8 = 3;
/// The eight bytes of a double.
const NUMBER: u8 = 4;
/// Four bytes that count the units of the text; the text.
const TEXT: u8 = 5;
/// Values up to an end.
const LIST: u8 = 6;
/// Texts and values in turn up to an end.
const MAP: u8 = 7;
/// Of what was refused: the field, what is allowed, and the value.
const REFUSAL: u8 = 8;
/// What no field takes and no value here can say.
const OTHER: u8 = 9;

/// The first value in `bytes`; null where there is none.
pub(crate) fn read(bytes: &[u8]) -> Value {
    Reader(bytes).value().unwrap_or(Value::Null)
}

struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    /// The next value; `None` at an end.
    fn value(&mut self) -> Option<Value> {
        Some(match self.bytes(1)?[0] {
            NULL => Value::Null,
            FALSE => Value::Bool(false),
            TRUE => Value::Bool(true),
            NUMBER => Value::Number(f64::from_le_bytes(self.bytes(8)?.try_into().ok()?)),
            TEXT => Value::Text(self.text()?),
            LIST => {
                let mut values = Vec::new();
                while let Some(value) = self.value() {
                    values.push(value);
                }
                Value::List(values)
            }
            MAP => {
                let mut entries = Vec::new();
                while let Some(Value::Text(name)) = self.value() {
                    entries.push((name, self.value()?));
                }
                Value::Map(entries)
            }
            OTHER => Value::Other(String::new()),
            _ => return None,
        })
    }

    fn text(&mut self) -> Option<String> {
        let units = u32::from_le_bytes(self.bytes(4)?.try_into().ok()?) as usize;
        let units =
            self.bytes(units.checked_mul(2)?)?.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
        Some(char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
    }

    fn bytes(&mut self, count: usize) -> Option<&[u8]> {
        let (bytes, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(bytes)
    }
}

/// What an answer is written with.
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    /// What was written; null where nothing was.
    pub(crate) fn answer(mut self) -> Vec<u8> {
        if self.0.is_empty() {
            self.0.push(NULL);
        }
        self.0
    }

    pub(crate) fn truth(&mut self, truth: bool) {
        self.0.push(if truth { TRUE } else { FALSE });
    }

    pub(crate) fn number(&mut self, number: f64) {
        self.0.push(NUMBER);
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.0.push(TEXT);
        self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Begins a list, which goes on to an [`end`](Self::end).
    pub(crate) fn list(&mut self) {
        self.0.push(LIST);
    }

    pub(crate) fn end(&mut self) {
        self.0.push(END);
    }

    pub(crate) fn map(&mut self, entries: &mut dyn Iterator<Item = (&'static str, Value)>) {
        self.0.push(MAP);
        for (name, value) in entries {
            self.text(name);
            self.value(&value);
        }
        self.end();
    }

    pub(crate) fn refusal(&mut self, error: &InvalidValue) {
        self.0.push(REFUSAL);
        self.text(error.field());
        self.text(error.allowed());
        self.value(error.value());
    }

    pub(crate) fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.0.push(NULL),
            Value::Bool(truth) => self.truth(*truth),
            Value::Whole(count) => self.number(*count as f64),
            Value::Number(number) => self.number(*number),
            Value::Text(text) => self.text(text),
            Value::List(values) => {
                self.list();
                for value in values {
                    self.value(value);
                }
                self.end();
            }
            Value::Map(entries) => {
                self.0.push(MAP);
                for (name, value) in entries {
                    self.text(name);
                    self.value(value);
                }
                self.end();
            }
            Value::Other(_) => self.0.push(OTHER),
        }
    }
}
