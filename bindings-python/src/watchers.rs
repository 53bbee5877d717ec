//! Python objects that are notified about every breaker of the process: the log, and telemetry if it is installed.
//!
//! Unlike an observer, they belong to no breaker: they also follow breakers that are made later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::evidence::Event;
use halfopen::host::{self, Entries, SettledCall, Throttle};
use halfopen::metrics::Labels;
use halfopen::{CircuitBreaker, Rejected};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::clock::PyClock;
use crate::convert::dict_of;
use crate::error::report;
use crate::ffi::{attached, call_host_method};
use crate::imports::Method;
use crate::lock::Lock;

/// Notified of transitions, and of rejections once a minute.
static LOG: Watcher = Watcher::new();

/// Notified of transitions, of every rejected and every settled call, and of the first items of streams.
static TELEMETRY: Watcher = Watcher::new();

struct Watcher {
    is_there: AtomicBool,
    object: Lock<Option<Py<PyAny>>>,
}

impl Watcher {
    const fn new() -> Self {
        Self { is_there: AtomicBool::new(false), object: Lock::new(None) }
    }

    fn is_there(&self) -> bool {
        self.is_there.load(Ordering::Relaxed)
    }

    fn set(&self, object: Option<Py<PyAny>>) {
        self.is_there.store(object.is_some(), Ordering::Relaxed);
        let before = std::mem::replace(&mut *self.object.lock(), object);
        // Dropping it may run Python, so the lock is free by then.
        drop(before);
    }

    /// Calls a method of the watcher, if there is one. Its exception goes to `sys.unraisablehook`.
    fn notify<'py>(
        &self,
        py: Python<'py>,
        method: Method,
        arguments: PyResult<impl IntoPyObject<'py, Target = PyTuple>>,
    ) {
        if !self.is_there() {
            return;
        }
        let kept = self.object.lock().as_ref().map(|it| it.clone_ref(py));
        let Some(object) = kept else { return };
        let object = object.bind(py);
        if let Err(error) = arguments.and_then(|arguments| call_host_method(object, method, arguments)) {
            report(error, object);
        }
    }
}

/// Sets or removes the object that writes the log.
#[pyfunction]
#[pyo3(signature = (log, /))]
pub fn set_log(log: Option<Py<PyAny>>) {
    LOG.set(log);
}

/// Sets or removes the object that exports telemetry; false, and nothing changes, if another one is set.
#[pyfunction]
#[pyo3(signature = (telemetry, /))]
pub fn set_telemetry(telemetry: Option<Py<PyAny>>) -> bool {
    if telemetry.is_some() && TELEMETRY.is_there() {
        return false;
    }
    TELEMETRY.set(telemetry);
    true
}

/// Tells the watchers about one breaker.
pub struct Watched {
    labels: Labels,
    /// Whether its user writes a log of their own, as `halfopen.compat` does.
    has_own_log: AtomicBool,
    rejections: Throttle,
}

impl Watched {
    pub fn new(core: &Arc<CircuitBreaker<PyClock>>, labels: Labels) -> Arc<Self> {
        let watched = Arc::new(Self { labels, has_own_log: AtomicBool::new(false), rejections: Throttle::default() });
        let following = Arc::clone(&watched);
        host::follow(core, Arc::new(move |event| following.changed(event)));
        watched
    }

    fn name(&self) -> &str {
        &self.labels.name
    }

    pub fn provider(&self) -> &str {
        &self.labels.provider
    }

    /// Leaves the log to the breaker's user.
    pub fn keep_own_log(&self) {
        self.has_own_log.store(true, Ordering::Relaxed);
    }

    /// Whether a telemetry follows settled calls.
    #[inline(always)]
    pub fn follows_settled_calls() -> bool {
        TELEMETRY.is_there()
    }

    fn is_logged(&self) -> bool {
        LOG.is_there() && !self.has_own_log.load(Ordering::Relaxed)
    }

    fn changed(&self, event: &Event) {
        let watchers = [(self.is_logged(), &LOG), (TELEMETRY.is_there(), &TELEMETRY)];
        for (_, watcher) in watchers.into_iter().filter(|(is_told, _)| *is_told) {
            attached(|py| {
                let arguments = dict_of(py, event.entries()).map(|raw| (self.name(), self.provider(), raw));
                watcher.notify(py, |names| &names.changed, arguments);
            });
        }
    }

    pub fn rejected(&self, py: Python<'_>, rejected: &Rejected, now: Tick) {
        let reason = rejected.reason.as_str();
        let retry_after = rejected.retry_after.map(|wait| wait.as_secs_f64());
        TELEMETRY.notify(py, |names| &names.rejected, Ok((self.name(), self.provider(), reason, retry_after)));
        if self.is_logged()
            && let Some(count) = self.rejections.count(now)
        {
            LOG.notify(py, |names| &names.rejected, Ok((self.name(), self.provider(), reason, retry_after, count)));
        }
    }

    pub fn first_item(&self, py: Python<'_>, waited: Duration) {
        TELEMETRY.notify(py, |names| &names.first_item, Ok((self.name(), self.provider(), waited.as_secs_f64())));
    }

    pub fn settled(&self, py: Python<'_>, call: &SettledCall) {
        let seconds = call.duration.map(|duration| duration.as_secs_f64());
        let arguments = (self.name(), self.provider(), call.outcome.as_str(), seconds);
        TELEMETRY.notify(py, |names| &names.settled, Ok(arguments));
    }
}
