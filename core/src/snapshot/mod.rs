//! Saves a breaker as a versioned document of plain values, and restores it.
//!
//! The document holds remaining times, never moments, so it means the same on any clock. It is a
//! [`Value`]: each host writes it as JSON with its own library; in Rust, the feature `json` does.

mod check;
mod document;
mod window;

use alloc::format;

use crate::config::{InvalidValue, Value};
use crate::control::{Mode, Saved, State};
use crate::evidence::{Counts, Edges, SavedWindow};
use crate::names::Named;
use document::{Document, EXACT, nanos};

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// The states in a document. A half-open circuit is saved as open.
const SAVED_STATES: &[&str] = State::NAMES.split_at(2).0;

/// Half of the exact range. A restored breaker can count as much again before its own snapshot becomes inexact.
const RESTORED: u64 = EXACT / 2;

/// The saved state of a breaker: control value, counters and window. Calls in flight are not part of it.
#[derive(Clone, Debug, PartialEq)]
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
        document::write(|document| {
            self.clone().walked(document);
        })
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`InvalidValue`] naming the part that is missing, of a wrong type, unknown, or inconsistent with the rest;
    /// `snapshot.version` for another version.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        let snapshot = document::read("snapshot", document, |document| Self::blank().walked(document))?;
        snapshot.check(document)?;
        Ok(snapshot)
    }

    /// The parts of the document in their order, written or read.
    fn walked(self, document: &mut Document<'_>) -> Self {
        let control = self.control;
        document.constant("version", VERSION);
        Self {
            control: Saved {
                state: State::ALL[document.named("state", control.state as usize, SAVED_STATES)],
                mode: Mode::ALL[document.named("mode", control.mode as usize, Mode::NAMES)],
                generation: document.whole("generation", control.generation, 0..=EXACT).min(RESTORED),
                failures: document.whole("consecutive_failures", control.failures.into(), 0..=u32::MAX.into()) as u32,
                wait: {
                    let chosen = document.duration_or_none("wait_nanos", control.wait.map(|(chosen, _)| chosen));
                    let left = document.duration_or_none("left_nanos", control.wait.map(|(_, left)| left));
                    if chosen.is_some() != left.is_some() {
                        document.refuse(
                            "left_nanos",
                            &left.map(nanos).into(),
                            "null where wait_nanos is, and only there",
                        );
                    }
                    chosen.zip(left)
                },
                openings: document.whole("openings", control.openings.into(), 0..=u32::MAX.into()) as u32,
                last_wait: document.duration("last_wait_nanos", control.last_wait),
                resets_in: document.duration("clean_in_nanos", control.resets_in),
            },
            consecutive_successes: document
                .whole("consecutive_successes", self.consecutive_successes, 0..=EXACT)
                .min(RESTORED),
            counts: walk_counts(document, self.counts),
            edges: walk_edges(document, self.edges),
            window: self.window.walked(document, "window"),
        }
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

    /// The start value for reading a document.
    fn blank() -> Self {
        Self {
            control: Saved::default(),
            consecutive_successes: 0,
            counts: Counts::default(),
            edges: Edges::default(),
            window: SavedWindow::None,
        }
    }
}

/// Every possible change of state: a closed circuit never becomes half-open directly.
fn pairs() -> impl Iterator<Item = (State, State)> {
    let all = State::ALL.iter().flat_map(|from| State::ALL.iter().map(move |to| (*from, *to)));
    all.filter(|(from, to)| from != to && (*from, *to) != (State::Closed, State::HalfOpen))
}

fn walk_edges(document: &mut Document<'_>, mut edges: Edges) -> Edges {
    document.part("transitions", &mut |document| {
        for (from, to) in pairs() {
            let count = &mut edges[from as usize][to as usize];
            *count = document.whole(&format!("{from}>{to}"), *count, 0..=EXACT);
        }
    });
    edges
}

fn walk_counts(document: &mut Document<'_>, mut counts: Counts) -> Counts {
    document.part("counters", &mut |document| {
        for (name, place) in Counts::LASTING {
            let count = place(&mut counts);
            *count = document.whole(name, *count, 0..=EXACT);
        }
    });
    counts
}
