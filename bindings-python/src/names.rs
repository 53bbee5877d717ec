//! `Names`: the breakers of a registry.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::raw::is_shared;

/// Breakers by name. Each method takes effect at one instant, with no step of Python in between.
#[pyclass(frozen, name = "Names", module = "halfopen._core")]
#[derive(Default)]
pub struct PyNames(Mutex<BTreeMap<String, Py<PyAny>>>);

impl PyNames {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Py<PyAny>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl PyNames {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// The breaker of that name.
    #[pyo3(signature = (name, /))]
    fn get(&self, py: Python<'_>, name: &str) -> Option<Py<PyAny>> {
        self.open().get(name).map(|breaker| breaker.clone_ref(py))
    }

    /// The breaker of that name, which is this one if there was none; `None` where there are `bound` others.
    #[pyo3(signature = (name, breaker, bound, /))]
    fn add(&self, py: Python<'_>, name: String, breaker: Py<PyAny>, bound: usize) -> Option<Py<PyAny>> {
        let mut open = self.open();
        if open.len() >= bound && !open.contains_key(&name) {
            return None;
        }
        Some(open.entry(name).or_insert_with(|| breaker.clone_ref(py)).clone_ref(py))
    }

    /// Takes the breaker of that name away.
    #[pyo3(signature = (name, /))]
    fn remove(&self, name: &str) -> Option<Py<PyAny>> {
        self.open().remove(name)
    }

    /// The same where nobody else holds it; says whether it did.
    #[pyo3(signature = (name, /))]
    fn remove_unshared(&self, py: Python<'_>, name: &str) -> bool {
        let mut open = self.open();
        let unshared = open.get(name).is_some_and(|breaker| !is_shared(breaker.bind(py)));
        let removed = if unshared { open.remove(name) } else { None };
        // Letting go of a breaker may run Python, so the lock is free by then.
        drop(open);
        removed.is_some()
    }

    /// All breakers, in the order of their names.
    fn all(&self, py: Python<'_>) -> Vec<Py<PyAny>> {
        self.open().values().map(|breaker| breaker.clone_ref(py)).collect()
    }

    fn __len__(&self) -> usize {
        self.open().len()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does so for an instant, and the collector will come again.
        let Ok(open) = self.0.try_lock() else { return Ok(()) };
        open.values().try_for_each(|breaker| visit.call(breaker))
    }

    fn __clear__(&self) {
        let all = std::mem::take(&mut *self.open());
        drop(all);
    }
}
