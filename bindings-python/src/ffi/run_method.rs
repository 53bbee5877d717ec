//! The method that a guarded function calls.

use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use super::host_calls::{call_host, call_host_plainly, call_host_with};
use super::methods::{Methods, add_method, answered, borrowed};
use crate::guarded::{PyGuardedFunction, call};

static RUN: Methods<1> = Methods([ffi::PyMethodDef {
    ml_name: c"run".as_ptr(),
    ml_meth: ffi::PyMethodDefPointer { PyCFunctionFastWithKeywords: run },
    ml_flags: ffi::METH_FASTCALL | ffi::METH_KEYWORDS,
    ml_doc: c"run($self, /, *args, **kwargs)\n--\n\nMakes a guarded call.".as_ptr(),
}]);

/// Gives guarded functions their method `run`.
///
/// A PyO3 method packs and unpacks the arguments of each call. `call_sync` is one: it takes 55 ns without recorded
/// durations, this method 42.
pub fn add_run(py: Python<'_>) -> PyResult<()> {
    // SAFETY: it takes the objects of this class.
    unsafe { add_method(&py.get_type::<PyGuardedFunction>(), &RUN) }
}

unsafe extern "C" fn run(
    guarded: *mut ffi::PyObject,
    values: *const *mut ffi::PyObject,
    positional: ffi::Py_ssize_t,
    names: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the interpreter hands a method an object of its class, and is attached.
    let guarded = unsafe {
        let [guarded] = borrowed([guarded]);
        guarded.cast_unchecked::<PyGuardedFunction>()
    };
    let py = guarded.py();
    answered(py, || {
        let PyGuardedFunction { breaker, function } = guarded.get();
        // SAFETY: these are the arguments of the running call.
        let run =
            || unsafe { called(function.bind(py), &Arguments { values, positional: positional as usize, names }) };
        call(breaker.bind(py), function.bind(py), run).map(Bound::unbind)
    })
}

/// The arguments of a method: this many by position, and after them one for each of `names`, which are a tuple of strings or
/// null.
struct Arguments {
    values: *const *mut ffi::PyObject,
    positional: usize,
    names: *mut ffi::PyObject,
}

/// Calls a function with the arguments of a method.
///
/// # Safety
/// They are as [`Arguments`] says, and stay alive.
unsafe fn called<'py>(function: &Bound<'py, PyAny>, arguments: &Arguments) -> PyResult<Bound<'py, PyAny>> {
    let end = ptr::null_mut();
    // SAFETY: as asked of the caller.
    unsafe {
        let at = |place: usize| *arguments.values.add(place);
        match (arguments.positional, arguments.names.is_null()) {
            (0, true) => call_host_plainly(function),
            (1, true) => call_host_with(function, [at(0), end, end]),
            (2, true) => call_host_with(function, [at(0), at(1), end]),
            (3, true) => call_host_with(function, [at(0), at(1), at(2)]),
            _ => packed(function, arguments),
        }
    }
}

/// As [`called`], for any number of arguments. The stable interface of Python 3.11 has no way without a tuple.
///
/// # Safety
/// As for [`called`].
#[cold]
unsafe fn packed<'py>(function: &Bound<'py, PyAny>, arguments: &Arguments) -> PyResult<Bound<'py, PyAny>> {
    let (py, &Arguments { values, positional, names }) = (function.py(), arguments);
    // SAFETY: as asked of the caller.
    let (argument, names) = unsafe {
        let names = Bound::from_borrowed_ptr_or_opt(py, names).map(|names| names.cast_into_unchecked::<PyTuple>());
        (|place: usize| Bound::from_borrowed_ptr(py, *values.add(place)), names)
    };
    let args = PyTuple::new(py, (0..positional).map(argument))?;
    let kwargs = names.map(|names| {
        let kwargs = PyDict::new(py);
        for (place, name) in names.iter().enumerate() {
            kwargs.set_item(name, argument(positional + place))?;
        }
        Ok::<_, PyErr>(kwargs)
    });
    call_host(function, &args, kwargs.transpose()?.as_ref())
}
