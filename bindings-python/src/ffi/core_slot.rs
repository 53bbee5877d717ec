//! The core of a breaker's Python object, which `__init__` puts there after `__new__` has made the object.
//!
//! A call reads one pointer, as it would of a core that was there from the start, and checks nothing: until `__init__` runs,
//! the pointer leads to a core that rejects every call. A `OnceLock` would be asked at each call whether it is filled.

use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, LazyLock};

use halfopen::{CircuitBreaker, Config};

use crate::clock::PyClock;

type Core = CircuitBreaker<PyClock>;

/// Held open without an end, and shared by all objects without a core of their own. It is never freed.
static REJECTING: LazyLock<Arc<Core>> = LazyLock::new(|| {
    let core = CircuitBreaker::with_clock(Config::default(), PyClock::system());
    // Without a duration, nothing is refused.
    let _ = core.force_open(None);
    Arc::new(core)
});

/// Makes the core that rejects every call, which the first breaker would otherwise make.
pub fn make_rejecting_core() {
    LazyLock::force(&REJECTING);
}

/// A core that is put in once; until then, one that rejects every call.
pub struct CoreSlot(AtomicPtr<Core>);

impl Default for CoreSlot {
    fn default() -> Self {
        Self(AtomicPtr::new(rejecting()))
    }
}

impl CoreSlot {
    /// Puts in the core; false, and nothing changes, if there is one.
    pub fn fill(&self, core: Arc<Core>) -> bool {
        let core = Arc::into_raw(core).cast_mut();
        let filled = self.0.compare_exchange(rejecting(), core, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if !filled {
            // SAFETY: it is the pointer of the `Arc` that was given, and no other code got it.
            drop(unsafe { Arc::from_raw(core) });
        }
        filled
    }

    /// A handle on the core that keeps it alive.
    pub fn share(&self) -> Arc<Core> {
        let core = self.0.load(Ordering::Acquire);
        // SAFETY: both pointers that may be here are those of an `Arc` that is alive: the slot holds a count of a core that
        // was put in, and `REJECTING` is never dropped.
        unsafe {
            Arc::increment_strong_count(core);
            Arc::from_raw(core)
        }
    }
}

impl Deref for CoreSlot {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        // SAFETY: as in `share`. What is replaced here is `REJECTING` and nothing else, so no reference is ever left without
        // its core while the slot lives.
        unsafe { &*self.0.load(Ordering::Acquire) }
    }
}

impl Drop for CoreSlot {
    fn drop(&mut self) {
        let core = *self.0.get_mut();
        if !ptr::eq(core, rejecting()) {
            // SAFETY: the slot holds a count of a core that was put in, and gives it back once.
            drop(unsafe { Arc::from_raw(core) });
        }
    }
}

fn rejecting() -> *mut Core {
    Arc::as_ptr(&REJECTING).cast_mut()
}
