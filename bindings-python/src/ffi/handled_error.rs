//! `sys.exception()` for host code that Rust calls.

use pyo3::ffi;
use pyo3::prelude::*;

/// Runs host code as in an `except` block of that error, for a host that asks for `sys.exception()`.
pub fn while_handling<T>(error: &Bound<'_, PyAny>, run: impl FnOnce() -> T) -> T {
    struct Before(*mut ffi::PyObject);
    impl Drop for Before {
        fn drop(&mut self) {
            // SAFETY: attached, as the error shows that was there before; the reference is ours, and none is fine too.
            unsafe {
                ffi::PyErr_SetHandledException(self.0);
                ffi::Py_XDECREF(self.0);
            }
        }
    }
    // SAFETY: attached, as the error shows; it is an exception, and stays ours.
    let before = unsafe {
        let before = Before(ffi::PyErr_GetHandledException());
        ffi::PyErr_SetHandledException(error.as_ptr());
        before
    };
    let answer = run();
    drop(before);
    answer
}
