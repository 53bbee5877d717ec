//! Locks and atomics. Every module takes them from here, so that the model checker can replace them.

#[cfg(not(any(feature = "std", feature = "spin")))]
compile_error!("halfopen needs a lock: turn on the feature `std` or, without it, `spin`");

#[cfg(not(loom))]
pub(crate) use core::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicU64, Ordering, fence};

#[cfg(loom)]
use loom::sync as platform;
#[cfg(all(feature = "std", not(loom)))]
use std::sync as platform;

/// The number of stripes of the busiest counters. Each stripe has its own cache line.
pub(crate) const STRIPES: usize = 4;

/// The stripe of the running thread, below [`STRIPES`]. Threads get stripes in turn, so two threads that start one after
/// the other have different ones. Without `std` all threads share one; in loom too, because its runs must be repeatable.
#[inline]
pub(crate) fn stripe() -> usize {
    #[cfg(all(feature = "std", not(loom)))]
    let stripe = {
        use core::sync::atomic::AtomicUsize;
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        std::thread_local! {
            static STRIPE: usize = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
        }
        STRIPE.with(|stripe| *stripe)
    };
    #[cfg(any(not(feature = "std"), loom))]
    let stripe = 0;
    stripe
}

/// Identifies a running thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadToken(usize);

/// The token of this thread, which stays the same across a fork. Without `std` all threads have the same token.
pub(crate) fn thread_token() -> ThreadToken {
    // The address of a thread-local. Unlike `std::thread::current`, it works until the thread has ended.
    #[cfg(feature = "std")]
    let token = {
        std::thread_local!(static HERE: core::cell::Cell<u8> = const { core::cell::Cell::new(0) });
        HERE.with(|here| core::ptr::from_ref(here).addr())
    };
    #[cfg(not(feature = "std"))]
    let token = 0;
    ThreadToken(token)
}

/// A lock that is held for nanoseconds and never while host code runs.
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
        // No code under a lock panics half-way, so a poisoned value is consistent.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(not(any(feature = "std", loom)))]
    pub(crate) fn lock(&self) -> spin::MutexGuard<'_, T> {
        self.0.lock()
    }
}

#[cfg(all(test, feature = "std", not(loom)))]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    #[test]
    fn threads_that_start_one_after_the_other_use_all_stripes() {
        // The threads of other tests may take any of them in between.
        let taken: BTreeSet<usize> = (0..16 * STRIPES).map(|_| thread::spawn(stripe).join().unwrap()).collect();
        assert_eq!(taken, (0..STRIPES).collect());
    }
}
