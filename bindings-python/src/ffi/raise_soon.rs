//! Exceptions that are raised a moment later.

use std::ffi::{c_int, c_void};

use pyo3::ffi;
use pyo3::prelude::*;

/// Raises an exception in the main thread as soon as that runs Python code again. Gives it back if too many are waiting.
pub fn raise_soon(error: PyErr) -> Result<(), PyErr> {
    let error = Box::into_raw(Box::new(error));
    // SAFETY: any thread may call it. `raise` runs once, in the main thread, attached, and takes the pointer.
    if unsafe { ffi::Py_AddPendingCall(Some(raise), error.cast()) } == 0 {
        return Ok(());
    }
    // SAFETY: the call was not added, so the pointer is still ours.
    Err(*unsafe { Box::from_raw(error) })
}

extern "C" fn raise(error: *mut c_void) -> c_int {
    // SAFETY: the pointer comes from `raise_soon`, and the interpreter calls this once and attached.
    let (error, py) = unsafe { (Box::from_raw(error.cast::<PyErr>()), Python::assume_attached()) };
    error.restore(py);
    -1
}
