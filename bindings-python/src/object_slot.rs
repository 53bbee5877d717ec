//! A field of a class that holds a Python object or nothing.

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::lock::Lock;

/// An object or nothing. Objects are released at once, and while the lock is free. PyO3 would release an object later
/// while one of our slot functions runs.
#[derive(Default)]
pub struct ObjectSlot(Lock<Option<Py<PyAny>>>);

impl ObjectSlot {
    /// Whether it holds this object.
    pub fn holds(&self, object: &Bound<'_, PyAny>) -> bool {
        self.0.lock().as_ref().is_some_and(|held| held.is(object))
    }

    /// Puts an object in, in place of the one before.
    pub fn put(&self, object: Bound<'_, PyAny>) {
        let py = object.py();
        let before = self.0.lock().replace(object.unbind());
        drop(before.map(|before| before.into_bound(py)));
    }

    /// The object in it.
    pub fn get<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.0.lock().as_ref().map(|object| object.bind(py).clone())
    }

    /// Takes the object out.
    pub fn take<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let taken = self.0.lock().take();
        taken.map(|object| object.into_bound(py))
    }

    /// Shows the object to the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(|object| visit.call(object))
    }
}
