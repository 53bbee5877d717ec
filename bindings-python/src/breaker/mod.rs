//! `Breaker`: the compiled base class of `CircuitBreaker`. Python calls it through [`crate::breaker_methods`].

mod calls;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};
use std::time::Duration;

use halfopen::{CircuitBreaker, Config};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::clock::PyClock;
use crate::context::Blocks;
use crate::counted::Counted;
use crate::error::refused;
use crate::evidence::Followed;
use crate::judging::Judging;
use crate::listeners::PyListeners;
use crate::observer::PyObserver;
use crate::stream_items::StreamItems;
use crate::watchers::Watched;

/// A circuit on the core. `halfopen.CircuitBreaker` adds the parts that need an event loop.
///
/// `__new__` takes any arguments, so that a subclass may have an `__init__` with others. Until
/// `CircuitBreaker.__init__` has run, the core rejects every call, and [`PyBreaker::initialised`] refuses every other
/// use.
#[pyclass(frozen, subclass, name = "Breaker", module = "halfopen._core")]
#[derive(Default)]
pub struct PyBreaker {
    /// Its number, which no other breaker of this process has or had.
    pub number: u64,
    pub counted: Counted,
    pub stream_items: StreamItems,
    pub blocks: Blocks,
    pub listeners: PyListeners,
    pub observer: PyObserver,
    /// Dropped last, because the other fields may count something when they are dropped.
    pub identity: OnceLock<Identity>,
}

pub type Core = CircuitBreaker<PyClock>;

/// Held open without an end: the core of breakers that are not initialised.
static REJECTING: LazyLock<Arc<Core>> = LazyLock::new(|| {
    let core = CircuitBreaker::with_clock(Config::default(), PyClock::system());
    // Only a duration could be refused.
    let _ = core.force_open(None);
    Arc::new(core)
});

/// The core that rejects every call. Its first use makes it.
#[cold]
pub fn rejecting_core() -> &'static Arc<Core> {
    &REJECTING
}

/// The core, the name and the rules of an initialised breaker, and its entries in the log and the metrics.
pub struct Identity {
    pub core: Arc<Core>,
    pub name: Py<PyString>,
    pub judging: Judging,
    /// If set, calls that cannot be cut off are refused.
    pub call_timeout_seconds: Option<f64>,
    pub watched: Arc<Watched>,
    pub _followed: Followed,
}

impl PyBreaker {
    /// A breaker that has still to be initialised.
    pub fn empty() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self { number: NEXT.fetch_add(1, Ordering::Relaxed), ..Self::default() }
    }

    /// The core; until `__init__` has been called, one that rejects every call.
    #[inline(always)]
    pub fn core(&self) -> &Arc<Core> {
        match self.identity.get() {
            Some(identity) => &identity.core,
            None => rejecting_core(),
        }
    }

    /// The core, for everything except calls. Raises `InvalidValueError` if `__init__` has not been called.
    pub fn ready(&self, py: Python<'_>) -> PyResult<&Arc<Core>> {
        self.initialised(py).map(|identity| &identity.core)
    }

    /// Its identity. Raises `InvalidValueError` if `__init__` has not been called.
    pub fn initialised(&self, py: Python<'_>) -> PyResult<&Identity> {
        self.identity.get().ok_or_else(|| not_initialised(py))
    }

    /// The first content of a stream has come, after this time.
    pub fn record_first_item(&self, py: Python<'_>, waited: Duration) {
        self.core().record_first_item(waited);
        if let Ok(identity) = self.initialised(py) {
            identity.watched.first_item(py, waited);
        }
    }
}

#[cold]
fn not_initialised(py: Python<'_>) -> PyErr {
    let value = "one that is not initialised";
    let allowed = "a breaker whose own __init__ has called super().__init__(config, provider_id, …)";
    refused(py, "breaker", &value.into(), allowed)
}
