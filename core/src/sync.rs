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
        #[cfg(target_family = "wasm")]
        descend(FRAMES);
        // Nothing that runs under the lock can panic half-way, so a poisoned value is still whole.
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    #[cfg(not(any(feature = "std", loom)))]
    pub(crate) fn lock(&self) -> spin::MutexGuard<'_, T> {
        #[cfg(target_family = "wasm")]
        descend(FRAMES);
        self.0.lock()
    }
}

/// Holds so many numbers at once.
#[cfg(target_family = "wasm")]
macro_rules! hold {
    () => {};
    ($number:literal $($others:literal)*) => {
        let held = opaque($number);
        hold!($($others)*);
        opaque(held);
    };
}

/// More than whoever holds the lock ever needs: three kilobytes.
#[cfg(target_family = "wasm")]
const FRAMES: u32 = 8;

/// Goes down so many frames of the host's stack, each of some four hundred bytes or more, and comes back.
///
/// In WebAssembly a call that finds the stack full never returns, and nothing lets go of what its callers held. So where
/// there is no room, it has to show before anything is touched: the breaker asks for what it needs before it takes its
/// lock, and a host may ask for more before it gives an order.
#[cfg(target_family = "wasm")]
#[inline(never)]
pub fn descend(frames: u32) -> u64 {
    // An engine gives a frame room for all that its function may hold at once. So the way that is never taken makes the
    // frame large, at no cost to the other; as many bytes in small frames take ten times as long.
    if opaque(0) != 0 {
        hold!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
    }
    // Otherwise the compiler would make a loop of it.
    if frames == 0 { 0 } else { opaque(descend(frames - 1)) }
}

/// The number, of which the compiler knows nothing.
#[cfg(target_family = "wasm")]
#[inline(never)]
fn opaque(number: u64) -> u64 {
    core::hint::black_box(number)
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
