//! All lifetime counts of a breaker, or of several breakers together.

use alloc::vec::Vec;
use core::time::Duration;

use super::history::{Edge, Edges, edges_in};
use super::{CallDurations, Counts, Durations, Rejections};
use crate::control::Reason;

/// All lifetime counts: calls, rejections, transitions and durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Totals {
    /// The lifetime counters.
    pub counts: Counts,
    /// How long the calls took.
    pub durations: CallDurations,
    /// The times to the first item of streams.
    pub first_items: Durations,
    pub(crate) rejections: Rejections,
    pub(crate) edges: Edges,
}

impl Totals {
    /// How often each change of state has happened. Those that never happened are left out.
    pub fn edges(&self) -> Vec<Edge> {
        edges_in(&self.edges)
    }

    /// The rejected calls by reason; their sum is `counts.rejected_calls`.
    pub fn rejections(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.iter().copied().zip(self.rejections)
    }

    /// Adds other counts.
    pub(crate) fn add(&mut self, other: &Self) {
        // Restored counts may be large, and a sum of large ones must not panic.
        self.combine(other, u64::saturating_add, Duration::saturating_add);
        self.counts.in_flight = self.counts.in_flight.saturating_add(other.counts.in_flight);
    }

    /// The counts since an earlier reading of the same breaker. The calls in flight are those of now.
    pub(crate) fn since(mut self, before: &Self) -> Self {
        self.combine(before, u64::saturating_sub, Duration::saturating_sub);
        self
    }

    fn combine(&mut self, other: &Self, numbers: fn(u64, u64) -> u64, durations: fn(Duration, Duration) -> Duration) {
        let each = |left: &mut [u64], right: &[u64]| {
            for (left, right) in left.iter_mut().zip(right) {
                *left = numbers(*left, *right);
            }
        };
        let mut counts = other.counts;
        for (_, place) in Counts::LASTING {
            let left = place(&mut self.counts);
            *left = numbers(*left, *place(&mut counts));
        }
        each(&mut self.rejections, &other.rejections);
        each(self.edges.as_flattened_mut(), other.edges.as_flattened());
        for (left, right) in [
            (&mut self.durations.success, &other.durations.success),
            (&mut self.durations.failure, &other.durations.failure),
            (&mut self.first_items, &other.first_items),
        ] {
            each(&mut left.buckets, &right.buckets);
            left.total = durations(left.total, right.total);
        }
    }
}
