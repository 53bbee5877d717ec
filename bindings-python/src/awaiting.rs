//! Awaits the result of a guarded function, then settles the call.

use pyo3::exceptions::PyGeneratorExit;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::ffi::{Step, call_host_method, probe_of, step_host, throw_host};
use crate::imports::Imports;
use crate::nesting::Inside;

/// Takes the place of a coroutine, or of the iterator by which another awaitable is awaited.
///
/// A coroutine around the coroutine would not do: if it is never awaited, Python warns of both, and closing it before
/// its first step does not close the inner one. Also, this runs no Python code of its own that an interrupt could hit.
#[pyclass(frozen, weakref, module = "halfopen._core")]
pub struct Awaiting {
    call: Py<PyAny>,
    steps: Py<PyAny>,
}

impl Awaiting {
    /// The next step; the last one ends the call.
    fn step<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = value.py();
        let _inside = self.enter(py)?;
        self.stepped(py, step_host(self.steps.bind(py), value))
    }

    fn stepped<'py>(&self, py: Python<'py>, step: Step<'py>) -> PyResult<Bound<'py, PyAny>> {
        match step {
            Step::Return(result) => Step::Return(self.returned(&result)?).answer(py),
            step => step.answer(py).or_else(|error| Err(self.raised(py, error)?)),
        }
    }

    /// The awaited code runs until the result is dropped.
    fn enter<'py>(&self, py: Python<'py>) -> PyResult<Option<Inside<'py>>> {
        probe_of(self.call.bind(py)).map(|probe| Inside::new(py, probe)).transpose()
    }

    fn returned<'py>(&self, result: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        let py = result.py();
        call_host_method(self.call.bind(py), |names| &names.returned, (result,))
    }

    fn raised(&self, py: Python<'_>, error: PyErr) -> PyResult<PyErr> {
        call_host_method(self.call.bind(py), |names| &names.raised, (error.value(py),))?;
        Ok(error)
    }
}

#[pymethods]
impl Awaiting {
    #[new]
    #[pyo3(signature = (call, steps, /))]
    pub fn new(call: Py<PyAny>, steps: Py<PyAny>) -> Self {
        Self { call, steps }
    }

    fn __await__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __iter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.step(py.None().bind(py))
    }

    fn send<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.step(value)
    }

    #[pyo3(signature = (*error))]
    fn throw<'py>(&self, error: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        let py = error.py();
        let _inside = self.enter(py)?;
        self.stepped(py, throw_host(self.steps.bind(py), error.clone()))
    }

    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let _inside = self.enter(py)?;
        let closed = call_host_method(self.steps.bind(py), |names| &names.close, ());
        self.raised(py, PyGeneratorExit::new_err(()))?;
        closed.map(|_| ())
    }

    /// All other attributes are the original's: `inspect` and debuggers look at a coroutine's frame and state.
    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        self.steps.bind(name.py()).getattr(name)
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.steps.bind(name.py()).setattr(name, value)
    }

    fn __delattr__(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        self.steps.bind(name.py()).delattr(name)
    }

    /// `isinstance` reads this, and so does `inspect.iscoroutine`.
    #[getter(__class__)]
    fn class_of_the_original<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.steps.bind(py).getattr(&Imports::get(py)?.names.class)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.steps.bind(py).repr()
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.steps.bind(py).dir()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.call)?;
        visit.call(&self.steps)
    }
}
