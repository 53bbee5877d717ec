//! A lock for data that only Rust code uses.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::PyTraverseError;

/// Only threads that hold the interpreter take it, and only for steps of Rust, so it is never held during a fork. An
/// operation that may run Python, such as dropping an object, waits until it is free again.
#[derive(Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes it. A panic while it is held leaves the data consistent.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the data to the garbage collector. Another thread may hold the lock for an instant; the next collection
    /// visits the data then.
    pub fn traverse(&self, visit: impl FnOnce(&T) -> Result<(), PyTraverseError>) -> Result<(), PyTraverseError> {
        self.0.try_lock().map_or(Ok(()), |data| visit(&data))
    }
}
