//! The report of a run: counts, a score, transitions with their reasons, and series over time.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

use crate::control::{Cause, State};

/// The most transitions that a report keeps; later ones are only counted.
pub const TRANSITIONS_KEPT: usize = 10_000;
/// The points of each series.
pub const POINTS: usize = 240;

/// The result of one run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// How the requests of users ended. The first is the sum of the other three.
    pub requests: u64,
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that ended with a failed call.
    pub failed: u64,
    /// Requests that were rejected by every breaker that was asked.
    pub refused: u64,
    /// The numbers by which configurations are compared.
    pub score: Score,
    /// The changes of state, oldest first.
    pub transitions: Vec<ReportedTransition>,
    /// All changes of state, including those beyond [`TRANSITIONS_KEPT`].
    pub transition_count: u64,
    /// The time between two points of `series`, in seconds.
    pub step_seconds: f64,
    /// The run over time, [`POINTS`] points.
    pub series: Vec<Point>,
}

/// The numbers by which configurations are compared. Less is better.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Requests of users that were not answered.
    pub failed_requests: u64,
    /// From the beginning of the first fault to the first opening; `None` if no circuit opened after it.
    pub seconds_to_open: Option<f64>,
    /// From the end of the last fault until every circuit was closed; `None` if no circuit was open then, or one stayed so.
    pub seconds_to_recover: Option<f64>,
    /// Circuits that were not closed when the run ended.
    pub not_closed_at_end: u32,
    /// Calls that failed while a fault of their provider was in force.
    pub wasted_calls: u64,
    /// Calls that a breaker rejected and that would have succeeded.
    pub refused_in_vain: u64,
    /// Calls to providers for each request. 1 without retries and failover; below 1 where breakers rejected.
    pub calls_per_request: f64,
    /// The time until an answered request had its answer, for half of them, 95 % and 99 %; `None` without answers.
    pub latency_seconds: Option<[f64; 3]>,
}

/// A change of state of one circuit.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportedTransition {
    /// Seconds from the start.
    pub at_seconds: f64,
    /// The worker process, from 0.
    pub worker: u32,
    /// The provider, by its index in the scenario.
    pub provider: u32,
    /// The state before.
    pub from_state: State,
    /// The state after.
    pub to_state: State,
    /// The reason.
    pub cause: Cause,
    /// The sentence that the breaker itself says then.
    pub explanation: String,
}

/// The requests that ended within one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Point {
    /// Answered.
    pub answered: u32,
    /// Ended with a failed call.
    pub failed: u32,
    /// Rejected.
    pub refused: u32,
    /// The sum of the latencies of the answered ones, in seconds.
    pub latency_seconds: f64,
    /// Circuits that were open or half-open at the end of the step.
    pub not_closed: u32,
}

/// Latencies in buckets whose width is a sixteenth of a power of two, so a percentile is right to 6 %.
#[derive(Clone, Debug)]
pub(super) struct Latencies(Vec<u64>);

impl Latencies {
    pub(super) fn new() -> Self {
        Self(alloc::vec![0; 64 * 16])
    }

    pub(super) fn add(&mut self, nanos: u64) {
        self.0[bucket(nanos)] += 1;
    }

    /// The upper bound of the bucket that holds this share of the latencies, in seconds.
    pub(super) fn percentile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().sum();
        let rank = ((total as f64 * share) as u64).min(total.checked_sub(1)?);
        let mut below = 0;
        let found = self.0.iter().position(|count| {
            below += count;
            below > rank
        });
        found.map(|index| upper_bound(index) * 1e-9)
    }
}

fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(16);
    let exponent = 63 - nanos.leading_zeros();
    (exponent * 16) as usize + ((nanos >> (exponent - 4)) & 15) as usize
}

fn upper_bound(bucket: usize) -> f64 {
    let (exponent, part) = (bucket / 16, bucket % 16);
    (1_u64 << exponent) as f64 * (1.0 + (part + 1) as f64 / 16.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_six_percent() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.percentile(0.5), None);
        for milliseconds in 1..=1_000 {
            latencies.add(milliseconds * 1_000_000);
        }
        for (share, exact) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99), (1.0, 1.0), (0.0, 0.001)] {
            let read = latencies.percentile(share).unwrap();
            assert!(read >= exact && read <= exact * 1.065, "{share}: {read}");
        }
    }
}
