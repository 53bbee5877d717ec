//! The clock of a breaker: the core's system clock, or a callable of the host.

use std::sync::atomic::{AtomicU64, Ordering};

use halfopen::clock::{Clock, SystemClock, Tick};
use pyo3::exceptions::PyValueError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::convert::value_of;
use crate::error::{refused, report};
use crate::ffi::{attached, call_host_plainly};

/// The clock of a breaker made from Python.
pub enum PyClock {
    /// The platform's monotonic clock.
    System(SystemClock),
    /// A callable that returns seconds, and the last good reading of it.
    Host { callable: Py<PyAny>, last: AtomicU64 },
}

impl PyClock {
    /// The platform's clock.
    pub fn system() -> Self {
        Self::System(SystemClock::new())
    }

    /// Whether it is the platform's clock.
    pub fn is_system(&self) -> bool {
        matches!(self, Self::System(_))
    }

    /// Refuses a callable that returns no time. One that raises may work later; see [`Self::now`].
    pub fn new(py: Python<'_>, callable: Option<Py<PyAny>>) -> PyResult<Self> {
        let Some(callable) = callable else { return Ok(Self::system()) };
        let last = match call_host_plainly(callable.bind(py)) {
            Ok(seconds) => tick_of(&seconds).ok_or_else(|| {
                refused(py, "clock", &value_of(&seconds), "a function that returns seconds, at least 0")
            })?,
            Err(fault) => {
                fault.write_unraisable(py, Some(callable.bind(py)));
                Tick::ZERO
            }
        };
        Ok(Self::Host { callable, last: AtomicU64::new(last.as_nanos()) })
    }

    /// Whether a clock that is made from this callable, or without one, reads the same time.
    pub fn is(&self, py: Python<'_>, other: Option<&Py<PyAny>>) -> bool {
        match (self, other) {
            (Self::System(_), None) => true,
            (Self::Host { callable, .. }, Some(other)) => callable.is(other.bind(py)),
            _ => false,
        }
    }

    /// As [`Self::now`] without a report: garbage that is being collected may hold a clock that has already been taken apart.
    pub fn now_quietly(&self) -> Tick {
        match self {
            Self::System(system) => system.now(),
            Self::Host { callable, last } => read_host(callable, last, |fault, _| drop(fault)),
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
    /// A clock that raises, or returns a value that is not a time, must not harm the guarded call: it is reported, and
    /// no time has passed.
    #[inline]
    fn now(&self) -> Tick {
        match self {
            Self::System(system) => system.now(),
            Self::Host { callable, last } => read_host(callable, last, report),
        }
    }
}

#[inline(never)]
fn read_host(callable: &Py<PyAny>, last: &AtomicU64, report: fn(PyErr, &Bound<'_, PyAny>)) -> Tick {
    attached(|py| {
        let callable = callable.bind(py);
        match read(callable) {
            Ok(tick) => last.store(tick.as_nanos(), Ordering::Relaxed),
            Err(fault) => report(fault, callable),
        }
        Tick::from_nanos(last.load(Ordering::Relaxed))
    })
}

fn read(callable: &Bound<'_, PyAny>) -> PyResult<Tick> {
    let seconds = call_host_plainly(callable)?;
    tick_of(&seconds).ok_or_else(|| PyValueError::new_err(format!("the clock of a circuit breaker returned {seconds}")))
}

fn tick_of(seconds: &Bound<'_, PyAny>) -> Option<Tick> {
    Tick::from_seconds(seconds.extract().ok()?)
}
