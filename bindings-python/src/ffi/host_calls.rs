//! Calls of the host's code.

use std::ffi::{c_int, c_void};
use std::hint::black_box;
use std::mem::{forget, transmute};
use std::ptr;
use std::thread;

use pyo3::exceptions::{PyException, PyStopIteration, PyTypeError};
use pyo3::ffi::{self, PyObject};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{BoundObject, IntoPyObjectExt};

use super::is_exactly;
use crate::imports::{Imports, Method};

type Call0 = unsafe extern "C-unwind" fn(*mut PyObject) -> *mut PyObject;
type Call = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut PyObject) -> *mut PyObject;
type Send = unsafe extern "C-unwind" fn(*mut PyObject, *mut PyObject, *mut *mut PyObject) -> ffi::PySendResult;
type CallList = unsafe extern "C-unwind" fn(*mut PyObject, ...) -> *mut PyObject;

/// Parks a thread for ever if the interpreter ends it during a call of the host's code.
///
/// When the interpreter exits, it ends daemon threads. Before Python 3.14 it unwinds their stacks, and aborts the process
/// if it meets Rust code, which only a panic may unwind. From 3.14 on it parks such threads, as this does.
struct HangIfUnwound;

impl Drop for HangIfUnwound {
    fn drop(&mut self) {
        loop {
            thread::park();
        }
    }
}

/// Makes a call of the host's code.
#[inline(always)]
fn guarded(py: Python<'_>, call: impl FnOnce() -> *mut PyObject) -> PyResult<Bound<'_, PyAny>> {
    let hang = HangIfUnwound;
    let result = call();
    forget(hang);
    // SAFETY: the result of a call is a new reference, or null if it raised.
    unsafe { Bound::from_owned_ptr_or_err(py, result) }
}

/// `callable(*args, **kwargs)`.
pub fn call_host<'py>(
    callable: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the two types have the same calling convention, and differ only in whether unwinding may pass. The compiler
    // must not see which function it is, because it assumes that this one never unwinds.
    let call = black_box(unsafe { transmute::<*const (), Call>(ffi::PyObject_Call as *const ()) });
    let kwargs = kwargs.map_or(ptr::null_mut(), |kwargs| kwargs.as_ptr());
    // SAFETY: attached, with a tuple and a dictionary or null; all stay alive.
    guarded(callable.py(), || unsafe { call(callable.as_ptr(), args.as_ptr(), kwargs) })
}

/// Whether a function of the host returns a true value for an object. `None` if it raises an `Exception`; any function
/// may, at interpreter exit.
pub fn says_yes(function: &Py<PyAny>, object: &Bound<'_, PyAny>) -> PyResult<Option<bool>> {
    let answer = call_host_with_one(function.bind(object.py()), object);
    unless_it_raised(object.py(), answer.and_then(|answer| answer.is_truthy()))
}

/// The answer of the host's code; `None` if that raised an `Exception`. An interrupt stays one.
pub fn unless_it_raised<T>(py: Python<'_>, answer: PyResult<T>) -> PyResult<Option<T>> {
    match answer {
        Err(fault) if fault.is_instance_of::<PyException>(py) => Ok(None),
        answer => answer.map(Some),
    }
}

/// `object.name(*args)`; the arguments are a tuple, made by Rust or by Python.
pub fn call_host_method<'py>(
    object: &Bound<'py, PyAny>,
    name: Method,
    args: impl IntoPyObject<'py, Target = PyTuple>,
) -> PyResult<Bound<'py, PyAny>> {
    let name = name(&Imports::get(object.py())?.names);
    call_host(&object.getattr(name)?, &args.into_pyobject_or_pyerr(object.py())?.into_bound(), None)
}

