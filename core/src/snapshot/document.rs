//! Reading a document part by part: each refusal names the part, and what nobody reads is refused in the end.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::config::{InvalidValue, Value};

/// The highest count that every JSON library reads back exactly.
pub(super) const EXACT: u64 = (1 << 53) - 1;

/// Named values that are read one after the other.
pub(super) struct Document<'v> {
    path: String,
    left: Vec<(&'v str, &'v Value)>,
}

/// The longest duration that is told, some 292 years. Beyond 104 days a JSON library that knows only doubles rounds
/// nanoseconds, by some nanoseconds; what is longer stays longer or equal.
const LONGEST: u64 = i64::MAX as u64;

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).map_or(LONGEST, |nanos| nanos.min(LONGEST))
}

impl<'v> Document<'v> {
    pub(super) fn of(path: &str, value: &'v Value) -> Result<Self, InvalidValue> {
        let Value::Map(entries) = value else {
            return Err(InvalidValue::new(path, value, "an object"));
        };
        Ok(Self { path: path.into(), left: entries.iter().map(|(name, value)| (name.as_str(), value)).collect() })
    }

    pub(super) fn take(&mut self, name: &str) -> Result<&'v Value, InvalidValue> {
        match self.left.iter().position(|(known, _)| *known == name) {
            Some(at) => Ok(self.left.swap_remove(at).1),
            None => Err(self.refusal(name, &Value::Null, "present")),
        }
    }

    pub(super) fn part(&mut self, name: &str) -> Result<Self, InvalidValue> {
        let path = format!("{}.{name}", self.path);
        Document::of(&path, self.take(name)?)
    }

    pub(super) fn whole(&mut self, name: &str, most: u64) -> Result<u64, InvalidValue> {
        let value = self.take(name)?;
        let count = match *value {
            Value::Whole(count) => Some(count),
            Value::Number(number) if (number as u64) as f64 == number => Some(number as u64),
            _ => None,
        };
        let fits = count.filter(|count| *count <= most);
        fits.ok_or_else(|| self.refusal(name, value, &format!("a whole number from 0 to {most}")))
    }

    pub(super) fn constant(&mut self, name: &str, only: u64) -> Result<(), InvalidValue> {
        let value = self.take(name)?;
        if *value == Value::Whole(only) || *value == Value::Number(only as f64) {
            return Ok(());
        }
        Err(self.refusal(name, value, &format!("{only}")))
    }

    pub(super) fn duration(&mut self, name: &str) -> Result<Duration, InvalidValue> {
        self.whole(name, LONGEST).map(Duration::from_nanos)
    }

    pub(super) fn duration_or_none(&mut self, name: &str) -> Result<Option<Duration>, InvalidValue> {
        if self.left.iter().any(|(known, value)| *known == name && **value == Value::Null) {
            self.take(name)?;
            return Ok(None);
        }
        self.duration(name).map(Some)
    }

    /// The one of `values` whose name stands there.
    pub(super) fn named<T: Copy>(
        &mut self,
        name: &str,
        values: &[T],
        name_of: impl Fn(T) -> &'static str,
    ) -> Result<T, InvalidValue> {
        let value = self.take(name)?;
        let found = values.iter().find(|known| matches!(value, Value::Text(text) if text == name_of(**known)));
        let allowed = || values.iter().map(|known| name_of(*known)).collect::<Vec<_>>().join(", ");
        found.copied().ok_or_else(|| self.refusal(name, value, &format!("one of: {}", allowed())))
    }

    /// Nothing may be left.
    pub(super) fn done(self) -> Result<(), InvalidValue> {
        match self.left.first() {
            None => Ok(()),
            Some((name, value)) => Err(self.refusal(name, value, "absent: this version knows no such part")),
        }
    }

    fn refusal(&self, name: &str, value: &Value, allowed: &str) -> InvalidValue {
        InvalidValue::new(&format!("{}.{name}", self.path), value, allowed)
    }
}
