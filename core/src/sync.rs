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

/// In how many stripes the busiest counters are kept, each in a cache line of its own.
pub(crate) const STRIPES: usize = 4;

/// The stripe of the running thread, below [`STRIPES`]. Threads take them in turn, so two that start one after the
/// other never share one. Where threads cannot be told apart, all do. (In loom, too: what it searches has to be the same
/// in each run.)
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

/// Tells a running thread from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadToken(usize);

/// That of this thread, which keeps it across a fork. Where threads cannot be told apart, all have the same.
pub(crate) fn thread_token() -> ThreadToken {
    // The address of something that each thread has one of. Unlike `std::thread::current`, it can be had to the last.
    #[cfg(feature = "std")]
    let token = {
        std::thread_local!(static HERE: core::cell::Cell<u8> = const { core::cell::Cell::new(0) });
        HERE.with(|here| core::ptr::from_ref(here).addr())
    };
    #[cfg(not(feature = "std"))]
    let token = 0;
    ThreadToken(token)
}

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
