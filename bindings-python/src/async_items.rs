//! A guarded async generator, as its consumer has it.

use std::sync::OnceLock;

use pyo3::exceptions::PyAttributeError;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString};

use crate::async_stream::AsyncStream;
use crate::breaker::PyBreaker;
use crate::convert::Boolean;
use crate::ffi::{call_host_with_one, is_shared};
use crate::imports::Imports;
use crate::next_item::NextItem;
use crate::registration::Registration;
use crate::request::Request;
use crate::stream::PyStream;
use crate::thrown::instance_of;

/// `AsyncItems`: stands in for an async generator, and has the attributes of that one.
///
/// It is not an async generator around the other one, through which each item would take 63 ns more. The event loop closes
/// the generator through it; see [`crate::stand_in`].
#[pyclass(frozen, weakref, module = "halfopen._core")]
pub struct AsyncItems {
    stream: Py<AsyncStream>,
    /// The awaitable of the first item. It serves the later ones too, unless the consumer has kept it: with a new one, each
    /// item takes 120 ns more than the 55 that guarding it takes.
    next_item: OnceLock<Py<NextItem>>,
}

impl AsyncItems {
    fn new(py: Python<'_>, stream: AsyncStream) -> PyResult<Self> {
        Ok(Self { stream: Py::new(py, stream)?, next_item: OnceLock::new() })
    }

    /// The awaitable of the next item.
    #[inline]
    fn next(slf: &Bound<'_, Self>) -> PyResult<Py<NextItem>> {
        let py = slf.py();
        match slf.get().next_item.get().map(|it| it.bind(py)) {
            Some(next_item) if !is_shared(next_item) => {
                next_item.get().renew(py);
                Ok(next_item.clone().unbind())
            }
            _ => Self::another(slf),
        }
    }

    #[cold]
    fn another(slf: &Bound<'_, Self>) -> PyResult<Py<NextItem>> {
        let (py, this) = (slf.py(), slf.get());
        Self::set_guard(slf)?;
        let made = call_host_with_one(Imports::get(py)?.next_item.bind(py), this.stream.bind(py))?;
        let next_item = made.cast_into::<NextItem>()?.unbind();
        let _ = this.next_item.set(next_item.clone_ref(py));
        Ok(next_item)
    }

    /// Makes this the guard through which the event loop closes the generator.
    fn set_guard(slf: &Bound<'_, Self>) -> PyResult<()> {
        let (py, this) = (slf.py(), slf.get());
        let registration = this.registration();
        if registration.is_done() {
            return Ok(());
        }
        registration.set_guard(slf)?;
        match this.source(py).cast_exact::<Self>() {
            Ok(guarded) => registration.leave_to(py, guarded.get().registration()),
            Err(_) => Ok(()),
        }
    }

    fn registration(&self) -> &Registration {
        &self.stream.get().registration
    }

    fn source<'py>(&self, py: Python<'py>) -> &Bound<'py, PyAny> {
        self.stream.get().source(py)
    }

    fn awaitable(&self, py: Python<'_>, request: Request) -> NextItem {
        NextItem::asking(self.stream.clone_ref(py), request)
    }
}

#[pymethods]
impl AsyncItems {
    /// The items of a stream whose call has begun.
    #[new]
    #[pyo3(signature = (stream, is_generator, start_watch, /))]
    fn of_stream(
        py: Python<'_>,
        stream: Py<PyStream>,
        is_generator: Boolean,
        start_watch: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        Self::new(py, AsyncStream::new(py, stream, is_generator.0, start_watch))
    }

    /// The items of an async generator. Its call begins when the first item is asked for.
    #[staticmethod]
    #[pyo3(signature = (breaker, generator, start_watch, /))]
    fn of_generator(
        breaker: &Bound<'_, PyBreaker>,
        generator: &Bound<'_, PyAny>,
        start_watch: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let py = breaker.py();
        let stream = Py::new(py, PyStream::not_begun(breaker, generator))?;
        Self::new(py, AsyncStream::new(py, stream, true, start_watch))
    }

    fn __aiter__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    #[inline]
    fn __anext__(slf: &Bound<'_, Self>) -> PyResult<Py<NextItem>> {
        Self::next(slf)
    }

    /// Sends a value into the generator.
    #[pyo3(signature = (value, /))]
    fn asend(slf: &Bound<'_, Self>, value: Py<PyAny>) -> PyResult<NextItem> {
        Self::set_guard(slf)?;
        Ok(slf.get().awaitable(slf.py(), Request::Send(value)))
    }

    /// Throws the consumer's error into the generator.
    #[pyo3(signature = (kind, error = None, trace = None, /))]
    fn athrow(
        &self,
        kind: &Bound<'_, PyAny>,
        error: Option<&Bound<'_, PyAny>>,
        trace: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<NextItem> {
        let py = kind.py();
        let error = instance_of(kind, error, trace)?;
        Ok(self.awaitable(py, Request::Throw(error.unbind())))
    }

    /// The consumer stops early. A source that is no generator stays open.
    fn aclose(&self, py: Python<'_>) -> NextItem {
        self.awaitable(py, Request::Close)
    }

    fn __getattr__<'py>(&self, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        if self.stream.get().is_generator {
            return self.source(name.py()).getattr(name);
        }
        Err(PyAttributeError::new_err(name.clone().unbind()))
    }

    fn __setattr__(&self, name: &Bound<'_, PyString>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        self.source(name.py()).setattr(name, value)
    }

    fn __delattr__(&self, name: &Bound<'_, PyString>) -> PyResult<()> {
        self.source(name.py()).delattr(name)
    }

    /// `isinstance` reads this, and so does `inspect.isasyncgen`.
    #[getter(__class__)]
    fn class_of_the_source<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.source(py).getattr(&Imports::get(py)?.names.class)
    }

    fn __repr__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        self.source(py).repr()
    }

    fn __dir__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.source(py).dir()
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.stream)?;
        self.next_item.get().map_or(Ok(()), |next_item| visit.call(next_item))
    }
}

/// `ItemsOf`: base of the proxies of async streams, whose `__anext__` is a slot and no Python code.
#[pyclass(frozen, subclass, module = "halfopen._core")]
pub struct ItemsOf {
    items: Py<AsyncItems>,
}

#[pymethods]
impl ItemsOf {
    /// The items are those of `guard`. `target` is for the constructor of the subclass in Python.
    #[new]
    #[pyo3(signature = (guard, target, /))]
    fn new(guard: &Bound<'_, PyAny>, target: &Bound<'_, PyAny>) -> PyResult<Self> {
        let _ = target;
        let items = guard.getattr(&Imports::get(guard.py())?.names.items)?;
        Ok(Self { items: items.cast_into::<AsyncItems>()?.unbind() })
    }

    #[inline]
    fn __anext__(&self, py: Python<'_>) -> PyResult<Py<NextItem>> {
        AsyncItems::next(self.items.bind(py))
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.items)
    }
}
