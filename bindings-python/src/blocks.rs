//! Which permit belongs to which `with breaker:`.
//!
//! Many tasks and threads enter one breaker at once, so each context knows the blocks that were entered in it. A block
//! may also be left in another context than it was entered in (a framework may run the two halves of a generator in two
//! worker threads); then any permit that was entered and not yet left serves, so that none leaks. `with
//! breaker.acquire() as permit:` carries its own permit and has no such question.
//!
//! All of it runs without a step of Python's in between, where an interrupt could make an entered block one that is
//! never left.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::breaker::PyBreaker;
use crate::permit::PyPermit;

/// A `with` block is entered.
pub fn enter<'py>(breaker: &Bound<'py, PyBreaker>) -> PyResult<Bound<'py, PyPermit>> {
    let permit = Bound::new(breaker.py(), PyBreaker::acquire(breaker, None)?)?;
    breaker.get().blocks().enter(&permit)?;
    Ok(permit)
}

/// A `with` block is left, with this error or `None`.
pub fn leave(breaker: &PyBreaker, error: &Bound<'_, PyAny>) -> PyResult<()> {
    match breaker.blocks().leave(error.py())? {
        Some(permit) => permit.get().left(error),
        None => Ok(()),
    }
}

/// The blocks of one breaker that have been entered and not yet left, oldest first.
#[derive(Default)]
pub struct Blocks(Mutex<BTreeMap<u64, Block>>);

type Block = (Py<PyPermit>, Arc<u64>);

impl Blocks {
    fn enter(&self, permit: &Bound<'_, PyPermit>) -> PyResult<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let py = permit.py();
        let number = Arc::new(NEXT.fetch_add(1, Ordering::Relaxed));
        let mut numbers = Entered::read(py)?;
        numbers.push(Arc::clone(&number));
        Entered::write(py, &numbers)?;
        self.open().insert(*number, (permit.clone().unbind(), number));
        Ok(())
    }

    /// The permit of the block that is left now; `None` where none was entered.
    fn leave(&self, py: Python<'_>) -> PyResult<Option<Py<PyPermit>>> {
        let numbers = Entered::read(py)?;
        let mut open = self.open();
        let entered_here = numbers.iter().rev().find_map(|number| open.remove(number));
        let left = entered_here.or_else(|| open.pop_last().map(|(_, block)| block));
        Ok(left.map(|(permit, _)| permit))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        // Whoever holds the lock does so for an instant, and the collector will come again.
        let Ok(open) = self.0.try_lock() else { return Ok(()) };
        open.values().try_for_each(|(permit, _)| visit.call(permit))
    }

    pub fn clear(&self) {
        let open = std::mem::take(&mut *self.open());
        drop(open);
    }

    fn open(&self) -> MutexGuard<'_, BTreeMap<u64, Block>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The numbers of the blocks that were entered in a context.
///
/// It keeps neither breaker nor permit alive, for a task that is started inside a block inherits its context. The number
/// of a block that has been left, here or elsewhere, is forgotten when the next one is entered.
#[pyclass(frozen, module = "halfopen._core")]
struct Entered(Vec<Weak<u64>>);

impl Entered {
    fn read(py: Python<'_>) -> PyResult<Vec<Arc<u64>>> {
        let entered = Self::variable(py)?.call_method1(intern!(py, "get"), (py.None(),))?;
        let Ok(entered) = entered.cast::<Self>() else { return Ok(Vec::new()) };
        Ok(entered.get().0.iter().filter_map(Weak::upgrade).collect())
    }

    fn write(py: Python<'_>, numbers: &[Arc<u64>]) -> PyResult<()> {
        let entered = Self(numbers.iter().map(Arc::downgrade).collect());
        Self::variable(py)?.call_method1(intern!(py, "set"), (entered,))?;
        Ok(())
    }

    fn variable(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
        static VARIABLE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        let made = VARIABLE.get_or_try_init(py, || {
            let class = py.import("contextvars")?.getattr("ContextVar")?;
            Ok::<_, PyErr>(class.call1(("halfopen_entered",))?.unbind())
        });
        Ok(made?.bind(py))
    }
}

#[pymethods]
impl Entered {
    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// What an `async with` awaits at its two ends: a coroutine that is over with its first step.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Ready {
    /// The breaker whose block is entered in that step.
    entering: Option<Py<PyBreaker>>,
}

impl Ready {
    pub fn entering(breaker: Py<PyBreaker>) -> Self {
        Self { entering: Some(breaker) }
    }

    pub fn left() -> Self {
        Self { entering: None }
    }
}

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<()> {
        let entered = match &self.entering {
            Some(breaker) => Some(enter(breaker.bind(py))?.unbind()),
            None => None,
        };
        Err(PyStopIteration::new_err((entered,)))
    }

    fn send(&self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.__next__(value.py())
    }

    #[pyo3(signature = (error, /, *_rest))]
    fn throw(&self, error: Bound<'_, PyAny>, _rest: &Bound<'_, PyAny>) -> PyErr {
        PyErr::from_value(error)
    }

    fn close(&self) {}

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.entering)
    }
}
