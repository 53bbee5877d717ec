//! `RegistryPolicy`: the compiled base class of `Registry`, with the core's policy over its breakers.

use halfopen::clock::Clock;
use halfopen::host::{self, RegistryPolicy, Search};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::breaker::PyBreaker;
use crate::convert::value_of;
use crate::error::{registry_full, to_python};
use crate::ffi::is_shared;
use crate::lock::Lock;

type Policy = RegistryPolicy<Py<PyBreaker>>;

/// Breakers by name, as many as the bound allows. Each method takes effect at one instant, with no step of Python in
/// between.
#[pyclass(frozen, generic, subclass, name = "RegistryPolicy", module = "halfopen._core")]
pub struct PyRegistryPolicy(Lock<Policy>);

impl PyRegistryPolicy {
    /// Evicts what a search finds unused.
    fn evict(&self, py: Python<'_>, search: impl FnOnce(&mut Policy) -> Search) -> usize {
        let mut search = search(&mut self.0.lock());
        let mut evicted = 0;
        loop {
            let look = self.0.lock().next_look(&mut search).map(|(name, breaker)| (name, breaker.clone_ref(py)));
            let Some((name, breaker)) = look else { return evicted };
            // Reading a clock may run Python code, and so may dropping a breaker, so neither happens under the lock.
            let (now, looked_at) = (breaker.get().core().clock().now(), breaker.as_ptr());
            drop(breaker);
            let removed = self.0.lock().evict(&name, |known| {
                let is_unshared = known.as_ptr() == looked_at && !is_shared(known.bind(py).as_any());
                is_unshared && known.get().core().is_idle_at(now)
            });
            evicted += usize::from(removed.is_some());
        }
    }
}

#[pymethods]
impl PyRegistryPolicy {
    /// Takes any arguments, so that a subclass may have an `__init__` with others; that of `Registry` sets the bound.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self(Lock::new(Policy::new(1)))
    }

    /// The most breakers that it holds. If it was lowered while more were in use, those stay.
    #[getter]
    fn bound(&self) -> usize {
        self.0.lock().bound()
    }

    /// Changes the bound.
    ///
    /// Unused breakers are removed until no more are left than `bound`; those in use stay, and no new one is made until
    /// there are fewer. Raises `InvalidValueError` unless it is a whole number of at least 1.
    fn set_bound(&self, bound: &Bound<'_, PyAny>) -> PyResult<()> {
        let py = bound.py();
        let bound = host::registry_bound(&value_of(bound)).map_err(|error| to_python(py, &error))?;
        self.evict(py, |policy| policy.set_bound(bound));
        Ok(())
    }

    /// The breaker of that name, if there is one.
    fn get(&self, py: Python<'_>, name: &str) -> Option<Py<PyBreaker>> {
        self.0.lock().get(name).map(|breaker| breaker.clone_ref(py))
    }

    /// The breaker of this one's name, which is this one if there was none. Raises `RegistryFullError`.
    #[pyo3(signature = (breaker, /))]
    fn _add(&self, py: Python<'_>, breaker: &Bound<'_, PyBreaker>) -> PyResult<Py<PyBreaker>> {
        let core = breaker.get().ready(py)?;
        loop {
            let added =
                self.0.lock().add(core.name().into(), breaker.clone().unbind()).map(|known| known.clone_ref(py));
            match added {
                Ok(known) => return Ok(known),
                Err(_) if self.evict(py, |policy| policy.making_room()) == 0 => {
                    return Err(registry_full(py, self.0.lock().bound()));
                }
                Err(_) => {}
            }
        }
    }

    /// Removes the breaker of that name and returns it. Code that already holds it can go on using it.
    fn remove(&self, name: &str) -> Option<Py<PyBreaker>> {
        self.0.lock().remove(name)
    }

    /// Removes the breakers that are idle and that nothing else refers to; returns their number.
    ///
    /// Replacing an idle breaker with a new one loses nothing: it is closed, has no failure streak, no failure or slow call in
    /// its window, no call in flight, no listener and no earlier opening that would make the next wait longer, and no
    /// operator has disabled it.
    fn remove_unused(&self, py: Python<'_>) -> usize {
        self.evict(py, |policy| policy.all_unused())
    }

    /// All breakers, ordered by name.
    fn breakers(&self, py: Python<'_>) -> Vec<Py<PyBreaker>> {
        self.0.lock().iter().map(|(_, breaker)| breaker.clone_ref(py)).collect()
    }

    fn __len__(&self) -> usize {
        self.0.lock().len()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.0.traverse(|policy| policy.iter().try_for_each(|(_, breaker)| visit.call(breaker)))
    }

    fn __clear__(&self) {
        let empty = Policy::new(self.0.lock().bound());
        let all = std::mem::replace(&mut *self.0.lock(), empty);
        drop(all);
    }
}
