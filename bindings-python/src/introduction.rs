//! Introduces a guarded async generator to the event loop, in place of the generator that it stands in for.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyWeakrefMethods, PyWeakrefReference};

use crate::ffi::{call_host_plainly, call_host_with_one};
use crate::imports::Imports;

/// The object that the event loop gets to know when the generator is asked for its first item.
///
/// At its end, an event loop closes what it was introduced to. Through the guard, the breaker learns of it.
#[derive(Default)]
pub struct Introduction {
    guest: OnceLock<Py<PyWeakrefReference>>,
    is_made: AtomicBool,
}

impl Introduction {
    /// Introduces this one, unless another one has been named before.
    pub fn of(&self, guest: &Bound<'_, PyAny>) -> PyResult<()> {
        if self.guest.get().is_none() {
            let _ = self.guest.set(PyWeakrefReference::new(guest)?.unbind());
        }
        Ok(())
    }

    /// Leaves it to the introduction of the source, which is guarded itself.
    pub fn leave_to(&self, py: Python<'_>, source: &Self) -> PyResult<()> {
        self.is_made.store(true, Ordering::Relaxed);
        self.guest(py).map_or(Ok(()), |guest| source.of(&guest))
    }

    fn guest<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.guest.get().and_then(|guest| guest.bind(py).upgrade())
    }

    #[inline]
    pub fn is_made(&self) -> bool {
        self.is_made.load(Ordering::Relaxed)
    }

    /// Asks the source for its first item.
    #[cold]
    pub fn make<'py>(
        &self,
        source: &Bound<'py, PyAny>,
        ask: impl FnOnce() -> PyResult<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = source.py();
        self.is_made.store(true, Ordering::Relaxed);
        let Some(guest) = self.guest(py) else { return ask() };
        let imports = Imports::get(py)?;
        let hooks = call_host_plainly(imports.get_asyncgen_hooks.bind(py))?.cast_into::<PyTuple>()?;
        let hook = hooks.get_item(0)?;
        if hook.is_none() {
            return ask();
        }
        let set = imports.set_asyncgen_hooks.bind(py);
        let introduces = Introduces { guest: guest.unbind(), hook: hook.clone().unbind() };
        call_host_with_one(set, Bound::new(py, introduces)?.as_any())?;
        let step = ask();
        call_host_with_one(set, &hook)?;
        step
    }
}

/// Makes the class of the hook, as the module is imported.
pub fn make_class(py: Python<'_>) {
    py.get_type::<Introduces>();
}

/// The hook of the event loop, which gets the guest instead of the generator.
#[pyclass(frozen, module = "halfopen._core")]
struct Introduces {
    guest: Py<PyAny>,
    hook: Py<PyAny>,
}

#[pymethods]
impl Introduces {
    #[pyo3(signature = (_generator, /))]
    fn __call__<'py>(&self, _generator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = _generator.py();
        call_host_with_one(self.hook.bind(py), self.guest.bind(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.guest)?;
        visit.call(&self.hook)
    }
}
