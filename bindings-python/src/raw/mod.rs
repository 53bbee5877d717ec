//! All of this binding that is unsafe: what PyO3 offers no way to do, or none that is fast enough.

mod calls;
mod functions;
mod host;
mod pending;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

pub use calls::{add_begin, call_object, make_call_class, probe_of};
pub use functions::add_run;
pub use host::{call_host, call_host_method, call_host_plainly, send_host};
pub use pending::raise_soon;
use pyo3::ffi;
use pyo3::panic::PanicException;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyType};

/// Methods for the interpreter, which only reads them.
struct Methods<const N: usize>([ffi::PyMethodDef; N]);

// SAFETY: its pointers are to constants, and nobody writes to it.
unsafe impl<const N: usize> Sync for Methods<N> {}

/// Gives a class of PyO3's a method.
///
/// # Safety
/// The method takes the objects of that class.
unsafe fn add_method(class: &Bound<'_, PyType>, method: &'static Methods<1>) -> PyResult<()> {
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
unsafe fn borrowed<'py, const N: usize>(objects: [*mut ffi::PyObject; N]) -> [Borrowed<'py, 'py, PyAny>; N] {
    // SAFETY: as asked of the caller.
    objects.map(|object| unsafe { Borrowed::from_ptr(Python::assume_attached(), object) })
}

/// Runs what needs the interpreter, in a thread that is attached to it, as every thread is that runs code of this library.
///
/// It tells PyO3, which then lets go at once of what is dropped. PyO3 attaches no thread to an interpreter that is
/// finalizing, but Python code goes on to run there, and to call into this library.
pub fn attached<T>(work: impl FnOnce(Python<'_>) -> T) -> T {
    let mut work = Some(work);
    let mut run = |py: Python<'_>| work.take().map(|work| work(py));
    // SAFETY: the interpreter calls this library, and nobody else does; it never detaches the thread.
    let done = Python::try_attach(&mut run).flatten().or_else(|| run(unsafe { Python::assume_attached() }));
    done.expect("it is run by one of the two")
}

/// Whether somebody holds an object beside its owner here.
pub fn is_shared(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: attached; the object is alive.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) > 1 }
}

/// The answer of a method as the interpreter expects it.
fn answered(py: Python<'_>, method: impl FnOnce() -> PyResult<Py<PyAny>>) -> *mut ffi::PyObject {
    let answer = catch_unwind(AssertUnwindSafe(method));
    match answer.unwrap_or_else(|_| Err(PanicException::new_err("a call could not be settled"))) {
        Ok(object) => object.into_ptr(),
        Err(error) => {
            error.restore(py);
            ptr::null_mut()
        }
    }
}

/// Whether objects of a class can be awaited: the very question that `await` asks.
///
/// What Python offers for it asks an abstract base class, which takes longer than all the rest of a guarded call.
pub fn has_await(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: a class has a slot of that number, and it is looked at and no more.
    unsafe { !ffi::PyType_GetSlot(object.get_type_ptr(), ffi::Py_am_await).is_null() }
}

/// Whether an object's class was made at run time, as those written in Python are, and not compiled in.
#[inline(always)]
pub fn is_made_in_python(object: &Bound<'_, PyAny>) -> bool {
    // SAFETY: it is a class, and it is looked at and no more.
    unsafe { ffi::PyType_GetFlags(object.get_type_ptr()) & ffi::Py_TPFLAGS_HEAPTYPE != 0 }
}

/// Lets go of a reference that was kept as a pointer; null is fine too.
pub fn release(_: Python<'_>, object: *mut ffi::PyObject) {
    // SAFETY: attached; the reference is the caller's.
    unsafe { ffi::Py_XDECREF(object) };
}

/// Whether an object's class is this one or inherits from it.
///
/// `isinstance` also asks the object for its `__class__`, which takes longer and may run host code.
pub fn inherits(object: &Bound<'_, PyAny>, class: &Bound<'_, PyType>) -> bool {
    // SAFETY: both are classes, and they are looked at and no more.
    unsafe { ffi::PyType_IsSubtype(object.get_type_ptr(), class.as_type_ptr()) != 0 }
}

/// The frame of Python's that runs now, by its address and that of its code.
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
