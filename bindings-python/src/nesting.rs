//! The marks by which nested calls find each other.
//!
//! Both kinds are in the context (`contextvars`), which a task and `asyncio.to_thread` copy and a plain thread does
//! not:
//!
//! - **Probes**: those whose functions run. A call inside one shares its permit. Ordinary calls leave no such mark, and
//!   only a call that a closed circuit does not admit looks for one.
//! - **Counted results**: those that an inner call has counted as failures while others were in flight. An outer call
//!   of the same breaker that returns the same object does not count it again. They may be constants, so only the
//!   context can tell that one call was made inside the other; errors and responses are in [`crate::counted`].

use std::sync::{Arc, Weak};

use halfopen::host::Stamp;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;

use crate::ffi::is_shared;
use crate::imports::Imports;

/// Makes the classes of this file, which PyO3 would otherwise make at their first use.
pub fn make_classes(py: Python<'_>) {
    py.get_type::<Probes>();
    py.get_type::<Results>();
}

/// A probe that is not settled yet. The holder of its ticket owns it. Contexts refer to it weakly, because a task that is
/// started inside a probe inherits its context and may outlive it.
#[derive(Debug)]
pub struct Probe {
    /// The breaker's number.
    pub breaker: u64,
    pub stamp: Stamp,
}

/// The probes that a context is inside, outermost first.
#[pyclass(frozen, module = "halfopen._core")]
struct Probes(Vec<Weak<Probe>>);

impl Probe {
    /// The probe's function runs from now on.
    pub fn enter(self: &Arc<Self>, py: Python<'_>) -> PyResult<()> {
        let mut probes = Self::alive(py)?;
        probes.push(Arc::downgrade(self));
        Self::write(py, probes)
    }

    /// The probe's function does not run any more. If the mark cannot be removed, it ends with the probe.
    pub fn leave(self: &Arc<Self>, py: Python<'_>) {
        let left = Self::alive(py).and_then(|mut probes| {
            let entered = probes.iter().rposition(|probe| Weak::as_ptr(probe) == Arc::as_ptr(self));
            entered.map_or(Ok(()), |place| {
                probes.remove(place);
                Self::write(py, probes)
            })
        });
        drop(left);
    }

    /// The innermost probe of that breaker in the running context.
    pub fn around(py: Python<'_>, breaker: u64) -> Option<Stamp> {
        let probes = Self::alive(py).ok()?;
        let of_the_breaker = |probe: Arc<Self>| (probe.breaker == breaker).then_some(probe.stamp);
        probes.iter().rev().filter_map(Weak::upgrade).find_map(of_the_breaker)
    }

    fn alive(py: Python<'_>) -> PyResult<Vec<Weak<Self>>> {
        let noted = Imports::get(py)?.probes.get(py)?;
        let Ok(noted) = noted.cast::<Probes>() else { return Ok(Vec::new()) };
        Ok(noted.get().0.iter().filter(|probe| probe.strong_count() > 0).cloned().collect())
    }

    fn write(py: Python<'_>, probes: Vec<Weak<Self>>) -> PyResult<()> {
        let noted = (!probes.is_empty()).then_some(Probes(probes));
        Imports::get(py)?.probes.set(py, noted)
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

/// The results that were counted as failures in a context, oldest first.
#[pyclass(frozen, module = "halfopen._core")]
struct Results(Vec<CountedResult>);

struct CountedResult {
    /// The breaker's number.
    breaker: u64,
    /// The number of the call that counted it.
    call: u64,
    object: Py<PyAny>,
}

/// A call counts this result while other calls of its breaker are in flight.
pub fn note_result(breaker: u64, call: u64, result: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = result.py();
    // A result without another reference cannot be returned again.
    let mut results = read(py, |noted| !noted.is(breaker, result) && is_shared(noted.object.bind(py)))?;
    results.push(CountedResult { breaker, call, object: result.clone().unbind() });
    write(py, results)
}

/// Whether a call that began after this one, in the same context, has counted this result.
pub fn is_counted(breaker: u64, call: u64, result: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(!read(result.py(), |noted| noted.is(breaker, result) && noted.call > call)?.is_empty())
}

/// A call has ended, and so have those inside it.
pub fn forget_results(py: Python<'_>, breaker: u64, call: u64) -> PyResult<()> {
    let is_inside = |noted: &CountedResult| noted.breaker == breaker && noted.call >= call;
    if read(py, is_inside)?.is_empty() { Ok(()) } else { write(py, read(py, |noted| !is_inside(noted))?) }
}

impl CountedResult {
    fn is(&self, breaker: u64, result: &Bound<'_, PyAny>) -> bool {
        self.breaker == breaker && self.object.is(result)
    }
}

fn read(py: Python<'_>, keep: impl Fn(&CountedResult) -> bool) -> PyResult<Vec<CountedResult>> {
    let noted = Imports::get(py)?.results.get(py)?;
    let Ok(noted) = noted.cast::<Results>() else { return Ok(Vec::new()) };
    let kept = noted.get().0.iter().filter(|noted| keep(noted));
    Ok(kept.map(|it| CountedResult { object: it.object.clone_ref(py), ..*it }).collect())
}

fn write(py: Python<'_>, results: Vec<CountedResult>) -> PyResult<()> {
    let noted = (!results.is_empty()).then_some(Results(results));
    Imports::get(py)?.results.set(py, noted)
}

#[pymethods]
impl Results {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|noted| visit.call(&noted.object))
    }
}
