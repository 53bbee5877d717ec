//! The interpreter that runs.

use pyo3::ffi;
use pyo3::prelude::*;

/// Whether this is not the first interpreter of the process.
pub fn is_subinterpreter(_: Python<'_>) -> bool {
    // SAFETY: attached, so there is a running interpreter. It is looked at and no more.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) != 0 }
}
