//! The one check against a stack that is already full.
//!
//! A WebAssembly call that finds no stack traps without unwinding: locks stay locked, and the module's own stack pointer
//! stays where it was. So the TypeScript asks for room before it crosses the border, while nothing has been touched.

use std::sync::atomic::{AtomicU64, Ordering};

use wasm_bindgen::prelude::*;

/// Always 0, which the compiler cannot know. (`black_box` would use the module's own stack, which a trap does not give back.)
static ZERO: AtomicU64 = AtomicU64::new(0);

/// Holds a number for each token, which makes the frame large.
macro_rules! hold {
    () => {};
    ($number:tt $($others:tt)*) => {
        let held = opaque(0);
        hold!($($others)*);
        opaque(held);
    };
}

/// Repeats the tokens eight times for each `x`.
macro_rules! repeated {
    ([] $($tokens:tt)*) => { hold!($($tokens)*) };
    ([x $($more:tt)*] $($tokens:tt)*) => {
        repeated!([$($more)*] $($tokens)* $($tokens)* $($tokens)* $($tokens)* $($tokens)* $($tokens)* $($tokens)* $($tokens)*)
    };
}

/// Goes down `frames` + 1 frames of 4.5 KB and comes back; a host without that much stack throws.
#[wasm_bindgen(js_name = checkStack)]
pub fn check_stack(frames: u32) {
    descend(frames);
}

#[inline(never)]
fn descend(frames: u32) -> u64 {
    // An engine reserves the frame for everything that a function may hold at once, so a branch that is never taken
    // makes it large and costs nothing. V8 checks a frame of more than 4 KB as a whole: one of these takes a tenth of the
    // time of as many bytes in small frames.
    if opaque(0) != 0 {
        repeated!([x x] a b c d e f g h i);
    }
    // Otherwise the compiler would make a loop of it.
    if frames == 0 { 0 } else { opaque(descend(frames - 1)) }
}

/// A number of which the compiler knows nothing: the one before, and that is 0 where only zeros come.
#[inline(never)]
fn opaque(number: u64) -> u64 {
    ZERO.swap(number, Ordering::Relaxed)
}
