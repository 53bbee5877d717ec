//! The probes that the running thread is inside, so that nested calls share their permits.
//!
//! Only probes are noted, so a call of a closed circuit only checks whether its permit is a probe's. Without `std`
//! threads are not known; [`Permit::acquire_nested`](super::Permit::acquire_nested) needs no context.

use super::CircuitBreaker;
use crate::control::Stamp;

/// The innermost probe of this breaker that the running thread is inside.
pub(super) fn probe_of<C>(breaker: &CircuitBreaker<C>) -> Option<Stamp> {
    platform::find(address(breaker))
}

/// Notes that the function of a call runs from now on, until the result is dropped.
#[inline]
pub(super) fn enter<C>(breaker: &CircuitBreaker<C>, stamp: Stamp) -> Option<platform::Inside> {
    stamp.is_probe().then(|| platform::Inside::new(address(breaker), stamp))
}

/// A breaker that is borrowed by a running call stays where it is.
fn address<C>(breaker: &CircuitBreaker<C>) -> usize {
    core::ptr::from_ref(breaker).addr()
}

#[cfg(all(feature = "std", not(loom)))]
mod platform {
    use std::cell::RefCell;
    use std::vec::Vec;

    use super::Stamp;

    std::thread_local! {
        static PROBES: RefCell<Vec<(usize, Stamp)>> = const { RefCell::new(Vec::new()) };
    }

    // At the end of a thread the list is destroyed before the last calls; they count as not nested.

    #[cold]
    pub(in super::super) fn find(breaker: usize) -> Option<Stamp> {
        let find = |probes: &RefCell<Vec<(usize, Stamp)>>| {
            let probes = probes.borrow();
            probes.iter().rev().find(|(address, _)| *address == breaker).map(|(_, stamp)| *stamp)
        };
        PROBES.try_with(find).ok().flatten()
    }

    pub(in super::super) struct Inside;

    impl Inside {
        #[cold]
        pub(super) fn new(breaker: usize, stamp: Stamp) -> Self {
            let _ = PROBES.try_with(|probes| probes.borrow_mut().push((breaker, stamp)));
            Self
        }
    }

    impl Drop for Inside {
        fn drop(&mut self) {
            let _ = PROBES.try_with(|probes| probes.borrow_mut().pop());
        }
    }
}

#[cfg(any(not(feature = "std"), loom))]
mod platform {
    use super::Stamp;

    pub(in super::super) fn find(_breaker: usize) -> Option<Stamp> {
        None
    }

    pub(in super::super) struct Inside;

    impl Inside {
        pub(super) fn new(_breaker: usize, _stamp: Stamp) -> Self {
            Self
        }
    }
}