/// A step of a coroutine, of a generator, or of the iterator of an `await`. Unlike a `Result` with an error in it, it is
/// returned in registers.
pub enum Step<'py> {
    /// The running task is suspended, and waits for this.
    Next(Bound<'py, PyAny>),
    /// It was the last step, with this result.
    Return(Bound<'py, PyAny>),
    /// It raised an error, which the interpreter has.
    Raise,
}

impl<'py> Step<'py> {
    /// A step that raises this.
    #[cold]
    pub fn raise(py: Python<'py>, error: PyErr) -> Self {
        error.restore(py);
        Self::Raise
    }

    /// As `__next__` and `send` answer: the last step raises `StopIteration`.
    #[inline]
    pub fn answer(self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match self {
            Self::Next(waits_for) => Ok(waits_for),
            Self::Return(result) => Err(PyStopIteration::new_err((result.unbind(),))),
            Self::Raise => Err(PyErr::fetch(py)),
        }
    }
}

/// The next step of a coroutine, of a generator, or of the iterator of an `await`.
#[inline(always)]
pub fn step_host<'py>(steps: &Bound<'py, PyAny>, value: &Bound<'py, PyAny>) -> Step<'py> {
    let py = steps.py();
    let mut result = ptr::null_mut();
    // SAFETY: as above.
    let send = black_box(unsafe { transmute::<*const (), Send>(ffi::PyIter_Send as *const ()) });
    let hang = HangIfUnwound;
    // SAFETY: attached; the function takes any object, and calls its method `send` if it is not an iterator.
    let step = unsafe { send(steps.as_ptr(), value.as_ptr(), &raw mut result) };
    forget(hang);
    // SAFETY: it has written a new reference, or null if the step raised.
    match unsafe { Bound::from_owned_ptr_or_opt(py, result) } {
        None => Step::Raise,
        Some(result) if step == ffi::PySendResult::PYGEN_RETURN => Step::Return(result),
        Some(result) => Step::Next(result),
    }
}

/// The step of a coroutine, a generator or the iterator of an `await` into which this is thrown.
pub fn throw_host<'py>(steps: &Bound<'py, PyAny>, error: impl IntoPyObject<'py, Target = PyTuple>) -> Step<'py> {
    let py = steps.py();
    let step = match call_host_method(steps, |names| &names.throw, error) {
        Err(end) if end.is_instance_of::<PyStopIteration>(py) => {
            Imports::get(py).and_then(|imports| end.value(py).getattr(&imports.names.value)).map(Step::Return)
        }
        step => step.map(Step::Next),
    };
    step.unwrap_or_else(|error| Step::raise(py, error))
}

/// Asks one async iterator for its next items.
pub struct Anext(Option<Call0>);

impl Anext {
    /// Looks up how the items of an async generator are asked for. Their class never changes; others may.
    pub fn of(iterator: &Bound<'_, PyAny>) -> Self {
        let is_generator = Imports::get(iterator.py()).is_ok_and(|it| is_exactly(iterator, &it.async_generator));
        Self(if is_generator { slot(iterator, ffi::Py_am_anext) } else { None })
    }

    /// The steps by which `await anext(iterator)` gets the next item. Those of an async generator are its items.
    #[inline(always)]
    pub fn call<'py>(&self, iterator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        match self.0 {
            // SAFETY: attached, with an object of the slot's class.
            Some(anext) => guarded(iterator.py(), || unsafe { anext(iterator.as_ptr()) }),
            None => steps_of_item(iterator),
        }
    }
}

fn steps_of_item<'py>(iterator: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let item = call_slot(iterator, ffi::Py_am_anext, "is no async iterator")?;
    if is_exactly(&item, &Imports::get(item.py())?.coroutine) {
        return Ok(item);
    }
    call_slot(&item, ffi::Py_am_await, "is no awaitable")
}

/// The answer of a slot of an object's class, which takes the object alone.
fn call_slot<'py>(object: &Bound<'py, PyAny>, place: c_int, lack: &str) -> PyResult<Bound<'py, PyAny>> {
    let Some(function) = slot(object, place) else {
        return Err(PyTypeError::new_err(format!("{} of a guarded stream {lack}", object.get_type())));
    };
    // SAFETY: attached, with an object of the slot's class.
    guarded(object.py(), || unsafe { function(object.as_ptr()) })
}

/// The function in this slot of an object's class, if there is one. It takes no other argument.
fn slot(object: &Bound<'_, PyAny>, place: c_int) -> Option<Call0> {
    // SAFETY: the class is valid, and what is in this slot is a function of this type or null. The compiler knows nothing
    // of it.
    unsafe { transmute::<*mut c_void, Option<Call0>>(ffi::PyType_GetSlot(object.get_type_ptr(), place)) }
}

/// `callable()`.
pub fn call_host_plainly<'py>(callable: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as above.
    let call = black_box(unsafe { transmute::<*const (), Call0>(ffi::PyObject_CallNoArgs as *const ()) });
    // SAFETY: attached.
    guarded(callable.py(), || unsafe { call(callable.as_ptr()) })
}

/// `callable(*args)` for one, two or three objects, the rest of which are null.
///
/// # Safety
/// The objects stay alive.
pub(super) unsafe fn call_host_with<'py>(
    callable: &Bound<'py, PyAny>,
    args: [*mut PyObject; 3],
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: as above.
    let call = black_box(unsafe { transmute::<*const (), CallList>(ffi::PyObject_CallFunctionObjArgs as *const ()) });
    let [first, second, third] = args;
    // SAFETY: attached; the list of objects ends with the first null.
    guarded(callable.py(), || unsafe { call(callable.as_ptr(), first, second, third, ptr::null_mut::<PyObject>()) })
}

/// `callable(argument)`.
pub fn call_host_with_one<'py>(
    callable: &Bound<'py, PyAny>,
    argument: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    // SAFETY: the argument is alive.
    unsafe { call_host_with(callable, [argument.as_ptr(), ptr::null_mut(), ptr::null_mut()]) }
}
