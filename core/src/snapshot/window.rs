//! The window in a snapshot.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::RESTORED;
use super::document::Document;
use crate::config::{Value, WindowShape};
use crate::evidence::{BUCKETS, Call, SavedWindow, WindowCounts};

impl SavedWindow {
    const BLANK_CALLS: Self = Self::Calls { size: 0, ended: Vec::new() };

    /// The part called `name` of a document, as [`Document`] says.
    pub(super) fn walked(mut self, document: &mut Document<'_>, name: &str) -> Self {
        if document.is_null(name, matches!(self, Self::None)) {
            return Self::None;
        }
        document.part(name, &mut |document| {
            if let Some(of_calls) = document.has("calls") {
                self = if of_calls { Self::BLANK_CALLS } else { Self::Seconds { size: 0, buckets: Box::default() } };
            }
            match &mut self {
                Self::None => {}
                Self::Calls { size, ended } => {
                    *size = document.whole("calls", (*size).into(), WindowShape::CALLS) as u16;
                    walk_ended(document, *size, ended);
                }
                Self::Seconds { size, buckets } => {
                    *size = document.whole("seconds", (*size).into(), WindowShape::SECONDS) as u16;
                    walk_buckets(document, buckets);
                }
            }
        });
        self
    }
}

fn walk_ended(document: &mut Document<'_>, size: u16, ended: &mut Vec<Call>) {
    let Some(value) = document.at("ended", Value::Text(Call::letters(ended))) else { return };
    let calls = value.as_text().and_then(Call::of_letters);
    match calls {
        Some(calls) if calls.len() <= size.into() => *ended = calls,
        _ => document.refuse("ended", value, "a letter of . f s b for each call, no more"),
    }
}

fn walk_buckets(document: &mut Document<'_>, buckets: &mut [WindowCounts; BUCKETS as usize]) {
    let counts =
        |bucket: &WindowCounts| Value::List([bucket.calls, bucket.failed, bucket.slow].map(Value::from).into());
    let Some(value) = document.at("buckets", Value::List(buckets.iter().map(counts).collect())) else { return };
    let list = if let Value::List(list) = value { list.as_slice() } else { &[] };
    let mut fits = list.len() == buckets.len();
    for (bucket, value) in buckets.iter_mut().zip(list) {
        match bucket_of(value) {
            Some(counts) => *bucket = counts,
            None => fits = false,
        }
    }
    if !fits {
        document.refuse(
            "buckets",
            value,
            "ten lists of calls, failed and slow, neither of which is more than the calls",
        );
    }
}

fn bucket_of(value: &Value) -> Option<WindowCounts> {
    let Value::List(counts) = value else { return None };
    let [calls, failed, slow] = counts.as_slice() else { return None };
    let counts = WindowCounts { calls: calls.as_whole()?, failed: failed.as_whole()?, slow: slow.as_whole()? };
    let fits = counts.failed <= counts.calls && counts.slow <= counts.calls && counts.calls <= RESTORED;
    fits.then_some(counts)
}
