//! The only place that names a lock or an atomic, so that another one (a model checker's, say) can take its place.

#[cfg(not(any(feature = "std", feature = "spin")))]
compile_error!("halfopen needs a lock: turn on the feature `std` or, without it, `spin`");

pub(crate) use core::sync::atomic::{AtomicU64, Ordering};

/// A lock that is held for some nanoseconds, and never while host code runs.
#[derive(Debug)]
pub(crate) struct Mutex<T>(Inner<T>);

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

#[cfg(feature = "std")]
type Inner<T> = std::sync::Mutex<T>;
#[cfg(not(feature = "std"))]
type Inner<T> = spin::Mutex<T>;

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    #[cfg(feature = "std")]
    pub(crate) fn lock(&self) -> std::sync::MutexGuard<'_, T> {
        // Nothing that runs under the lock can panic half-way, so a poisoned value is still whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(not(feature = "std"))]
    pub(crate) fn lock(&self) -> spin::MutexGuard<'_, T> {
        self.0.lock()
    }
}
