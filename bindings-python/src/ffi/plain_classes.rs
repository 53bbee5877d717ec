//! A table of classes that is read without a lock, for every call that returns an object of a class made in Python.

use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::prelude::*;

/// Classes whose objects are no responses, as the default rules say, of all breakers.
///
/// A call that returns one asks no Python code. More classes than there is room for take each other's place.
pub struct PlainClasses([AtomicPtr<ffi::PyObject>; Self::PLACES]);

static PLAIN: PlainClasses = PlainClasses([const { AtomicPtr::new(ptr::null_mut()) }; PlainClasses::PLACES]);

impl PlainClasses {
    const PLACES: usize = 256;

    #[inline(always)]
    pub fn contain(object: &Bound<'_, PyAny>) -> bool {
        let class = object.get_type_ptr();
        PLAIN.0[Self::place(class.addr())].load(Ordering::Relaxed).addr() == class.addr()
    }

    pub fn add(object: &Bound<'_, PyAny>) {
        // The class stays alive as long as it is here, so that no other one gets its address.
        let class = object.get_type().into_any();
        let place = Self::place(class.as_ptr().addr());
        let before = PLAIN.0[place].swap(class.into_ptr(), Ordering::Relaxed);
        // SAFETY: attached, as the object shows; the reference was kept here, and null is fine too.
        unsafe { ffi::Py_XDECREF(before) };
    }

    /// Classes are hundreds of bytes long, and often lie beside each other.
    fn place(address: usize) -> usize {
        (address >> 4 ^ address >> 12) % Self::PLACES
    }
}
