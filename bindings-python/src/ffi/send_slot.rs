//! The slots by which `await` takes the steps of a guarded stream.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyTuple, PyType};

use super::host_calls::Step;
use super::methods::borrowed;
use crate::next_item::NextItem;

/// Makes `halfopen._core.NextItem`: the PyO3 class of that name, with slots of its own.
///
/// Without `am_send`, which PyO3 has no way to fill, each item would be raised as the value of a `StopIteration`. `am_await`
/// returns the object itself, as `iter` of an iterator does; through PyO3 that takes 7 ns.
pub fn make_next_item_class(py: Python<'_>) -> PyResult<Bound<'_, PyType>> {
    let mut slots = [
        ffi::PyType_Slot { slot: ffi::Py_am_send, pfunc: send as *mut c_void },
        ffi::PyType_Slot { slot: ffi::Py_am_await, pfunc: ffi::PyObject_SelfIter as *mut c_void },
        ffi::PyType_Slot { slot: ffi::Py_tp_iter, pfunc: ffi::PyObject_SelfIter as *mut c_void },
        ffi::PyType_Slot::default(),
    ];
    let mut spec = ffi::PyType_Spec {
        name: c"halfopen._core.NextItem".as_ptr(),
        basicsize: 0,
        itemsize: 0,
        flags: ffi::Py_TPFLAGS_DEFAULT as _,
        slots: slots.as_mut_ptr(),
    };
    let bases = PyTuple::new(py, [py.get_type::<NextItem>()])?;
    // SAFETY: the interpreter copies the specification; the name is static. The function fits its slot, and takes objects of
    // the base class.
    let class =
        unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpecWithBases(&raw mut spec, bases.as_ptr()))? };
    class.cast_into::<PyType>().map_err(|_| PyImportError::new_err("NextItem is no class"))
}

unsafe extern "C" fn send(
    next_item: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    result: *mut *mut ffi::PyObject,
) -> ffi::PySendResult {
    // SAFETY: the interpreter hands a slot an object of its class and is attached.
    let (next_item, value) = unsafe {
        let [next_item, value] = borrowed([next_item, value]);
        (next_item.cast_unchecked::<NextItem>(), value)
    };
    let step = catch_unwind(AssertUnwindSafe(|| next_item.get().send(&value)));
    let step =
        step.unwrap_or_else(|_| Step::raise(value.py(), PanicException::new_err("a stream could not take a step")));
    let (object, kind) = match step {
        Step::Next(waits_for) => (waits_for.into_ptr(), ffi::PySendResult::PYGEN_NEXT),
        Step::Return(item) => (item.into_ptr(), ffi::PySendResult::PYGEN_RETURN),
        Step::Raise => (ptr::null_mut(), ffi::PySendResult::PYGEN_ERROR),
    };
    // SAFETY: the interpreter wants the result here.
    unsafe { *result = object };
    kind
}
