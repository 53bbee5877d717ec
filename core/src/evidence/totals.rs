//! All lifetime counts of a breaker, or of several breakers together.

use alloc::vec::Vec;

use super::history::{Edge, Edges, walked};
use super::{CallDurations, Counts, Durations};

/// All lifetime counts: calls, transitions and durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The lifetime counters.
    pub counts: Counts,
    /// How long the calls took.
    pub durations: CallDurations,
    pub(crate) edges: Edges,
}

impl Totals {
    /// How often each change of state has happened. Those that never happened are left out.
    pub fn edges(&self) -> Vec<Edge> {
        walked(&self.edges)
    }

    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Self) {
        let mut counts = other.counts;
        for (_, place) in Counts::LASTING {
            add(place(&mut self.counts), *place(&mut counts));
        }
        add(&mut self.counts.in_flight, counts.in_flight);
        add_each(self.edges.as_flattened_mut(), other.edges.as_flattened());
        add_durations(&mut self.durations.success, &other.durations.success);
        add_durations(&mut self.durations.failure, &other.durations.failure);
    }
}

fn add_durations(sum: &mut Durations, other: &Durations) {
    add_each(&mut sum.buckets, &other.buckets);
    sum.total = sum.total.saturating_add(other.total);
}

fn add_each(sums: &mut [u64], counts: &[u64]) {
    for (sum, count) in sums.iter_mut().zip(counts) {
        add(sum, *count);
    }
}

// Restored counts may be large, and a sum of large ones must not panic.
fn add(sum: &mut u64, count: u64) {
    *sum = sum.saturating_add(count);
}
