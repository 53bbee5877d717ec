//! Which permit belongs to which `with breaker:`.
//!
//! `with` calls `__enter__` and `__exit__` from one frame, so the frame identifies the block. That holds also in a
//! generator or coroutine that is suspended inside the block and resumed in another thread or context.
//!
//! `contextlib.ExitStack` and other context managers that pass the calls on use two frames. Their exit takes the block that
//! was entered last in the running context. If that context has none, because a framework ran the two halves in two
//! contexts, it takes the block that was entered last anywhere, so none leaks.
//!
//! `with breaker.acquire():` carries its own permit and needs none of this.
//!
//! No Python code runs between these steps: an interrupt there could leave a block entered forever.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use pyo3::exceptions::PyStopIteration;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::Frame;
use crate::lock::Lock;
use crate::nesting::{Block, Marks};

/// The blocks of one breaker that have been entered and not yet left.
#[derive(Default)]
pub struct Blocks(Lock<BTreeMap<Block, Entry>>);

/// The contexts in which the block was entered refer to it weakly.
type Entry = (Py<PyAny>, Arc<Block>);

impl Blocks {
    /// The block that this permit is for is entered.
    pub fn enter(&self, permit: &Bound<'_, PyAny>) -> PyResult<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let py = permit.py();
        let block = Arc::new(Block { frame: Frame::running(py), number: NEXT.fetch_add(1, Ordering::Relaxed) });
        let mut marks = Marks::read(py)?;
        marks.blocks.push(Arc::downgrade(&block));
        marks.write(py)?;
        self.0.lock().insert(*block, (permit.clone().unbind(), block));
        Ok(())
    }

    /// The permit of the block that is left now; `None` where none was entered.
    pub fn leave(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let frame = Frame::running(py);
        let entered_here = Marks::read(py)?.blocks;
        let mut open = self.0.lock();
        let of_the_frame = frame.and_then(|_| {
            let all = Block { frame, number: 0 }..=Block { frame, number: u64::MAX };
            open.range(all).next_back().map(|(block, _)| *block)
        });
        let entered_here = entered_here.iter().rev().filter_map(Weak::upgrade);
        let of_the_context = || entered_here.map(|block| *block).find(|block| open.contains_key(block));
        let last = || open.keys().max_by_key(|block| block.number).copied();
        let left = of_the_frame.or_else(of_the_context).or_else(last);
        Ok(left.and_then(|block| open.remove(&block)).map(|(permit, _)| permit))
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(|open| open.values().try_for_each(|(permit, _)| visit.call(permit)))
    }

    pub fn clear(&self) {
        let open = std::mem::take(&mut *self.0.lock());
        drop(open);
    }
}

/// The coroutine that an `async with` awaits at its two ends. It ends with its first step.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Ready(Option<(Py<PyAny>, Enter)>);

/// Enters the block of a breaker or a permit, and returns what `as` binds.
pub type Enter = fn(&Bound<'_, PyAny>) -> PyResult<Py<PyAny>>;

impl Ready {
    /// At the beginning of a block.
    pub fn entering(target: Py<PyAny>, enter: Enter) -> Self {
        Self(Some((target, enter)))
    }

    /// At the end of a block.
    pub fn left() -> Self {
        Self(None)
    }
}

#[pymethods]
impl Ready {
    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<()> {
        let entered = self.0.as_ref().map(|(target, enter)| enter(target.bind(py))).transpose()?;
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
        self.0.as_ref().map_or(Ok(()), |(target, _)| visit.call(target))
    }
}
