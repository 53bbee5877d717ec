//! The object that an event loop holds in place of a guarded async generator.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyWeakrefMethods, PyWeakrefReference};

use crate::ffi::{call_host_method, call_host_plainly, call_host_with_one};
use crate::imports::Imports;
use crate::lock::Lock;
use crate::object_slot::ObjectSlot;

/// Makes the classes of this file, as the module is imported.
pub fn make_classes(py: Python<'_>) {
    py.get_type::<StandIn>();
    py.get_type::<FirstIteration>();
    py.get_type::<Finalizer>();
}

/// Stands in for a guarded async generator, from its first item on.
///
/// When an event loop ends, it closes the generators that its hook for the first item has received. It receives this object
/// instead and closes it, and through the guard the breaker learns of the end. If the generator is dropped before, the hook
/// for that receives the same object, because a loop may look it up among those that it has received, as trio does as a
/// guest of another loop. The object lives as long as the generator; the guard may be dropped earlier.
#[pyclass(frozen, weakref, module = "halfopen._core")]
pub struct StandIn {
    guard: Py<PyWeakrefReference>,
    generator: OnceLock<Py<PyWeakrefReference>>,
    /// The generator's address, which tells the finalizer which generator it is: a weak reference to an object that is being
    /// dropped is empty.
    address: AtomicUsize,
    /// The generator, once it has been dropped.
    dropped: ObjectSlot,
}

impl StandIn {
    pub fn new(guard: Py<PyWeakrefReference>) -> Self {
        Self { guard, generator: OnceLock::new(), address: AtomicUsize::new(0), dropped: ObjectSlot::default() }
    }

    fn set_generator(&self, generator: &Bound<'_, PyAny>) -> PyResult<()> {
        let _ = self.generator.set(PyWeakrefReference::new(generator)?.unbind());
        self.address.store(generator.as_ptr().addr(), Ordering::Relaxed);
        Ok(())
    }

    fn is_for(&self, generator: &Bound<'_, PyAny>) -> bool {
        self.address.load(Ordering::Relaxed) == generator.as_ptr().addr()
    }

    /// The guard, or the generator if the guard is gone; nothing if both are.
    fn target<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        let generator = || self.generator.get().and_then(|generator| generator.bind(py).upgrade());
        self.guard.bind(py).upgrade().or_else(|| self.dropped.get(py)).or_else(generator)
    }
}

#[pymethods]
impl StandIn {
    /// Closes the generator. One that is gone has ended.
    fn aclose<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let imports = Imports::get(py)?;
        match self.target(py) {
            Some(target) => call_host_method(&target, |names| &names.aclose, ()),
            None => call_host_plainly(imports.nothing_to_close.bind(py)),
        }
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.target(name.py()).into_pyobject(name.py())?.getattr(name)
    }

    #[getter(__class__)]
    fn class_of_the_generator<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.target(py).into_pyobject(py)?.getattr(&Imports::get(py)?.names.class)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.target(py).into_pyobject(py)?.repr()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.guard)?;
        self.generator.get().map_or(Ok(()), |generator| visit.call(generator))?;
        self.dropped.traverse(&visit)
    }
}

/// The event loop's hook for the first item, which gets the stand-in instead of the generator.
#[pyclass(frozen, module = "halfopen._core")]
pub struct FirstIteration {
    stand_in: Py<StandIn>,
    source: Py<PyAny>,
    hook: Py<PyAny>,
}

impl FirstIteration {
    pub fn new(stand_in: &Bound<'_, StandIn>, source: &Bound<'_, PyAny>, hook: &Bound<'_, PyAny>) -> Self {
        Self { stand_in: stand_in.clone().unbind(), source: source.clone().unbind(), hook: hook.clone().unbind() }
    }
}

#[pymethods]
impl FirstIteration {
    /// Another generator, from which the source takes its items, is registered itself.
    #[pyo3(signature = (generator, /))]
    fn __call__<'py>(&self, generator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, hook) = (generator.py(), self.hook.bind(generator.py()));
        if !generator.is(&self.source) {
            return call_host_with_one(hook, generator);
        }
        self.stand_in.get().set_generator(generator)?;
        call_host_with_one(hook, self.stand_in.bind(py).as_any())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stand_in)?;
        visit.call(&self.source)?;
        visit.call(&self.hook)
    }
}

/// The event loop's hook for a generator that is dropped before its end.
#[pyclass(frozen, module = "halfopen._core")]
pub struct Finalizer {
    /// Taken when the finalizer runs: the stand-in then holds the generator, which holds the finalizer.
    stand_in: Lock<Option<Py<StandIn>>>,
    hook: Py<PyAny>,
}

impl Finalizer {
    pub fn new(stand_in: &Bound<'_, StandIn>, hook: &Bound<'_, PyAny>) -> Self {
        Self { stand_in: Lock::new(Some(stand_in.clone().unbind())), hook: hook.clone().unbind() }
    }
}

#[pymethods]
impl Finalizer {
    #[pyo3(signature = (generator, /))]
    fn __call__<'py>(&self, generator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let (py, hook) = (generator.py(), self.hook.bind(generator.py()));
        let stand_in = self.stand_in.lock().take_if(|stand_in| stand_in.get().is_for(generator));
        let Some(stand_in) = stand_in.map(|stand_in| stand_in.into_bound(py)) else {
            return call_host_with_one(hook, generator);
        };
        stand_in.get().dropped.put(generator.clone());
        call_host_with_one(hook, stand_in.as_any())
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.hook)?;
        self.stand_in.traverse(|stand_in| visit.call(stand_in))
    }
}
