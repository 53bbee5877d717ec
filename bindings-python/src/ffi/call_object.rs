//! The class of calls in flight, and what begins one.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use halfopen::Outcome;
use pyo3::exceptions::PyImportError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::sync::critical_section::with_critical_section;
use pyo3::types::PyType;

use super::attach::attached;
use super::methods::{Methods, add_method, answered, borrowed};
use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;
use crate::convert::check_callable;
use crate::nesting::Probe;
use crate::pending::PendingCall;
use crate::results::{EndsLater, followed, guarded_stream};

/// `halfopen._core.Call`: a call in flight, as the frame that makes it holds it. Dropped unsettled, it is cancelled.
///
/// Every guarded coroutine makes one. With a PyO3 class it takes 45 ns more, a third of all that guarding adds without
/// recorded durations (131 ns).
#[repr(C)]
struct Call {
    head: ffi::PyObject,
    /// Never changes. The breaker stays alive, and so stays counted, as long as a call of it may end.
    breaker: Py<PyBreaker>,
    /// Taken to settle the call; touched by [`take_call`], [`probe_of`] and at the object's end alone.
    admitted: UnsafeCell<Option<AdmittedCall>>,
}

#[expect(clippy::disallowed_types, reason = "filled by `make_call_class`, when the module is made")]
static CLASS: pyo3::sync::PyOnceLock<Py<PyType>> = pyo3::sync::PyOnceLock::new();

/// Makes the class of calls in flight.
pub fn make_call_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    if CLASS.get(py).is_none() {
        let _ = CLASS.set(py, made_class(py)?);
    }
    call_class(py)
}

fn call_class(py: Python<'_>) -> PyResult<&Bound<'_, PyType>> {
    let class = CLASS.get(py).ok_or_else(|| PyImportError::new_err("halfopen._core has not been imported yet"))?;
    Ok(class.bind(py))
}

/// A call in flight as a Python object.
///
/// Inlined, so that the call goes from registers to its place. A copy on the way takes 4 ns: it reads in one piece what has
/// just been written in two.
#[inline(always)]
pub fn call_object<'py>(breaker: &Bound<'py, PyBreaker>, call: Option<AdmittedCall>) -> PyResult<Bound<'py, PyAny>> {
    let py = breaker.py();
    let class = call_class(py)?.as_type_ptr();
    // SAFETY: the class is that of `Call`, so there is room for one. No code sees the object before its fields are
    // written: other threads have no reference to it, and the collector does not know of it.
    unsafe {
        let place = ffi::PyObject_GC_New::<Call>(class);
        if place.is_null() {
            let error = PyErr::fetch(py);
            drop(call.map(|call| PendingCall::new(breaker.get(), call)));
            return Err(error);
        }
        ptr::write(&raw mut (*place).breaker, breaker.clone().unbind());
        ptr::write(&raw mut (*place).admitted, UnsafeCell::new(call));
        ffi::PyObject_GC_Track(place.cast());
        Ok(Bound::from_owned_ptr(py, place.cast()))
    }
}

static METHODS: Methods<5> = Methods([
    method(c"returned", returned, c"returned($self, result, /)\n--\n\nThe call gave this result, which is handed on."),
    method(c"raised", raised, c"raised($self, error, /)\n--\n\nThe call, or the future that it returned, raised this."),
    ffi::PyMethodDef {
        ml_flags: ffi::METH_NOARGS,
        ..method(c"cancelled", cancelled, c"cancelled($self, /)\n--\n\nThe call was given up before it ended.")
    },
    method(
        c"future_returned",
        future_returned,
        c"future_returned($self, result, /)\n--\n\nThe future that the call returned gave this result.",
    ),
    ffi::PyMethodDef::zeroed(),
]);

/// A method of one argument: the interpreter calls it 10 ns faster than one of any other number.
const fn method(name: &'static CStr, function: ffi::PyCFunction, text: &'static CStr) -> ffi::PyMethodDef {
    ffi::PyMethodDef {
        ml_name: name.as_ptr(),
        ml_meth: ffi::PyMethodDefPointer { PyCFunction: function },
        ml_flags: ffi::METH_O,
        ml_doc: text.as_ptr(),
    }
}

