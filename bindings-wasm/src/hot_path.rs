//! The functions that every call needs. This crate alone is optimised for speed, and everything else for size.

use std::cell::RefCell;
use std::rc::Rc;

use halfopen_js::{Calls, Circuit};
use wasm_bindgen::prelude::*;

/// The calls of a circuit.
#[wasm_bindgen]
pub struct HotPath(Rc<RefCell<Calls>>);

#[wasm_bindgen]
impl HotPath {
    /// The calls of this circuit.
    pub fn create(circuit: &Circuit) -> HotPath {
        Self(circuit.calls())
    }

    /// See [`Calls::enter`].
    pub fn enter(&self, millis: f64, outer: f64) -> f64 {
        self.0.borrow_mut().enter(millis, outer)
    }

    /// See [`Calls::settle`].
    pub fn settle(&self, permit: f64, outcome: u32, millis: f64) -> f64 {
        self.0.borrow_mut().settle(permit, outcome, millis)
    }
}
