//! The marks by which nested calls find each other.
//!
//! Both facts lie in the context (`contextvars`), which a task and `asyncio.to_thread` copy and a plain thread does not:
//!
//! - **Probes**: those whose functions run. A call inside one rides on its permit. Nothing else marks its context, and
//!   only a call that a closed circuit does not admit looks for a mark.
//! - **Counted errors**: those that an inner call has counted while others were under way. An outer call of the same
//!   breaker that ends with the same object does not count it again.

use std::sync::{Arc, Weak};

use halfopen::host::Stamp;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::PyWeakrefReference;

use crate::imports::Imports;

/// Makes the classes of this file, which PyO3 would else make at their first use.
pub fn make_classes(py: Python<'_>) {
    py.get_type::<Probes>();
    py.get_type::<Errors>();
}

/// More errors than a retry keeps; older ones are forgotten.
pub const ERRORS_KEPT: usize = 8;

/// A probe that is not settled yet. Whoever holds its ticket holds this; contexts refer to it weakly, because a task that is
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

    /// The probe's function does not run any more. Where that cannot be noted, the mark ends with the probe.
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

    /// The innermost probe of that breaker around here.
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

/// The errors that were counted in a context, oldest first.
#[pyclass(frozen, module = "halfopen._core")]
struct Errors(Vec<CountedError>);

#[derive(Debug)]
pub struct CountedError {
    /// The breaker's number.
    breaker: u64,
    /// How many errors the breaker had noted when the call began that counted this one.
    pub begun: u64,
    /// Identifies the error without keeping it alive; see [`token_of`].
    pub token: Py<PyAny>,
}

/// A call counts this error while other calls of its breaker are under way.
pub fn note(breaker: u64, begun: u64, error: &Bound<'_, PyAny>) -> PyResult<()> {
    let py = error.py();
    let counted = CountedError::new(breaker, begun, error)?;
    let mut errors = read(py, |_| true)?;
    errors.push(counted);
    let too_many = errors.len().saturating_sub(ERRORS_KEPT);
    errors.drain(..too_many);
    write(py, errors)
}

/// Whether a call inside this one has counted the error.
///
/// It began no earlier and has ended, in the same context: it was made by this one.
pub fn is_counted(breaker: u64, begun: u64, error: &Bound<'_, PyAny>) -> PyResult<bool> {
    let py = error.py();
    let counted = |noted: &CountedError| noted.breaker == breaker && noted.begun >= begun && noted.is(error);
    Ok(!read(py, counted)?.is_empty())
}

/// A call has ended and what was counted inside it is over.
pub fn forget(py: Python<'_>, breaker: u64, begun: u64) -> PyResult<()> {
    let errors = read(py, |_| true)?;
    let all = errors.len();
    let others: Vec<_> = errors.into_iter().filter(|noted| noted.breaker != breaker || noted.begun < begun).collect();
    if others.len() == all { Ok(()) } else { write(py, others) }
}

impl CountedError {
    pub fn new(breaker: u64, begun: u64, error: &Bound<'_, PyAny>) -> PyResult<Self> {
        Ok(Self { breaker, begun, token: token_of(error)?.unbind() })
    }

    pub fn clone_ref(&self, py: Python<'_>) -> Self {
        Self { breaker: self.breaker, begun: self.begun, token: self.token.clone_ref(py) }
    }

    pub fn is(&self, error: &Bound<'_, PyAny>) -> bool {
        let token = self.token.bind(error.py());
        match token.cast::<PyWeakrefReference>() {
            Ok(reference) => reference.upgrade().is_some_and(|noted| noted.is(error)),
            Err(_) => attributes_of(error).is_ok_and(|attributes| attributes.is(token)),
        }
    }
}

/// A weak reference to an error, or the dictionary of its attributes: Python's own exceptions cannot be referred to weakly,
/// but each has such a dictionary, mostly an empty one, and while it is held no other error can have the same.
fn token_of<'py>(error: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    PyWeakrefReference::new(error).map(Bound::into_any).or_else(|_| attributes_of(error))
}

fn attributes_of<'py>(error: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    error.getattr(&Imports::get(error.py())?.names.dict)
}

fn read(py: Python<'_>, keep: impl Fn(&CountedError) -> bool) -> PyResult<Vec<CountedError>> {
    let noted = Imports::get(py)?.errors.get(py)?;
    let Ok(noted) = noted.cast::<Errors>() else { return Ok(Vec::new()) };
    let kept = noted.get().0.iter().filter(|noted| keep(noted));
    Ok(kept.map(|it| it.clone_ref(py)).collect())
}

fn write(py: Python<'_>, errors: Vec<CountedError>) -> PyResult<()> {
    let noted = (!errors.is_empty()).then_some(Errors(errors));
    Imports::get(py)?.errors.set(py, noted)
}

#[pymethods]
impl Errors {
    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.iter().try_for_each(|noted| visit.call(&noted.token))
    }
}
