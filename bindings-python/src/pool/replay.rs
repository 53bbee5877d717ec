//! The pool of the core.

use pyo3::prelude::*;

use crate::convert::{json_of, object_of};
use crate::error::to_python;

/// Replays a log of a pool and returns what each step shows.
///
/// Raises `InvalidValueError`, naming the field, for a document that is not a log.
#[pyfunction]
#[pyo3(signature = (log, /))]
pub fn replay_pool<'py>(py: Python<'py>, log: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let shown = json_of("log", log).and_then(|log| halfopen::pool::replay(&log));
    object_of(py, &shown.map_err(|error| to_python(py, &error))?)
}
