//! The circuits of a thread by number, for the hot path, which passes only numbers.

use std::cell::RefCell;
use std::rc::Rc;

use halfopen_js::Circuit;
use napi::bindgen_prelude::{Error, Result};
use slab::Slab;

/// A circuit of this thread. No circuit calls JavaScript, so none is ever borrowed twice.
pub(crate) type Shared = Rc<RefCell<Circuit>>;

thread_local! {
    // A Node environment has a thread of its own, so what belongs to the thread belongs to the environment.
    static CIRCUITS: RefCell<Slab<Shared>> = const { RefCell::new(Slab::new()) };
}

pub(crate) fn insert(circuit: Shared) -> u32 {
    CIRCUITS.with_borrow_mut(|circuits| circuits.insert(circuit)) as u32
}

/// Calls `work` with the circuit of that number.
#[inline]
pub(crate) fn with<T>(number: u32, work: impl FnOnce(&mut Circuit) -> T) -> Result<T> {
    CIRCUITS.with_borrow(|circuits| match circuits.get(number as usize) {
        Some(circuit) => Ok(work(&mut circuit.borrow_mut())),
        None => Err(Error::from_reason("no circuit has this number")),
    })
}

pub(crate) fn remove(number: u32) {
    // When a thread ends, the table may be dropped before the objects that hold the circuits.
    let _gone = CIRCUITS.try_with(|circuits| circuits.borrow_mut().try_remove(number as usize));
}
