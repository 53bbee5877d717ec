//! The functions that every call needs. This crate alone may grow for speed; everything else is as small as possible.

use std::cell::RefCell;
use std::rc::Rc;

use halfopen_js::{Calls, JsBreaker};
use wasm_bindgen::prelude::*;

use crate::stack::take_frames;

/// The calls of a breaker.
///
/// Each method checks for room on the stack itself, because a separate crossing of the border for that takes 8 ns more.
/// If there is none, wasm-bindgen keeps this object borrowed for ever: it still works, but is never freed.
#[wasm_bindgen]
pub struct HotPath(Rc<RefCell<Calls>>);

#[wasm_bindgen]
impl HotPath {
    /// The calls of this breaker.
    pub fn create(breaker: &JsBreaker) -> HotPath {
        Self(breaker.calls())
    }

    /// See [`Calls::enter`].
    pub fn enter(&self, millis: f64, outer: f64) -> f64 {
        take_frames(1);
        enter(&self.0, millis, outer)
    }

    /// See [`Calls::settle`].
    pub fn settle(&self, permit: f64, outcome: u32, millis: f64) -> f64 {
        take_frames(1);
        settle(&self.0, permit, outcome, millis)
    }
}

// Not inlined, because they use the module's own stack, whose pointer a trap in the check would not restore.

#[inline(never)]
fn enter(calls: &RefCell<Calls>, millis: f64, outer: f64) -> f64 {
    calls.borrow_mut().enter(millis, outer)
}

#[inline(never)]
fn settle(calls: &RefCell<Calls>, permit: f64, outcome: u32, millis: f64) -> f64 {
    calls.borrow_mut().settle(permit, outcome, millis)
}
