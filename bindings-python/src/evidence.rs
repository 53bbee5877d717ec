//! `Evidence`: what a breaker has counted, readable after the breaker itself is gone.

use std::sync::Arc;

use halfopen::CircuitBreaker;
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

/// Bounds in seconds with the calls up to each, and the sum of all durations in seconds.
type Histogram = (Vec<(f64, u64)>, f64);

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

    /// By outcome: the cumulative buckets and the sum of the durations.
    fn durations(&self) -> Vec<(&'static str, Histogram)> {
        let by_outcome = self.core.durations().by_outcome().into_iter();
        by_outcome.map(|(name, read)| (name, (read.cumulative().collect(), read.total.as_secs_f64()))).collect()
    }
}
