//! `Evidence`: what a breaker has counted, readable after the breaker itself is gone.

use std::sync::Arc;

use halfopen::{CircuitBreaker, Durations};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::clock::PyClock;
use crate::convert::dict_of;

/// A handle on a breaker's numbers that does not keep the breaker's Python object alive.
///
/// Metrics need it: what a breaker has counted stays counted when the breaker goes.
#[pyclass(frozen, name = "Evidence", module = "halfopen._core")]
pub struct PyEvidence {
    pub core: Arc<CircuitBreaker<PyClock>>,
}

/// The calls, the sum of their durations in seconds, and bounds in seconds with the calls up to each.
type Histogram = (u64, f64, Vec<(f64, u64)>);

#[pymethods]
impl PyEvidence {
    /// The state's name, now. This reads the clock, which may be the host's.
    fn state(&self) -> &'static str {
        self.core.state().as_str()
    }

    /// The lifetime counters, by name.
    fn counts<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        dict_of(py, self.core.counts().entries())
    }

    /// For each change of state that has happened: from, to, how often.
    fn edges(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.core.edges().iter().map(|edge| (edge.from.as_str(), edge.to.as_str(), edge.count)).collect()
    }

    /// The histograms by outcome.
    fn durations(&self) -> Vec<(&'static str, Histogram)> {
        let by_outcome = self.core.durations().by_outcome().into_iter();
        let histogram = |read: Durations| (read.count(), read.total.as_secs_f64(), read.cumulative().collect());
        by_outcome.map(|(name, read)| (name, histogram(read))).collect()
    }
}
