//! A lock for data of Rust's.

use std::sync::{Mutex, MutexGuard, PoisonError};

use pyo3::gc::PyTraverseError;

/// Only taken by threads that hold the interpreter, and for steps of Rust alone, so no fork ever finds it taken. What
/// may run Python, as dropping an object may, happens when it is free again.
#[derive(Default)]
pub struct Lock<T>(Mutex<T>);

impl<T> Lock<T> {
    pub const fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Takes it. A panic under it leaves the data whole.
    #[inline]
    pub fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub fn get_mut(&mut self) -> &mut T {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner)
    }

    /// Shows the data to the garbage collector. Another thread may hold the lock for an instant; the collector comes again.
    pub fn traverse(&self, visit: impl FnOnce(&T) -> Result<(), PyTraverseError>) -> Result<(), PyTraverseError> {
        self.0.try_lock().map_or(Ok(()), |data| visit(&data))
    }
}
