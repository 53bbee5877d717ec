//! The window in a snapshot.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::document::{Document, EXACT};
use crate::config::{InvalidValue, Value, WindowShape};
use crate::window::{BUCKETS, Call, WindowCounts};

/// What a window held, without a clock.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SavedWindow {
    /// No rate looked at it.
    None,
    /// The last calls, oldest first.
    Calls { size: u16, ended: Vec<Call> },
    /// The ten buckets, the current one first.
    Seconds { size: u16, buckets: Box<[WindowCounts; BUCKETS as usize]> },
}

/// A letter for each way in which a call can end.
const LETTERS: [(char, Call); 4] = [
    ('.', Call { failed: false, slow: false }),
    ('f', Call { failed: true, slow: false }),
    ('s', Call { failed: false, slow: true }),
    ('b', Call { failed: true, slow: true }),
];

impl SavedWindow {
    pub(crate) fn shape(&self) -> Option<WindowShape> {
        match self {
            Self::None => None,
            Self::Calls { size, .. } => Some(WindowShape::Calls(*size)),
            Self::Seconds { size, .. } => Some(WindowShape::Seconds(*size)),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let fields = match self {
            Self::None => return Value::Null,
            Self::Calls { size, ended } => {
                let letter = |call: &Call| LETTERS.iter().find(|(_, known)| known == call).map(|(letter, _)| *letter);
                let letters: String = ended.iter().filter_map(letter).collect();
                [("calls", Value::from(*size)), ("ended", letters.as_str().into())]
            }
            Self::Seconds { size, buckets } => {
                let counts = |bucket: &WindowCounts| {
                    Value::List([bucket.calls, bucket.failed, bucket.slow].map(Value::from).into())
                };
                [("seconds", (*size).into()), ("buckets", Value::List(buckets.iter().map(counts).collect()))]
            }
        };
        Value::Map(fields.map(|(name, value)| (name.into(), value)).into())
    }

    pub(super) fn from_value(value: &Value) -> Result<Self, InvalidValue> {
        if *value == Value::Null {
            return Ok(Self::None);
        }
        let mut document = Document::of("snapshot.window", value)?;
        let window = if matches!(value, Value::Map(fields) if fields.iter().any(|(name, _)| name == "calls")) {
            let size = document.whole("calls", 10_000)? as u16;
            Self::Calls { size, ended: ended(document.take("ended")?, size)? }
        } else {
            let size = document.whole("seconds", 3_600)? as u16;
            Self::Seconds { size, buckets: Box::new(buckets(document.take("buckets")?)?) }
        };
        document.done()?;
        Ok(window)
    }
}

fn ended(value: &Value, size: u16) -> Result<Vec<Call>, InvalidValue> {
    let call = |letter: char| LETTERS.iter().find(|(known, _)| *known == letter).map(|(_, call)| *call);
    let calls: Option<Vec<Call>> = if let Value::Text(text) = value { text.chars().map(call).collect() } else { None };
    let fits = calls.filter(|calls| calls.len() <= size.into());
    fits.ok_or_else(|| InvalidValue::new("snapshot.window.ended", value, "a letter of . f s b for each call, no more"))
}

fn buckets(value: &Value) -> Result<[WindowCounts; BUCKETS as usize], InvalidValue> {
    let refused = || {
        let allowed = "ten lists of calls, failed and slow, neither of which is more than the calls";
        InvalidValue::new("snapshot.window.buckets", value, allowed)
    };
    let Value::List(list) = value else { return Err(refused()) };
    let counts: Option<Vec<WindowCounts>> = list.iter().map(bucket).collect();
    counts.and_then(|counts| counts.try_into().ok()).ok_or_else(refused)
}

fn bucket(value: &Value) -> Option<WindowCounts> {
    let Value::List(counts) = value else { return None };
    let count = |value: &Value| match *value {
        Value::Whole(count) => Some(count),
        Value::Number(number) if (number as u64) as f64 == number => Some(number as u64),
        _ => None,
    };
    let [calls, failed, slow] = counts.as_slice() else { return None };
    let counts = WindowCounts { calls: count(calls)?, failed: count(failed)?, slow: count(slow)? };
    // Ten buckets are added up, so none may hold more than a tenth of what can be counted exactly.
    let fits = counts.failed <= counts.calls && counts.slow <= counts.calls && counts.calls <= EXACT / BUCKETS;
    fits.then_some(counts)
}
