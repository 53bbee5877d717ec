//! Saving a breaker and restoring it elsewhere: a versioned document of plain values.
//!
//! The document holds what is left of waits, never moments, so that it means the same on any clock. It is a
//! [`Value`]: each host writes it as JSON with its own library; in Rust, the feature `json` does.

mod document;
mod window;

use crate::breaker::Counts;
use crate::config::{InvalidValue, Value};
use crate::control::{Mode, Saved, State};
use document::{Document, nanos};
pub(crate) use window::SavedWindow;

/// The version that is written, and the only one that is read.
const VERSION: u64 = 1;

/// Half of what can be told exactly, so that no restored breaker outgrows its own snapshots.
const HIGHEST_GENERATION: u64 = document::EXACT / 2;

/// What outlives a breaker: its verdict, its counters and its window, but no call in flight.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub(crate) control: Saved,
    pub(crate) consecutive_successes: u64,
    pub(crate) counts: Counts,
    /// How often each change of state has happened, by state left and state entered.
    pub(crate) edges: Edges,
    pub(crate) window: SavedWindow,
}

/// Counts by state left and state entered.
pub(crate) type Edges = [[u64; State::ALL.len()]; State::ALL.len()];

impl Snapshot {
    /// The document.
    pub fn to_value(&self) -> Value {
        let control = &self.control;
        let counters = self.counts.entries().filter(|(name, _)| *name != "in_flight");
        let named = |(name, value): (&str, Value)| (name.into(), value);
        let edges = pairs().map(|(from, to)| (edge_name(from, to), self.edges[from as usize][to as usize]));
        let fields = [
            ("version", VERSION.into()),
            ("state", control.state.as_str().into()),
            ("mode", control.mode.as_str().into()),
            ("generation", control.generation.into()),
            ("consecutive_failures", control.failures.into()),
            ("consecutive_successes", self.consecutive_successes.into()),
            ("wait_nanos", control.wait.map(|(chosen, _)| nanos(chosen)).into()),
            ("left_nanos", control.wait.map(|(_, left)| nanos(left)).into()),
            ("openings", control.openings.into()),
            ("last_wait_nanos", nanos(control.last_wait).into()),
            ("clean_in_nanos", nanos(control.clean_in).into()),
            ("counters", Value::Map(counters.map(named).collect())),
            ("transitions", Value::Map(edges.map(|(name, count)| (name, count.into())).collect())),
            ("window", self.window.to_value()),
        ];
        Value::Map(fields.into_iter().map(named).collect())
    }

    /// Reads a document.
    ///
    /// # Errors
    /// [`InvalidValue`] naming the part that is missing, of a wrong type, unknown, or in contradiction with the rest;
    /// `snapshot.version` where it is of another version.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        let mut document = Document::of("snapshot", document)?;
        document.constant("version", VERSION)?;
        let control = Saved {
            state: document.named("state", &[State::Closed, State::Open], State::as_str)?,
            mode: document.named("mode", Mode::ALL, Mode::as_str)?,
            generation: document.whole("generation", HIGHEST_GENERATION)?,
            failures: document.whole("consecutive_failures", u32::MAX.into())? as u32,
            wait: document.duration_or_none("wait_nanos")?.zip(document.duration_or_none("left_nanos")?),
            openings: document.whole("openings", u32::MAX.into())? as u32,
            last_wait: document.duration("last_wait_nanos")?,
            clean_in: document.duration("clean_in_nanos")?,
        };
        let consecutive_successes = document.whole("consecutive_successes", document::EXACT)?;
        let counts = counts(document.part("counters")?)?;
        let edges = edges(document.part("transitions")?)?;
        let window = SavedWindow::from_value(document.take("window")?)?;
        document.done()?;
        let snapshot = Self { control, consecutive_successes, counts, edges, window };
        snapshot.check()?;
        Ok(snapshot)
    }

    /// Whether a breaker that has counted so much itself can go on counting from here.
    pub(crate) fn check_sums(&self, own: &Counts, own_transitions: u64) -> Result<(), InvalidValue> {
        let allowed = "no more than can be told exactly, together with what this breaker has counted";
        let refuse = |part: &str, sum: u64| Err(InvalidValue::new(part, &sum.into(), allowed));
        // None of the other counts of calls is more than the total.
        let pairs = [
            (self.counts.total_calls, own.total_calls),
            (self.counts.rejected_calls, own.rejected_calls),
            (self.counts.shadow_rejected, own.shadow_rejected),
            (self.counts.slow_calls, own.slow_calls),
            (self.counts.probe_timeouts, own.probe_timeouts),
        ];
        for (saved, own) in pairs {
            let sum = saved.saturating_add(own);
            if sum > document::EXACT {
                return refuse("snapshot.counters", sum);
            }
        }
        let walked = self.edges.as_flattened().iter().fold(own_transitions, |sum, count| sum.saturating_add(*count));
        if walked > document::EXACT { refuse("snapshot.transitions", walked) } else { Ok(()) }
    }

    /// What no part can know alone.
    fn check(&self) -> Result<(), InvalidValue> {
        let Self { control, counts, .. } = self;
        let refuse = |field: &str, value: u64, allowed: &str| Err(InvalidValue::new(field, &value.into(), allowed));
        let ended = [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls];
        if ended.iter().sum::<u64>() != counts.total_calls {
            return refuse("snapshot.counters", counts.total_calls, "a total that is the sum of how the calls ended");
        }
        if control.failures > 0 && self.consecutive_successes > 0 {
            return refuse("snapshot.consecutive_successes", self.consecutive_successes, "0 while there are failures");
        }
        if control.state == State::Open && self.consecutive_successes > 0 {
            return refuse("snapshot.consecutive_successes", self.consecutive_successes, "0 while open");
        }
        if control.clean_in > control.last_wait {
            return refuse("snapshot.clean_in_nanos", nanos(control.clean_in), "at most last_wait_nanos");
        }
        if !control.is_consistent() {
            let wait = control.wait.map(|(chosen, _)| nanos(chosen));
            let allowed =
                "a wait where the state is open, unless it is held without end, and no longer left than chosen";
            return Err(InvalidValue::new("snapshot.wait_nanos", &wait.into(), allowed));
        }
        Ok(())
    }
}

/// Every change of state that there can be.
fn pairs() -> impl Iterator<Item = (State, State)> {
    let all = State::ALL.iter().flat_map(|from| State::ALL.iter().map(move |to| (*from, *to)));
    all.filter(|(from, to)| from != to)
}

fn edge_name(from: State, to: State) -> alloc::string::String {
    alloc::format!("{from}>{to}")
}

fn edges(mut document: Document<'_>) -> Result<Edges, InvalidValue> {
    let mut edges = Edges::default();
    for (from, to) in pairs() {
        edges[from as usize][to as usize] = document.whole(&edge_name(from, to), document::EXACT)?;
    }
    document.done()?;
    Ok(edges)
}

fn counts(mut document: Document<'_>) -> Result<Counts, InvalidValue> {
    let mut count = |name| document.whole(name, document::EXACT);
    let counts = Counts {
        total_calls: count("total_calls")?,
        successful_calls: count("successful_calls")?,
        failed_calls: count("failed_calls")?,
        ignored_calls: count("ignored_calls")?,
        cancelled_calls: count("cancelled_calls")?,
        rejected_calls: count("rejected_calls")?,
        shadow_rejected: count("shadow_rejected")?,
        slow_calls: count("slow_calls")?,
        probe_timeouts: count("probe_timeouts")?,
        in_flight: 0,
    };
    document.done()?;
    Ok(counts)
}
