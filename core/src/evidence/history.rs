//! The number of transitions, and the last of them as events.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::clock::Tick;
use crate::control::{Control, State, Transition};

/// How many events a breaker keeps.
pub const EVENTS_KEPT: usize = 64;

/// How many events wait at most for listeners that are slower than the transitions; about 400 KB. A listener may cause
/// hundreds of events itself, and all of them wait until it returns.
pub const EVENTS_WAITING: usize = 4096;

/// A transition with its time and the numbers that decided it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// 1 for the breaker's first transition, increasing by one.
    pub sequence: u64,
    /// When it happened.
    pub at: Tick,
    /// The transition.
    pub transition: Transition,
    /// The generation that it started.
    pub generation: u64,
    /// Failures in a row after it. In an opening, they include the failure that opened the circuit.
    pub consecutive_failures: u32,
    /// Probe successes in a row before it. In a closing, they include the success that closed the circuit.
    pub consecutive_successes: u8,
    /// The wait that it started, if any.
    pub retry_after: Option<Duration>,
}

/// Called with each transition. A listener that panics is reported by the panic hook and harms nothing.
pub type Listener = dyn Fn(&Event) + Send + Sync;

/// The key for removing a listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ListenerId(pub(crate) u64);

/// How often a circuit went from one state to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The state left.
    pub from: State,
    /// The state entered.
    pub to: State,
    /// How often.
    pub count: u64,
}

/// The changes of state that happened at least once.
pub(crate) fn edges_in(counts: &Edges) -> Vec<Edge> {
    let all = State::ALL.iter().flat_map(|from| State::ALL.iter().map(move |to| (*from, *to)));
    all.map(|(from, to)| Edge { from, to, count: counts[from as usize][to as usize] })
        .filter(|edge| edge.count > 0)
        .collect()
}

/// Counts by state left and state entered.
pub(crate) type Edges = [[u64; State::ALL.len()]; State::ALL.len()];

/// Created with the first transition: most breakers never see one.
#[derive(Debug, Default)]
pub(crate) struct History(Option<Box<Record>>);

#[derive(Debug, Default)]
struct Record {
    recent: VecDeque<Event>,
    total: u64,
    edges: Edges,
}

impl History {
    /// Appends a transition that led to `next`.
    pub(crate) fn append(&mut self, transition: Transition, probe_successes: u8, next: &Control, now: Tick) {
        let Record { recent, total, edges } = &mut **self.0.get_or_insert_default();
        *total += 1;
        edges[transition.from as usize][transition.to as usize] += 1;
        if recent.len() == EVENTS_KEPT {
            recent.pop_front();
        }
        recent.push_back(Event {
            sequence: *total,
            at: now,
            transition,
            generation: next.generation(),
            consecutive_failures: next.consecutive_failures(),
            consecutive_successes: probe_successes,
            retry_after: next.retry_after_at(now),
        });
    }

    pub(crate) fn edge_counts(&self) -> Edges {
        self.0.as_ref().map_or_else(Edges::default, |record| record.edges)
    }

    /// Adds the transitions of a snapshot.
    pub(crate) fn add(&mut self, added: &Edges) {
        let Record { total, edges, .. } = &mut **self.0.get_or_insert_default();
        for (own, added) in edges.as_flattened_mut().iter_mut().zip(added.as_flattened()) {
            *own += added;
            *total += added;
        }
    }

    pub(crate) fn total(&self) -> u64 {
        self.0.as_ref().map_or(0, |record| record.total)
    }

    /// The last event, if it is not among the first `known` ones.
    pub(crate) fn newer_than(&self, known: u64) -> Option<Event> {
        self.recent().next_back().filter(|event| event.sequence > known).copied()
    }

    pub(crate) fn last_change(&self) -> Option<Tick> {
        self.recent().next_back().map(|event| event.at)
    }

    /// The kept events with a sequence number above `sequence`, oldest first.
    pub(crate) fn after(&self, sequence: u64) -> Vec<Event> {
        self.recent().filter(|event| event.sequence > sequence).copied().collect()
    }

    fn recent(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.0.iter().flat_map(|record| &record.recent)
    }
}
