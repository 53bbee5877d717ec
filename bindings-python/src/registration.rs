//! Registers a guarded async generator with the event loop, which then closes it at its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefMethods, PyWeakrefReference};

use crate::ffi::{call_host, call_host_plainly};
use crate::imports::Imports;
use crate::stand_in::{Finalizer, FirstIteration, StandIn};

/// The guard through which the event loop closes the generator, and whether that is registered.
#[derive(Default)]
pub struct Registration {
    guard: OnceLock<Py<PyWeakrefReference>>,
    is_done: AtomicBool,
    /// Held here as well, because an event loop may have a hook for the first item alone.
    stand_in: OnceLock<Py<StandIn>>,
}

impl Registration {
    /// Sets the guard, unless another one was set before.
    pub fn set_guard(&self, guard: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.guard.get().is_none() {
            let _ = self.guard.set(PyWeakrefReference::new(guard)?.unbind());
        }
        Ok(())
    }

    /// Leaves it to the registration of the source, which is guarded itself.
    pub fn leave_to(&self, py: Python<'_>, source: &Self) -> PyResult<()> {
        self.is_done.store(true, Ordering::Relaxed);
        self.guard.get().and_then(|guard| guard.bind(py).upgrade()).map_or(Ok(()), |guard| source.set_guard(&guard))
    }

    #[inline]
    pub fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Relaxed)
    }

    /// Asks the source for its first item, with hooks that register the stand-in.
    #[cold]
    pub fn first_step<'py>(
        &self,
        source: &Bound<'py, PyAny>,
        ask: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = source.py();
        self.is_done.store(true, Ordering::Relaxed);
        let Some(guard) = self.guard.get() else { return ask() };
        let imports = Imports::get(py)?;
        let hooks = call_host_plainly(imports.get_asyncgen_hooks.bind(py))?.cast_into::<PyTuple>()?;
        let (first, last) = (hooks.get_item(0)?, hooks.get_item(1)?);
        if first.is_none() {
            return ask();
        }
        let stand_in = Bound::new(py, StandIn::new(guard.clone_ref(py)))?;
        let _ = self.stand_in.set(stand_in.clone().unbind());
        let finalizer = if last.is_none() { None } else { Some(Bound::new(py, Finalizer::new(&stand_in, &last))?) };
        let first_iteration = Bound::new(py, FirstIteration::new(&stand_in, source, &first))?;
        let set = imports.set_asyncgen_hooks.bind(py);
        call_host(set, &(first_iteration, finalizer).into_pyobject(py)?, None)?;
        let step = ask();
        call_host(set, &hooks, None)?;
        step
    }

    /// Shows the stand-in to the garbage collector.
    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.stand_in.get().map_or(Ok(()), |stand_in| visit.call(stand_in))
    }
}
