//! The common part of the hand-made methods.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// Methods for the interpreter, which only reads them.
pub struct Methods<const N: usize>(pub [ffi::PyMethodDef; N]);

// SAFETY: its pointers are to constants, and no code writes to it.
unsafe impl<const N: usize> Sync for Methods<N> {}

/// Adds a method to a PyO3 class.
///
/// # Safety
/// The method takes the objects of that class.
pub unsafe fn add_method(class: &Bound<'_, PyType>, method: &'static Methods<1>) -> PyResult<()> {
    let [definition] = &method.0;
    // SAFETY: the definition is static, and the interpreter only reads it.
    let descriptor = unsafe {
        let made = ffi::PyDescr_NewMethod(class.as_type_ptr(), ptr::from_ref(definition).cast_mut());
        Bound::from_owned_ptr_or_err(class.py(), made)?
    };
    class.setattr(descriptor.getattr("__name__")?.cast_into::<PyString>()?, descriptor)
}

/// The object of a method, and its arguments.
///
/// # Safety
/// The interpreter is attached, and the objects stay alive for as long as the result is used.
pub unsafe fn borrowed<'py, const N: usize>(objects: [*mut ffi::PyObject; N]) -> [Borrowed<'py, 'py, PyAny>; N] {
    // SAFETY: as asked of the caller.
    objects.map(|object| unsafe { Borrowed::from_ptr(Python::assume_attached(), object) })
}

/// The answer of a method as the interpreter expects it.
pub fn answered(py: Python<'_>, method: impl FnOnce() -> PyResult<Py<PyAny>>) -> *mut ffi::PyObject {
    let answer = catch_unwind(AssertUnwindSafe(method));
    match answer.unwrap_or_else(|_| Err(PanicException::new_err("a call could not be settled"))) {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}
