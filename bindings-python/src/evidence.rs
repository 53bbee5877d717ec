//! The counts of one breaker, and those of all breakers of the process for its metrics.

use std::sync::{Arc, LazyLock};

use halfopen::evidence::Durations;
use halfopen::host::{self, Entries};
use halfopen::metrics::{Labels, Membership, Metrics, Reading};
use halfopen::{CircuitBreaker, State};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::clock::PyClock;
use crate::convert::dict_of;

/// The calls, the sum of their durations in seconds, and bounds in seconds with the calls up to each.
pub type Histogram = (u64, f64, Vec<(f64, u64)>);

pub fn histogram_of(read: &Durations) -> Histogram {
    (read.count(), read.total.as_secs_f64(), read.cumulative().collect())
}

/// The breakers of this process. Its lock is only taken by a thread that holds the interpreter's and for some steps of
/// Rust, so no fork ever finds it taken.
static METRICS: LazyLock<Metrics<PyClock>> = LazyLock::new(Metrics::new);

/// Keeps a breaker among those of this process, as long as this value lives.
pub struct Followed(Membership);

impl Followed {
    pub fn new(core: &Arc<CircuitBreaker<PyClock>>, provider: &str) -> Self {
        Self(METRICS.add(Arc::clone(core), provider))
    }

    pub fn labels(&self) -> &Labels {
        self.0.labels()
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        METRICS.remove(&self.0);
    }
}

/// Keeps from now on what removed breakers have counted, for scraped counters.
#[pyfunction]
pub fn keep_ended_metrics() {
    METRICS.keep_ended();
}

/// In the child of a fork: separates the inherited breakers from those of the parent.
///
/// Nothing needs to be unlocked there. A fork happens in a thread that holds the interpreter, and a lock of
/// this library is only held by a thread that holds the interpreter, without a step of Python in between.
#[pyfunction]
pub fn after_fork() {
    for core in METRICS.breakers() {
        host::after_fork(&core, host::random_jitter());
    }
    // The parent exports what it has counted; a sum over both would contain it twice.
    METRICS.begin_anew();
}

/// Numbers by name.
type Counts = Vec<(&'static str, u64)>;

/// For each change of state that has happened: from, to, how often.
type Edges = Vec<(&'static str, &'static str, u64)>;

/// The sum of the durations in seconds, and the calls in each bucket.
type Buckets = (f64, Vec<u64>);

/// The name, the provider, the worst state of the live breakers, the counters, the rejections by reason, the changes of
/// state, the durations by outcome, and the times to the first item.
type Row<'py> =
    (String, String, Option<&'static str>, Bound<'py, PyDict>, Counts, Edges, Vec<(&'static str, Buckets)>, Buckets);

/// The counts of all breakers of this process by label, removed breakers included.
#[pyfunction]
pub fn read_metrics(py: Python<'_>) -> PyResult<Vec<Row<'_>>> {
    METRICS.read().into_iter().map(|reading| row(py, reading)).collect()
}

fn row(py: Python<'_>, Reading { labels, state, totals, .. }: Reading) -> PyResult<Row<'_>> {
    Ok((
        labels.name.to_string(),
        labels.provider.to_string(),
        state.map(State::as_str),
        dict_of(py, totals.counts.entries())?,
        totals.rejections().map(|(reason, count)| (reason.as_str(), count)).collect(),
        totals.edges().iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.count)).collect(),
        totals.durations.by_outcome().iter().map(|(outcome, read)| (*outcome, buckets(read))).collect(),
        buckets(&totals.first_items),
    ))
}

fn buckets(durations: &Durations) -> Buckets {
    (durations.total.as_secs_f64(), durations.buckets.to_vec())
}
