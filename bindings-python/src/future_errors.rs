//! The errors of the futures that calls of one breaker have returned.
//!
//! They are counted by callbacks, which run in contexts of their own, so the calls around them would not find a note in
//! theirs (see [`crate::nesting`]).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::attached;
use crate::nesting::{CountedError, ERRORS_KEPT};

/// The last errors that were counted, oldest first.
#[derive(Default)]
pub struct FutureErrors {
    errors: Mutex<Vec<CountedError>>,
    /// Whether there may be any: nearly no breaker ever has one, and a failure is faster without the lock.
    noted: AtomicBool,
}

impl FutureErrors {
    pub fn note(&self, error: CountedError) {
        let oldest = {
            let mut errors = self.lock();
            self.noted.store(true, Ordering::Relaxed);
            errors.push(error);
            (errors.len() > ERRORS_KEPT).then(|| errors.remove(0))
        };
        // Dropped without the lock, because it may run a host's finalizer.
        drop(oldest);
    }

    /// Whether a call that began no earlier than one that has `begun` then has counted this error.
    pub fn contains(&self, begun: u64, error: &Bound<'_, PyAny>) -> bool {
        let py = error.py();
        let noted: Vec<_> = self.lock().iter().filter(|it| it.begun >= begun).map(|it| it.clone_ref(py)).collect();
        noted.iter().any(|it| it.is(error))
    }

    pub fn clear(&self) {
        if self.noted.load(Ordering::Relaxed) {
            let mut noted = self.lock();
            self.noted.store(false, Ordering::Relaxed);
            let errors = std::mem::take(&mut *noted);
            // Dropped without the lock, because they may run a host's finalizer.
            drop(noted);
            attached(|_| drop(errors));
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does so for an instant, and the collector will come again.
        let Ok(errors) = self.errors.try_lock() else { return Ok(()) };
        errors.iter().try_for_each(|it| visit.call(&it.token))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<CountedError>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