static BEGIN: Methods<1> = Methods([method(c"_begin", begin, c"_begin($self, func, /)\n--\n\nBegins a call.")]);

/// Gives breakers their method `_begin`.
pub fn add_begin(py: Python<'_>) -> PyResult<()> {
    // SAFETY: it takes the objects of this class.
    unsafe { add_method(&py.get_type::<PyBreaker>(), &BEGIN) }
}

fn made_class(py: Python<'_>) -> PyResult<Py<PyType>> {
    let slot = |slot: c_int, pfunc: *mut c_void| ffi::PyType_Slot { slot, pfunc };
    let mut slots = [
        slot(ffi::Py_tp_dealloc, deallocate as *mut c_void),
        slot(ffi::Py_tp_traverse, traverse as *mut c_void),
        slot(ffi::Py_tp_methods, METHODS.0.as_ptr().cast_mut().cast()),
        slot(ffi::Py_tp_doc, c"A call in flight.".as_ptr().cast_mut().cast()),
        ffi::PyType_Slot::default(),
    ];
    let flags = ffi::Py_TPFLAGS_DEFAULT
        | ffi::Py_TPFLAGS_HAVE_GC
        | ffi::Py_TPFLAGS_DISALLOW_INSTANTIATION
        | ffi::Py_TPFLAGS_IMMUTABLETYPE;
    let mut spec = ffi::PyType_Spec {
        name: c"halfopen._core.Call".as_ptr(),
        basicsize: size_of::<Call>() as c_int,
        itemsize: 0,
        flags: flags as _,
        slots: slots.as_mut_ptr(),
    };
    // SAFETY: the interpreter copies the specification; the data that it keeps pointers to are static. The functions fit their
    // slots, and each ends with the object in the state that its slot asks for.
    let class = unsafe { Bound::from_owned_ptr_or_err(py, ffi::PyType_FromSpec(&raw mut spec))? };
    Ok(class.cast_into::<PyType>()?.unbind())
}

unsafe extern "C" fn begin(breaker: *mut ffi::PyObject, func: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: the interpreter hands a method an object of its class and an argument, and is attached; this is a method
    // of breakers.
    let (breaker, func) = unsafe {
        let [breaker, func] = borrowed([breaker, func]);
        (breaker.cast_unchecked::<PyBreaker>(), func)
    };
    answered(breaker.py(), || {
        check_callable(&func)?;
        let mut call = Some(breaker.get().admit(breaker.py())?);
        if call.as_ref().is_some_and(AdmittedCall::is_probe) {
            call = entered(&breaker, [call])?;
        }
        call_object(&breaker, call).map(Bound::unbind)
    })
}

/// A probe whose function runs from now on. It is passed in an array for the reason that [`call_object`] gives.
#[inline(never)]
fn entered(breaker: &Bound<'_, PyBreaker>, [call]: [Option<AdmittedCall>; 1]) -> PyResult<Option<AdmittedCall>> {
    let Some(call) = call else { return Ok(None) };
    let pending = PendingCall::new(breaker.get(), call);
    pending.enter(breaker.py())?;
    Ok(pending.release())
}

unsafe extern "C" fn returned(call: *mut ffi::PyObject, result: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above.
    let [call, result] = unsafe { borrowed([call, result]) };
    answered(call.py(), || match EndsLater::of(&result)? {
        None => {
            if let Some((breaker, admitted)) = take_admitted(&call) {
                PendingCall::has_returned(breaker.get(), admitted, &result)?;
            }
            Ok(result.to_owned().unbind())
        }
        Some(EndsLater::Stream) => attached(|_| match take_call(&call) {
            Some((breaker, pending)) => guarded_stream(breaker, pending, &result).map(Bound::unbind),
            None => Ok(result.to_owned().unbind()),
        }),
        Some(EndsLater::Future) => attached(|py| {
            if let Some(probe) = probe_of(&call) {
                probe.leave(py);
            }
            followed(&call, &result).map(Bound::unbind)
        }),
    })
}

unsafe extern "C" fn raised(call: *mut ffi::PyObject, error: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above.
    let [call, error] = unsafe { borrowed([call, error]) };
    settled(&call, |pending| pending.raised(&error))
}

