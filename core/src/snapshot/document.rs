//! Writes and reads a document by the same walk over its parts, so that each part is listed once.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::ops::RangeInclusive;
use core::time::Duration;

use crate::config::{InvalidValue, Value};

/// The largest count that every JSON library reads exactly.
pub(super) const EXACT: u64 = (1 << 53) - 1;

/// The longest duration that a document holds, about 292 years. JSON libraries that only know doubles round nanoseconds
/// from 104 days on; rounding never changes which of two durations is longer.
const LONGEST: u64 = i64::MAX as u64;

/// Named values. Each method takes the current value of a part. While writing it returns that value; while reading it
/// returns the value in the document.
pub(super) enum Document<'v> {
    Written(Vec<(String, Value)>),
    Read(Reading<'v>),
}

/// A document that is being read. The first refusal is kept; values read after it are ignored.
pub(super) struct Reading<'v> {
    path: String,
    left: Vec<(&'v str, &'v Value)>,
    taken: Vec<&'v str>,
    refused: Option<InvalidValue>,
}

/// The document that `walk` writes.
pub(super) fn write(walk: impl FnOnce(&mut Document<'_>)) -> Value {
    let mut document = Document::Written(Vec::new());
    walk(&mut document);
    document.written()
}

/// Reads a document with `walk`; parts that `walk` did not ask for are refused.
pub(super) fn read<'v, T>(
    path: &str,
    value: &'v Value,
    walk: impl FnOnce(&mut Document<'v>) -> T,
) -> Result<T, InvalidValue> {
    let mut document = Document::Read(Reading::of(path.into(), value, None));
    let made = walk(&mut document);
    document.refused().map_or(Ok(made), Err)
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(LONGEST, |nanos| nanos.min(LONGEST))
}

impl<'v> Document<'v> {
    /// While reading: the value of a part.
    pub(super) fn at(&mut self, name: &str, own: Value) -> Option<&'v Value> {
        match self {
            Self::Written(entries) => {
                entries.push((name.into(), own));
                None
            }
            Self::Read(reading) => Some(reading.take(name)),
        }
    }

    /// A part that is a document itself.
    pub(super) fn part(&mut self, name: &str, walk: &mut dyn FnMut(&mut Self)) {
        match self {
            Self::Written(entries) => {
                let mut inner = Self::Written(Vec::new());
                walk(&mut inner);
                entries.push((name.into(), inner.written()));
            }
            Self::Read(reading) => {
                let value = reading.take(name);
                let mut inner = Self::Read(Reading::of(reading.path_of(name), value, reading.refused.take()));
                walk(&mut inner);
                reading.refused = inner.refused();
            }
        }
    }

    pub(super) fn whole(&mut self, name: &str, own: u64, allowed: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.at(name, own.into()) else { return own };
        let count = value.as_whole().filter(|count| allowed.contains(count));
        if count.is_none() {
            self.refuse(name, value, &format!("a whole number from {} to {}", allowed.start(), allowed.end()));
        }
        count.unwrap_or(own)
    }

    pub(super) fn constant(&mut self, name: &str, only: u64) {
        if let Some(value) = self.at(name, only.into())
            && value.as_whole() != Some(only)
        {
            self.refuse(name, value, &only.to_string());
        }
    }

    pub(super) fn duration(&mut self, name: &str, own: Duration) -> Duration {
        // A double rounds the longest duration up.
        Duration::from_nanos(self.whole(name, nanos(own), 0..=u64::MAX).min(LONGEST))
    }

    pub(super) fn duration_or_none(&mut self, name: &str, own: Option<Duration>) -> Option<Duration> {
        (!self.is_null(name, own.is_none())).then(|| self.duration(name, own.unwrap_or_default()))
    }

    /// Whether a part is null; a null part is taken from the document.
    pub(super) fn is_null(&mut self, name: &str, own: bool) -> bool {
        let null = match self {
            Self::Written(_) => own,
            Self::Read(reading) => {
                reading.left.iter().any(|(known, value)| *known == name && matches!(value, Value::Null))
            }
        };
        if null {
            self.at(name, Value::Null);
        }
        null
    }

    /// While reading: whether there is such a part.
    pub(super) fn has(&self, name: &str) -> Option<bool> {
        match self {
            Self::Written(_) => None,
            Self::Read(reading) => Some(reading.left.iter().any(|(known, _)| *known == name)),
        }
    }

    /// The index in `names` of the name in the document.
    pub(super) fn named(&mut self, name: &str, own: usize, names: &[&str]) -> usize {
        let Some(value) = self.at(name, names[own].into()) else { return own };
        let found = names.iter().position(|known| matches!(value, Value::Text(text) if text == known));
        if found.is_none() {
            self.refuse(name, value, &format!("one of: {}", names.join(", ")));
        }
        found.unwrap_or(own)
    }

    /// Refuses the value of a part.
    pub(super) fn refuse(&mut self, name: &str, value: &Value, allowed: &str) {
        if let Self::Read(reading) = self {
            reading.refuse(&reading.path_of(name), value, allowed);
        }
    }

    fn written(self) -> Value {
        if let Self::Written(entries) = self { Value::Map(entries) } else { Value::Null }
    }

    fn refused(self) -> Option<InvalidValue> {
        if let Self::Read(reading) = self { reading.closed() } else { None }
    }
}

impl<'v> Reading<'v> {
    fn of(path: String, value: &'v Value, refused: Option<InvalidValue>) -> Self {
        let mut reading = Self { path, left: Vec::new(), taken: Vec::new(), refused };
        match value {
            Value::Map(entries) => reading.left.extend(entries.iter().map(|(name, value)| (name.as_str(), value))),
            _ => reading.refuse(&reading.path.clone(), value, "an object"),
        }
        reading
    }

    /// Refuses parts that were not asked for.
    fn closed(mut self) -> Option<InvalidValue> {
        if let Some((name, value)) = self.left.first().copied() {
            let twice = self.taken.contains(&name);
            let allowed = if twice { "given once" } else { "absent: this version knows no such part" };
            self.refuse(&self.path_of(name), value, allowed);
        }
        self.refused
    }

    fn take(&mut self, name: &str) -> &'v Value {
        match self.left.iter().position(|(known, _)| *known == name) {
            Some(at) => {
                let (known, value) = self.left.swap_remove(at);
                self.taken.push(known);
                value
            }
            None => {
                self.refuse(&self.path_of(name), &Value::Null, "present");
                &Value::Null
            }
        }
    }

    fn refuse(&mut self, field: &str, value: &Value, allowed: &str) {
        if self.refused.is_none() {
            self.refused = Some(InvalidValue::new(field, value, allowed));
        }
    }

    fn path_of(&self, name: &str) -> String {
        format!("{}.{name}", self.path)
    }
}
