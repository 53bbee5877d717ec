//! The marks by which calls find each other in a context (`contextvars`), which a task and `asyncio.to_thread` copy and a
//! plain thread does not.

use std::sync::{Arc, Weak};

use halfopen::host::Stamp;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::{Frame, is_shared};
use crate::imports::Imports;

/// The marks of one context; the variable is `None` where there are none.
///
/// Blocks and probes are referred to weakly, because a task that is started inside one inherits its context and may outlive
/// it. Those that have ended are forgotten when the next mark is made.
#[pyclass(frozen, module = "halfopen._core")]
#[derive(Default)]
pub struct Marks {
    /// The blocks that were entered; see [`crate::context`].
    pub blocks: Vec<Weak<Block>>,
    /// The probes whose functions run, outermost first. A call inside one shares its permit. Ordinary calls leave no such
    /// mark, and only a call that a closed circuit does not admit looks for one.
    probes: Vec<Weak<Probe>>,
    /// The results that inner calls have counted as failures while others were in flight, oldest first. An outer call of the
    /// same breaker that returns the same object does not count it again. They may be constants, so only the context can
    /// tell that one call was made inside the other; errors and responses are in [`crate::counted`].
    results: Vec<CountedResult>,
}

impl Marks {
    /// The marks of the running context, without those whose objects are gone.
    pub fn read(py: Python<'_>) -> PyResult<Self> {
        let marks = Imports::get(py)?.marks.get(py)?;
        let Ok(marks) = marks.cast::<Self>() else { return Ok(Self::default()) };
        let Self { blocks, probes, results } = marks.get();
        Ok(Self {
            blocks: blocks.iter().filter(|block| block.strong_count() > 0).cloned().collect(),
            probes: probes.iter().filter(|probe| probe.strong_count() > 0).cloned().collect(),
            results: results
                .iter()
                // A result without another reference cannot be returned again.
                .filter(|noted| is_shared(noted.object.bind(py)))
                .map(|noted| CountedResult { object: noted.object.clone_ref(py), ..*noted })
                .collect(),
        })
    }

    /// Sets the marks of the running context.
    pub fn write(self, py: Python<'_>) -> PyResult<()> {
        let is_empty = self.blocks.is_empty() && self.probes.is_empty() && self.results.is_empty();
        Imports::get(py)?.marks.set(py, (!is_empty).then_some(self))
    }
}

#[pymethods]
impl Marks {
    fn __len__(&self) -> usize {
        self.blocks.len() + self.probes.len() + self.results.len()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.results.iter().try_for_each(|noted| visit.call(&noted.object))
    }
}

/// A block by the frame that entered it and by its number: later blocks have higher ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    pub frame: Option<Frame>,
    pub number: u64,
}

/// A probe that is not settled yet. The holder of its ticket owns it.
#[derive(Debug)]
pub struct Probe {
    /// The breaker's number.
    pub breaker: u64,
    pub stamp: Stamp,
}

impl Probe {
    /// The probe's function runs from now on.
    pub fn enter(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut marks = Marks::read(py)?;
        marks.probes.push(Arc::downgrade(self));
        marks.write(py)
    }

    /// The probe's function does not run any more. If the mark cannot be removed, it ends with the probe.
    pub fn leave(self: &Arc<Self>, py: Python<'_>) {
        let left = Marks::read(py).and_then(|mut marks| {
            let entered = marks.probes.iter().rposition(|probe| Weak::as_ptr(probe) == Arc::as_ptr(self));
            entered.map_or(Ok(()), |place| {
                marks.probes.remove(place);
                marks.write(py)
            })
        });
        drop(left);
    }

    /// The innermost probe of that breaker in the running context.
    pub fn around(py: Python<'_>, breaker: u64) -> Option<Stamp> {
        let of_the_breaker = |probe: Arc<Self>| (probe.breaker == breaker).then_some(probe.stamp);
        Marks::read(py).ok()?.probes.iter().rev().filter_map(Weak::upgrade).find_map(of_the_breaker)
    }
}

/// A probe's function runs, until this is dropped.
pub struct Inside<'py> {
    py: Python<'py>,
    probe: Arc<Probe>,
}

impl<'py> Inside<'py> {
    pub fn new(py: Python<'py>, probe: Arc<Probe>) -> PyResult<Self> {
        probe.enter(py)?;
        Ok(Self { py, probe })
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.probe.leave(self.py);
    }
}

struct CountedResult {
    /// The breaker's number.
    breaker: u64,
    /// The number of the call that counted it.
    call: u64,
    object: Py<PyAny>,
}

impl CountedResult {
    fn is(&self, breaker: u64, result: &Bound<'_, PyAny>) -> bool {
        self.breaker == breaker && self.object.is(result)
    }
}

/// A call counts this result while other calls of its breaker are in flight.
pub fn note_result(breaker: u64, call: u64, result: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = result.py();
    let mut marks = Marks::read(py)?;
    marks.results.retain(|noted| !noted.is(breaker, result));
    marks.results.push(CountedResult { breaker, call, object: result.clone().unbind() });
    marks.write(py)
}

/// Whether a call that began after this one, in the same context, has counted this result.
pub fn is_counted(breaker: u64, call: u64, result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(Marks::read(result.py())?.results.iter().any(|noted| noted.is(breaker, result) && noted.call > call))
}

/// A call has ended, and so have those inside it.
pub fn forget_results(py: Python<'_>, breaker: u64, call: u64) -> PyResult<()> {
    let mut marks = Marks::read(py)?;
    marks.results.retain(|noted| noted.breaker != breaker || noted.call < call);
    marks.write(py)
}
