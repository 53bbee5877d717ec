//! Questions about objects and their classes that run no Python code.

use std::ffi::c_void;
use std::ptr;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// Whether `await` accepts objects of this class: `am_await` is set.
///
/// `isinstance(object, Awaitable)` asks an abstract base class, which takes longer than the rest of a guarded call.
pub fn has_await(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `get_type_ptr` is a valid class; the call only reads a slot.
    unsafe { !ffi::PyType_GetSlot(object.get_type_ptr(), ffi::Py_am_await).is_null() }
}

/// Whether `async for` accepts objects of this class: `am_aiter` is set.
pub fn has_aiter(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: as above.
    unsafe { !ffi::PyType_GetSlot(object.get_type_ptr(), ffi::Py_am_aiter).is_null() }
}

/// Whether `next` or `anext` takes an object.
pub fn is_iterator(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: the object is alive; the calls only read slots of its class.
    unsafe { ffi::PyIter_Check(object.as_ptr()) != 0 || ffi::PyAIter_Check(object.as_ptr()) != 0 }
}

/// Whether this is an object's class.
pub fn is_exactly(object: &Bound<'_, PyAny>, class: &Py<PyType>) -> bool {
    object.get_type_ptr() == class.bind(object.py()).as_type_ptr()
}

/// Whether the class is a heap type: every class written in Python.
#[inline(always)]
pub fn is_made_in_python(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `get_type_ptr` is a valid class; the call only reads its flags.
    unsafe { ffi::PyType_GetFlags(object.get_type_ptr()) & ffi::Py_TPFLAGS_HEAPTYPE != 0 }
}

/// Whether its class looks attributes up without Python code.
pub fn looks_up_plainly(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: `get_type_ptr` is a valid class; the call only reads a slot.
    let lookup = unsafe { ffi::PyType_GetSlot(object.get_type_ptr(), ffi::Py_tp_getattro) };
    ptr::eq(lookup, ffi::PyObject_GenericGetAttr as *const c_void)
}

/// Whether a class has abstract methods.
pub fn is_abstract(class: &Bound<'_, PyType>) -> bool {
    // SAFETY: the class is valid; the call only reads its flags.
    unsafe { ffi::PyType_GetFlags(class.as_type_ptr()) & ffi::Py_TPFLAGS_IS_ABSTRACT != 0 }
}

/// Whether an object's class is this one or inherits from it.
///
/// `isinstance` also asks the object for its `__class__`, which takes longer and may run host code.
pub fn inherits(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> bool {
    // SAFETY: both are valid classes; the call only reads them.
    unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), class.as_type_ptr()) != 0 }
}

/// Whether the reference count is above 1.
pub fn is_shared(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: attached; the object is alive.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) > 1 }
}

/// Whether the object has an attribute. Its class must not look attributes up by Python code.
///
/// Unlike `hasattr`, this makes no `AttributeError` if there is none.
pub fn has_attribute(object: &Bound<'_, PyAny>, name: &Bound<'_, PyString>) -> bool {
    // SAFETY: attached, as the objects show; both are valid.
    unsafe { ffi::PyObject_HasAttr(object.as_ptr(), name.as_ptr()) == 1 }
}
