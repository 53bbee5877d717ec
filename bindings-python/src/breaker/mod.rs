//! `Breaker`: the compiled base class of `CircuitBreaker`. Python calls it through [`crate::breaker_methods`].

mod calls;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen::{CircuitBreaker, Config};
use pyo3::prelude::*;
use pyo3::types::PyString;

use crate::clock::PyClock;
use crate::context::Blocks;
use crate::counted::Counted;
use crate::evidence::Followed;
use crate::judging::Judging;
use crate::listeners::PyListeners;
use crate::observer::PyObserver;
use crate::stream_items::StreamItems;
use crate::watchers::Watched;

/// A circuit on the core. `halfopen.CircuitBreaker` adds the parts that need an event loop.
#[pyclass(frozen, subclass, name = "Breaker", module = "halfopen._core")]
pub struct PyBreaker {
    pub core: Arc<CircuitBreaker<PyClock>>,
    /// Tells it from every other breaker of this process, also from those that are gone.
    pub number: u64,
    pub counted: Counted,
    pub name: Py<PyString>,
    /// If set, calls that cannot be cut off are refused.
    pub call_timeout_seconds: Option<f64>,
    pub judging: Judging,
    pub stream_items: StreamItems,
    pub blocks: Blocks,
    pub listeners: PyListeners,
    pub observer: PyObserver,
    pub watched: Arc<Watched>,
    /// The last to go, since the others may still count something as they go.
    _followed: Followed,
}

impl PyBreaker {
    /// A closed breaker, which the metrics of the process follow.
    pub fn closed(
        py: Python<'_>,
        config: Config,
        provider_id: &str,
        clock: PyClock,
        call_timeout_seconds: Option<f64>,
        judging: Judging,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let core = Arc::new(CircuitBreaker::with_clock(config, clock));
        let name = PyString::new(py, core.name()).unbind();
        let watched = Watched::new(&core, provider_id);
        let _followed = Followed::new(&core, provider_id);
        Self {
            core,
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            counted: Counted::default(),
            name,
            call_timeout_seconds,
            judging,
            stream_items: StreamItems::default(),
            blocks: Blocks::default(),
            listeners: PyListeners::default(),
            observer: PyObserver::default(),
            watched,
            _followed,
        }
    }
}
