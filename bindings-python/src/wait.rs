//! The wait of a stream's consumer for the next item, for the timer that cuts it off.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use halfopen::clock::{Clock, SystemClock, Tick};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::convert::Boolean;
use crate::ffi::{call_host_method, call_host_with_one};
use crate::object_slot::ObjectSlot;

/// `Wait`: notes of the wait under way, in a task of asyncio.
///
/// The stream writes them for each item and asks the event loop for nothing but the task. The timer reads them when it
/// fires, which is rare.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Wait {
    event_loop: Py<PyAny>,
    current_task: Py<PyAny>,
    /// The running tasks by their event loops, where `current_task` is a Python function that reads it.
    current_tasks: Option<Py<PyDict>>,
    clock: SystemClock,
    /// When the stream was asked for the item, in nanoseconds of that clock.
    asked_at: AtomicU64,
    /// The number of waits that have suspended a task.
    number: AtomicU64,
    /// Whether the last of them is under way.
    is_suspended: AtomicBool,
    is_timed: AtomicBool,
    has_expired: AtomicBool,
    /// The task that waits, or waited last.
    task: ObjectSlot,
    /// How often that task had been cancelled when it was first suspended here, or when a timer was last set or fired.
    cancelling: AtomicU64,
}

impl Wait {
    /// The stream is asked for an item; `now` is the time, if it was read.
    #[inline]
    pub fn asked(&self, now: Option<Tick>) {
        let now = now.unwrap_or_else(|| self.clock.now());
        self.asked_at.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// The stream suspends the running task. Returns whether a timer has to be set. A task of another event loop than the
    /// one of the first item is not cut off.
    pub fn suspended(&self, py: Python<'_>) -> PyResult<bool> {
        if self.is_suspended.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let Some(task) = self.running_task(py)? else { return Ok(false) };
        let is_timed = self.is_timed.load(Ordering::Relaxed);
        if !is_timed || !self.task.holds(&task) {
            self.look_at(task)?;
        }
        self.number.store(self.number.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.is_suspended.store(true, Ordering::Relaxed);
        Ok(!is_timed)
    }

    #[inline]
    fn running_task<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let event_loop = self.event_loop.bind(py);
        if let Some(tasks) = &self.current_tasks
            && let Some(task) = tasks.bind(py).get_item(event_loop)?
        {
            return Ok(Some(task));
        }
        let task = call_host_with_one(self.current_task.bind(py), event_loop)?;
        Ok((!task.is_none()).then_some(task))
    }

    #[cold]
    fn look_at(&self, task: Bound<'_, PyAny>) -> PyResult<()> {
        let cancelling = call_host_method(&task, |names| &names.cancelling, ())?;
        self.cancelling.store(cancelling.extract()?, Ordering::Relaxed);
        self.task.put(task);
        Ok(())
    }
}

#[pymethods]
impl Wait {
    #[new]
    #[pyo3(signature = (event_loop, current_task, current_tasks, /))]
    fn new(event_loop: Py<PyAny>, current_task: Py<PyAny>, current_tasks: Option<Py<PyDict>>) -> Self {
        Self {
            event_loop,
            current_task,
            current_tasks,
            clock: SystemClock::new(),
            asked_at: AtomicU64::new(0),
            number: AtomicU64::new(0),
            is_suspended: AtomicBool::new(false),
            is_timed: AtomicBool::new(false),
            has_expired: AtomicBool::new(false),
            task: ObjectSlot::default(),
            cancelling: AtomicU64::new(0),
        }
    }

    /// The number of the wait under way; `None` while no task is suspended.
    #[getter]
    fn number(&self) -> Option<u64> {
        self.is_suspended.load(Ordering::Relaxed).then(|| self.number.load(Ordering::Relaxed))
    }

    /// The running task waits from now on. Returns whether a timer has to be set.
    fn begin(&self, py: Python<'_>) -> PyResult<bool> {
        self.asked(None);
        self.suspended(py)
    }

    /// The wait is over. Returns whether the timer has cut it off.
    #[pyo3(name = "end")]
    pub fn ended(&self) -> bool {
        self.is_suspended.load(Ordering::Relaxed) && {
            self.is_suspended.store(false, Ordering::Relaxed);
            self.has_expired.load(Ordering::Relaxed) && self.has_expired.swap(false, Ordering::Relaxed)
        }
    }

    /// How long the consumer has waited for the item, in seconds.
    pub fn waited(&self) -> f64 {
        self.clock.now().since(Tick::from_nanos(self.asked_at.load(Ordering::Relaxed))).as_secs_f64()
    }

    /// Says whether a timer is set; without one, the next wait asks for it.
    #[pyo3(signature = (is_timed, /))]
    fn timed(&self, is_timed: Boolean) {
        self.is_timed.store(is_timed.0, Ordering::Relaxed);
    }

    /// The timer has fired before the wait is overdue, and looks at the task.
    fn look(&self, py: Python<'_>) -> PyResult<()> {
        self.task.take(py).map_or(Ok(()), |task| self.look_at(task))
    }

    /// The wait is cut off. Returns the task to cancel, and how often it had been cancelled by others.
    fn expire<'py>(&self, py: Python<'py>) -> (Option<Bound<'py, PyAny>>, u64) {
        self.has_expired.store(true, Ordering::Relaxed);
        (self.task.take(py), self.cancelling.load(Ordering::Relaxed))
    }

    /// The stream has ended.
    fn forget_task(&self, py: Python<'_>) {
        self.is_suspended.store(false, Ordering::Relaxed);
        drop(self.task.take(py));
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.event_loop)?;
        visit.call(&self.current_task)?;
        visit.call(&self.current_tasks)?;
        self.task.traverse(&visit)
    }
}
