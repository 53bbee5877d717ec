//! The only place that names a lock or an atomic, so that the model checker can take its place.

#[cfg(not(any(feature = "std", feature = "spin")))]
compile_error!("halfopen needs a lock: turn on the feature `std` or, without it, `spin`");

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering};

#[cfg(loom)]
use loom::sync as platform;
#[cfg(all(feature = "std", not(loom)))]
use std::sync as platform;

/// A lock that is held for some nanoseconds, and never while host code runs.
#[derive(Debug, Default)]
pub(crate) struct Mutex<T>(Inner<T>);

#[cfg(any(feature = "std", loom))]
type Inner<T> = platform::Mutex<T>;
#[cfg(not(any(feature = "std", loom)))]
type Inner<T> = spin::Mutex<T>;

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Inner::new(value))
    }

    #[cfg(any(feature = "std", loom))]
    pub(crate) fn lock(&self) -> platform::MutexGuard<'_, T> {
        // Nothing that runs under the lock can panic half-way, so a poisoned value is still whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(not(any(feature = "std", loom)))]
    pub(crate) fn lock(&self) -> spin::MutexGuard<'_, T> {
        self.0.lock()
    }
}
