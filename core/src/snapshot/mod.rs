//! Saves a breaker as a versioned document of plain values, and restores it.
//!
//! The document holds remaining times, never moments, so it means the same on any clock. It is a
//! [`Value`]: each host writes it as JSON with its own library; in Rust, the feature `json` does.

mod check;
mod window;

use alloc::string::ToString;
use core::time::Duration;

use crate::clock::saturating_nanos;
use crate::config::document::{Fields, Place};
use crate::config::{InvalidValue, Value};
use crate::control::{Saved, State};
use crate::evidence::{Counts, Edges, SavedWindow};
use crate::names::Named;

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// The largest count that every JSON library reads exactly.
const EXACT: u64 = (1 << 53) - 1;

/// Half of the exact range. A restored breaker can count as much again before its own snapshot becomes inexact.
const RESTORED: u64 = EXACT / 2;

/// The longest duration that a document holds, about 292 years. JSON libraries that only know doubles round nanoseconds
/// from 104 days on, and this one up; rounding never changes which of two durations is longer.
const LONGEST: u64 = i64::MAX as u64;

/// Every possible change of state: a closed circuit never becomes half-open directly.
const CHANGES: [(&str, State, State); 5] = [
    ("closed>open", State::Closed, State::Open),
    ("open>closed", State::Open, State::Closed),
    ("open>half_open", State::Open, State::HalfOpen),
    ("half_open>closed", State::HalfOpen, State::Closed),
    ("half_open>open", State::HalfOpen, State::Open),
];

/// The saved state of a breaker: control value, counters and window. Calls in flight are not part of it. By default, that
/// of a new breaker.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    pub(crate) control: Saved,
    pub(crate) consecutive_successes: u64,
    pub(crate) counts: Counts,
    /// How often each change of state has happened, by state left and state entered.
    pub(crate) edges: Edges,
    pub(crate) window: SavedWindow,
}

impl Snapshot {
    /// The snapshot as a document.
    pub fn to_value(&self) -> Value {
        let control = &self.control;
        let nanos = |duration| Value::from(saturating_nanos(duration).min(LONGEST));
        let (wait, left) = control.wait.unzip();
        let changes = CHANGES.map(|(name, from, to)| (name, self.edges[from as usize][to as usize].into()));
        let parts = [
            ("version", VERSION.into()),
            ("state", control.state.as_str().into()),
            ("mode", control.mode.as_str().into()),
            ("generation", control.generation.into()),
            ("consecutive_failures", control.failures.into()),
            ("wait_nanos", wait.map(nanos).into()),
            ("left_nanos", left.map(nanos).into()),
            ("openings", control.openings.into()),
            ("last_wait_nanos", nanos(control.last_wait)),
            ("clean_in_nanos", nanos(control.resets_in)),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("counters", self.counts.lasting().map(|(name, count)| (name, count.into())).collect()),
            ("transitions", changes.into_iter().collect()),
            ("window", self.window.to_value()),
        ];
        parts.into_iter().collect()
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`InvalidValue`] naming the part that is missing, of a wrong type, unknown, or inconsistent with the rest;
    /// `snapshot.version` for another version.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        let fields = Fields::at(&Place::of("snapshot"), document)?;
        if fields.value("version").as_whole() != Some(VERSION) {
            return Err(fields.refused("version", &VERSION.to_string()));
        }
        // The parts that are read are those that are written.
        let fields = fields.all(&Self::default().to_value().names())?;
        let state = fields.value("state").as_text().and_then(State::from_name);
        // A half-open circuit is saved as open.
        let state = state.filter(|state| *state != State::HalfOpen);
        let nanos = |count: u64| Duration::from_nanos(count.min(LONGEST));
        let (wait, left): (Option<_>, Option<_>) = (fields.get("wait_nanos")?, fields.get("left_nanos")?);
        if wait.is_some() != left.is_some() {
            return Err(fields.refused("left_nanos", "null where wait_nanos is, and only there"));
        }
        let mut snapshot = Self {
            control: Saved {
                state: state.ok_or_else(|| fields.refused("state", "one of: closed, open"))?,
                mode: fields.get("mode")?,
                generation: fields.whole("generation", 0..=EXACT)?.min(RESTORED),
                failures: fields.get("consecutive_failures")?,
                wait: wait.map(nanos).zip(left.map(nanos)),
                openings: fields.get("openings")?,
                last_wait: nanos(fields.get("last_wait_nanos")?),
                resets_in: nanos(fields.get("clean_in_nanos")?),
            },
            consecutive_successes: fields.whole("consecutive_successes", 0..=EXACT)?.min(RESTORED),
            counts: Counts::default(),
            edges: Edges::default(),
            window: fields.get("window")?,
        };
        let counters = fields.map("counters")?.all(&Counts::LASTING.map(|(name, _)| name))?;
        for (name, place) in Counts::LASTING {
            *place(&mut snapshot.counts) = counters.whole(name, 0..=EXACT)?;
        }
        let changes = fields.map("transitions")?.all(&CHANGES.map(|(name, ..)| name))?;
        for (name, from, to) in CHANGES {
            snapshot.edges[from as usize][to as usize] = changes.whole(name, 0..=EXACT)?;
        }
        snapshot.check(document)?;
        Ok(snapshot)
    }

    /// Checks that the sum with a breaker's own counts stays in the exact range.
    pub(crate) fn check_sums(&self, own: &Counts, own_transitions: u64) -> Result<(), InvalidValue> {
        let allowed = "no more than half of what JSON holds exactly, together with what this breaker has counted";
        let refuse = |part: &str, sum: u64| Err(InvalidValue::new(part, &sum.into(), allowed));
        let mut sums = self.counts.lasting().zip(own.lasting()).map(|((_, saved), (_, own))| saved.saturating_add(own));
        if let Some(sum) = sums.find(|sum| *sum > RESTORED) {
            return refuse("snapshot.counters", sum);
        }
        let walked = self.edges.as_flattened().iter().fold(own_transitions, |sum, count| sum.saturating_add(*count));
        if walked > RESTORED { refuse("snapshot.transitions", walked) } else { Ok(()) }
    }
}
