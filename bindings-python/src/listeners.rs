//! Python callables that receive transitions.
//!
//! The core holds a handle on each callable and so does this list, through which the garbage collector sees it: a
//! listener that refers to its breaker would otherwise keep both alive for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen::CircuitBreaker;
use halfopen::clock::Tick;
use halfopen::evidence::{Event, ListenerId};
use halfopen::host::Entries;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::clock::PyClock;
use crate::convert::dict_of;
use crate::error::report;
use crate::ffi::{attached, call_host};
use crate::lock::Lock;

#[derive(Default)]
pub struct PyListeners(Lock<Vec<Listening>>);

struct Listening {
    number: u64,
    id: ListenerId,
    callable: Arc<Callable>,
}

/// Empty once the garbage collector has taken the callable away.
struct Callable(Lock<Option<Py<PyAny>>>);

impl PyListeners {
    /// `listener` is called with each event and with the time of the breaker's clock then.
    pub fn add(&self, core: &Arc<CircuitBreaker<PyClock>>, listener: Py<PyAny>) -> u64 {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let callable = Arc::new(Callable(Lock::new(Some(listener))));
        // The breaker holds what it calls, so a handle on it here would keep both for ever.
        let (called, breaker) = (Arc::clone(&callable), Arc::downgrade(core));
        let id = core.subscribe(Arc::new(move |event| {
            let now = breaker.upgrade().map_or(event.at, |breaker| breaker.clock().now_quietly());
            called.call(event, now);
        }));
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        self.0.lock().push(Listening { number, id, callable });
        number
    }

    pub fn remove(&self, core: &CircuitBreaker<PyClock>, number: u64) -> bool {
        // Dropping a callable may run Python, so the lock is free by then.
        let gone: Vec<_> = self.0.lock().extract_if(.., |listening| listening.number == number).collect();
        gone.iter().any(|listening| core.unsubscribe(listening.id))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        let visited = |listening: &Listening| listening.callable.0.traverse(|callable| visit.call(callable));
        self.0.traverse(|all| all.iter().try_for_each(visited))
    }

    pub fn clear(&self) {
        let all = std::mem::take(&mut *self.0.lock());
        for listening in &all {
            let callable = listening.callable.0.lock().take();
            drop(callable);
        }
    }
}

impl Callable {
    /// An exception of a listener goes to `sys.unraisablehook`.
    fn call(&self, event: &Event, now: Tick) {
        attached(|py| {
            let Some(callable) = self.0.lock().as_ref().map(|callable| callable.clone_ref(py)) else { return };
            let callable = callable.bind(py);
            let arguments = dict_of(py, event.entries()).and_then(|raw| (raw, now.as_seconds()).into_pyobject(py));
            if let Err(error) = arguments.and_then(|arguments| call_host(callable, &arguments, None)) {
                report(error, callable);
            }
        });
    }
}