unsafe extern "C" fn cancelled(call: *mut ffi::PyObject, _: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above; the second argument is null.
    let [call] = unsafe { borrowed([call]) };
    settled(&call, |mut pending| {
        pending.settle(Outcome::Cancelled);
        Ok(())
    })
}

unsafe extern "C" fn future_returned(call: *mut ffi::PyObject, result: *mut ffi::PyObject) -> *mut ffi::PyObject {
    // SAFETY: as above.
    let [call, result] = unsafe { borrowed([call, result]) };
    settled(&call, |pending| pending.returned(&result))
}

/// The answer of a method that settles the call, unless it was settled before.
fn settled(call: &Bound<'_, PyAny>, settle: impl FnOnce(PendingCall<'_>) -> PyResult<()>) -> *mut ffi::PyObject {
    answered(call.py(), || {
        attached(|py| {
            take_call(call).map_or(Ok(()), |(_, pending)| settle(pending))?;
            Ok(py.None())
        })
    })
}

unsafe extern "C" fn deallocate(call: *mut ffi::PyObject) {
    // SAFETY: no reference to the object is left, so its fields are ours; they are dropped once. An object of a class
    // made at run time releases its class.
    unsafe {
        ffi::PyObject_GC_UnTrack(call.cast());
        let (class, py) = (ffi::Py_TYPE(call), Python::assume_attached());
        let fields = call.cast::<Call>();
        let breaker = ptr::read(&raw const (*fields).breaker).into_bound(py);
        if let Some(admitted) = ptr::read(&raw const (*fields).admitted).into_inner() {
            // A panic must not leave a function that C has called.
            let _ = catch_unwind(AssertUnwindSafe(|| breaker.get().abandon(admitted, None)));
        }
        drop(breaker);
        ffi::PyObject_GC_Del(call.cast());
        ffi::Py_DECREF(class.cast());
    }
}

unsafe extern "C" fn traverse(call: *mut ffi::PyObject, visit: ffi::visitproc, arg: *mut c_void) -> c_int {
    // SAFETY: the collector looks at tracked objects only, whose fields are written; the breaker is read and no more.
    unsafe {
        match visit(ffi::Py_TYPE(call).cast(), arg) {
            0 => visit((*call.cast::<Call>()).breaker.as_ptr(), arg),
            stop => stop,
        }
    }
}

/// Takes the ticket of a call, unless it was taken before.
fn take_call<'a, 'py>(call: &'a Bound<'py, PyAny>) -> Option<(&'a Bound<'py, PyBreaker>, PendingCall<'a>)> {
    take_admitted(call).map(|(breaker, admitted)| (breaker, PendingCall::new(breaker.get(), admitted)))
}

/// The same, for a caller that settles it at once.
#[inline(always)]
fn take_admitted<'a, 'py>(call: &'a Bound<'py, PyAny>) -> Option<(&'a Bound<'py, PyBreaker>, AdmittedCall)> {
    let fields = call.as_ptr().cast::<Call>();
    // SAFETY: this file hands its own calls to this function and nothing else, and they are alive. With the
    // interpreter's lock, or in a critical section of the object where there is none, no other thread uses the ticket.
    let (breaker, admitted) = unsafe {
        let take = || (*(*fields).admitted.get()).take();
        ((*fields).breaker.bind(call.py()), with_critical_section(call, take))
    };
    let admitted = admitted?;
    admitted.leave(call.py());
    Some((breaker, admitted))
}

/// The call as a probe; `None` if it is not one, has ended, or the object is not a call.
pub fn probe_of(call: &Bound<'_, PyAny>) -> Option<Arc<Probe>> {
    if call.get_type_ptr() != call_class(call.py()).ok()?.as_type_ptr() {
        return None;
    }
    let fields = call.as_ptr().cast::<Call>();
    // SAFETY: the object is a call, as its class shows, and alive; no other thread uses its admission, as in `take_call`.
    unsafe {
        with_critical_section(call, || (*(*fields).admitted.get()).as_ref().and_then(AdmittedCall::probe).cloned())
    }
}
