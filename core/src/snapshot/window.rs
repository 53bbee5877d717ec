//! The window in a snapshot.

use alloc::vec::Vec;

use super::RESTORED;
use crate::config::document::{Fields, Place, Read};
use crate::config::{InvalidValue, Value, WindowShape};
use crate::evidence::{Call, SavedWindow, WindowCounts};

impl SavedWindow {
    /// The window as a part of a document.
    pub(super) fn to_value(&self) -> Value {
        let counts =
            |bucket: &WindowCounts| Value::List([bucket.calls, bucket.failed, bucket.slow].map(Value::from).into());
        let parts = match self {
            Self::None => return Value::Null,
            Self::Calls { size, ended } => [("calls", Value::from(*size)), ("ended", Call::letters(ended).into())],
            Self::Seconds { size, buckets } => {
                [("seconds", (*size).into()), ("buckets", Value::List(buckets.iter().map(counts).collect()))]
            }
        };
        parts.into_iter().collect()
    }
}

impl<'v> Read<'v> for SavedWindow {
    fn read(place: &Place<'_>, value: &'v Value) -> Result<Self, InvalidValue> {
        let fields = Fields::at(place, value)?;
        if value.entry("calls").is_some() {
            let fields = fields.all(&["calls", "ended"])?;
            let size = fields.whole("calls", WindowShape::CALLS)? as u16;
            let ended = fields.value("ended").as_text().and_then(Call::of_letters);
            let refused = || fields.refused("ended", "a letter of . f s b for each call, no more");
            return Ok(Self::Calls {
                size,
                ended: ended.filter(|ended| ended.len() <= size.into()).ok_or_else(refused)?,
            });
        }
        let fields = fields.all(&["seconds", "buckets"])?;
        let size = fields.whole("seconds", WindowShape::SECONDS)? as u16;
        let buckets: Option<Vec<_>> = fields.get::<&[Value]>("buckets")?.iter().map(bucket_of).collect();
        let allowed = "ten lists of calls, failed and slow, neither of which is more than the calls";
        let buckets = buckets.and_then(|buckets| buckets.try_into().ok());
        Ok(Self::Seconds { size, buckets: buckets.ok_or_else(|| fields.refused("buckets", allowed))? })
    }

    fn missing() -> Option<Self> {
        Some(Self::None)
    }
}

fn bucket_of(value: &Value) -> Option<WindowCounts> {
    let Value::List(counts) = value else { return None };
    let [calls, failed, slow] = counts.as_slice() else { return None };
    let counts = WindowCounts { calls: calls.as_whole()?, failed: failed.as_whole()?, slow: slow.as_whole()? };
    let fits = counts.failed <= counts.calls && counts.slow <= counts.calls && counts.calls <= RESTORED;
    fits.then_some(counts)
}
