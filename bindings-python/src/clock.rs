//! The clock of a breaker: the core's system clock, or a callable of the host's.

use std::sync::atomic::{AtomicU64, Ordering};

use halfopen::{Clock, SystemClock, Tick};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

/// Where a breaker made from Python reads the time.
pub enum PyClock {
    /// The platform's monotonic clock.
    System(SystemClock),
    /// A callable that returns seconds, and the last good reading of it.
    Host { callable: Py<PyAny>, last: AtomicU64 },
}

impl PyClock {
    pub fn new(callable: Option<Py<PyAny>>) -> Self {
        match callable {
            None => Self::System(SystemClock::new()),
            Some(callable) => Self::Host { callable, last: AtomicU64::new(0) },
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Self::System(_) => Ok(()),
            Self::Host { callable, .. } => visit.call(callable),
        }
    }
}

impl Clock for PyClock {
    fn now(&self) -> Tick {
        match self {
            Self::System(system) => system.now(),
            Self::Host { callable, last } => Python::attach(|py| host_now(py, callable.bind(py), last)),
        }
    }
}

/// A clock that raises, or returns what is no time, must not harm the guarded call: it is reported, and no time has
/// passed.
fn host_now(py: Python<'_>, callable: &Bound<'_, PyAny>, last: &AtomicU64) -> Tick {
    // A permit may be dropped while an exception is on its way; calling Python must not disturb that.
    let on_its_way = PyErr::take(py);
    let reading = callable.call0().and_then(|seconds| {
        Tick::from_seconds(seconds.extract()?)
            .ok_or_else(|| PyValueError::new_err(format!("the clock of a circuit breaker returned {seconds}")))
    });
    let now = match reading {
        Ok(tick) => {
            last.store(tick.as_nanos(), Ordering::Relaxed);
            tick
        }
        Err(fault) => {
            fault.write_unraisable(py, Some(callable));
            Tick::from_nanos(last.load(Ordering::Relaxed))
        }
    };
    if let Some(error) = on_its_way {
        error.restore(py);
    }
    now
}
