//! The running frame, by which a block is known.

use pyo3::ffi;
use pyo3::prelude::*;

/// The Python frame that runs now, by its address and that of its code.
///
/// A frame stays where it is until it has ended, also while a generator or a coroutine is suspended and when it goes on in
/// another thread. A later frame may get the address of one that has ended; that it also has the same code is for the
/// caller to judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Frame {
    frame: usize,
    code: usize,
}

impl Frame {
    /// `None` where no Python code runs.
    pub fn running(_: Python<'_>) -> Option<Self> {
        // SAFETY: attached. The frame is borrowed and its code a reference of ours; both are looked at and no more.
        unsafe {
            let frame = ffi::PyEval_GetFrame();
            if frame.is_null() {
                return None;
            }
            let code = ffi::PyFrame_GetCode(frame);
            let found = Self { frame: frame.addr(), code: code.addr() };
            ffi::Py_DECREF(code.cast());
            Some(found)
        }
    }
}
