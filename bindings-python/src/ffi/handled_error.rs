//! `sys.exception()` for host code that Rust calls.

use pyo3::ffi;
use pyo3::prelude::*;

/// `sys.exception()`.
pub fn handled_error(py: Python<'_>) -> Option<Bound<'_, PyAny>> {
    // SAFETY: attached; the call returns a new reference, or null or `None` where nothing is being handled.
    let error = unsafe { Bound::from_owned_ptr_or_opt(py, ffi::PyErr_GetHandledException()) };
    error.filter(|error| !error.is_none())
}

/// Runs host code with `error` as `sys.exception()`, as in an `except` block.
pub fn while_handling<T>(error: &Bound<'_, PyAny>, run: impl FnOnce() -> T) -> T {
    struct PreviousError(*mut ffi::PyObject);
    impl Drop for PreviousError {
        fn drop(&mut self) {
            // SAFETY: attached, because a `Bound` exists; we own this reference, and both calls accept null.
            unsafe {
                ffi::PyErr_SetHandledException(self.0);
                ffi::Py_XDECREF(self.0);
            }
        }
    }
    // SAFETY: attached; `error` is an exception, and the call takes its own reference.
    let previous = unsafe {
        let previous = PreviousError(ffi::PyErr_GetHandledException());
        ffi::PyErr_SetHandledException(error.as_ptr());
        previous
    };
    let answer = run();
    drop(previous);
    answer
}
