//! The timeouts of an async stream: an object of `halfopen._stream_timeouts`, and the calls that tell it of each wait.

use std::sync::atomic::{AtomicBool, Ordering};

use halfopen::clock::Tick;
use pyo3::exceptions::PyStopAsyncIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::ffi::{attached, beside_an_error, call_host_method, unless_replaced};
use crate::imports::{Imports, Method};
use crate::wait::Wait;

/// Watches the waits of one stream.
pub struct Watch {
    object: Py<PyAny>,
    kind: Kind,
}

enum Kind {
    /// In asyncio one timer looks at the wait when it fires, so that an item costs no call of Python code.
    Timer { wait: Py<Wait>, has_content: AtomicBool },
    /// In trio each wait has a cancel scope.
    Scope { has_begun: AtomicBool },
}

impl Watch {
    /// `object` has a `wait` if it is a timer.
    pub fn new(object: Bound<'_, PyAny>) -> PyResult<Self> {
        let names = &Imports::get(object.py())?.names;
        let kind = match object.getattr_opt(&names.wait)? {
            None => Kind::Scope { has_begun: AtomicBool::new(false) },
            Some(wait) => Kind::Timer { wait: wait.cast_into::<Wait>()?.unbind(), has_content: AtomicBool::new(false) },
        };
        Ok(Self { object: object.unbind(), kind })
    }

    /// The stream is asked for an item; `now` is the time of the system's clock, if it was read.
    #[inline]
    pub fn asked(&self, py: Python<'_>, now: Option<Tick>) -> PyResult<()> {
        match &self.kind {
            Kind::Timer { wait, .. } => {
                wait.get().asked(now);
                Ok(())
            }
            Kind::Scope { has_begun } => {
                has_begun.store(true, Ordering::Relaxed);
                self.notify(py, |names| &names.begin, ())
            }
        }
    }

    /// The stream suspends the task that asked.
    #[inline]
    pub fn suspended(&self, py: Python<'_>) -> PyResult<()> {
        match &self.kind {
            Kind::Timer { wait, .. } if wait.get().suspended(py)? => self.notify(py, |names| &names.arm, ()),
            _ => Ok(()),
        }
    }

    /// An item came; `has_content` says whether one that counts as content has come.
    #[inline]
    pub fn received(&self, py: Python<'_>, has_content: bool) -> PyResult<()> {
        match &self.kind {
            Kind::Timer { wait, has_content: before } => {
                if wait.get().ended() {
                    self.notify(py, |names| &names.recovered, ())?;
                }
                if before.load(Ordering::Relaxed) {
                    return Ok(());
                }
                before.store(has_content, Ordering::Relaxed);
                self.notify(py, |names| &names.passed, (wait.get().waited(), has_content))
            }
            Kind::Scope { has_begun } => {
                has_begun.store(false, Ordering::Relaxed);
                self.notify(py, |names| &names.end, (has_content,))
            }
        }
    }

    /// The wait ended with this error. Returns the error for the consumer.
    #[cold]
    pub fn failed(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let has_ended = error.is_instance_of::<PyStopAsyncIteration>(py);
        let notified = match &self.kind {
            Kind::Timer { wait, .. } => match wait.get().ended() {
                false => return error,
                true if has_ended => self.notify(py, |names| &names.recovered, ()),
                true => self.notify(py, |names| &names.fail, (error.value(py),)),
            },
            Kind::Scope { has_begun } => match has_begun.swap(false, Ordering::Relaxed) {
                false => return error,
                true if has_ended => self.notify(py, |names| &names.end, (true,)),
                true => self.notify(py, |names| &names.fail, (error.value(py),)),
            },
        };
        unless_replaced(error, notified)
    }

    /// The stream has ended.
    #[cold]
    pub fn close(&self, py: Python<'_>) -> PyResult<()> {
        self.notify(py, |names| &names.close, ())
    }

    /// The stream was dropped before its end.
    #[cold]
    pub fn abandon(&self) {
        beside_an_error(|py| {
            if let Err(error) = self.notify(py, |names| &names.abandon, ()) {
                error.write_unraisable(py, Some(self.object.bind(py)));
            }
        });
    }

    #[cold]
    fn notify<'py>(
        &self,
        py: Python<'py>,
        name: Method,
        arguments: impl IntoPyObject<'py, Target = PyTuple>,
    ) -> PyResult<()> {
        attached(|_| call_host_method(self.object.bind(py), name, arguments).map(drop))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.object)?;
        match &self.kind {
            Kind::Timer { wait, .. } => visit.call(wait),
            Kind::Scope { .. } => Ok(()),
        }
    }
}
