//! The one check against a stack that is already full.
//!
//! A WebAssembly call that finds no stack traps without unwinding: locks stay locked, and the module's own stack pointer
//! stays where it was. So the TypeScript asks for room before it crosses the border, while nothing has been touched.

use std::sync::atomic::{AtomicU64, Ordering};

use wasm_bindgen::prelude::*;

/// Always 0, which the compiler cannot know. (`black_box` would use the module's own stack, which a trap does not give back.)
static ZERO: AtomicU64 = AtomicU64::new(0);

/// Holds so many numbers at once, which makes its frame large.
macro_rules! hold {
    () => {};
    ($number:literal $($others:literal)*) => {
        let held = opaque($number);
        hold!($($others)*);
        opaque(held);
    };
}

/// Goes down so many frames, of half a kilobyte or more each, and comes back; a host without that much stack throws.
#[wasm_bindgen(js_name = checkStack)]
pub fn check_stack(frames: u32) {
    descend(frames);
}

#[inline(never)]
fn descend(frames: u32) -> u64 {
    // An engine reserves the frame for everything that a function may hold at once, so a branch that is never taken
    // makes it large and costs nothing.
    if opaque(0) != 0 {
        hold!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
    }
    // Otherwise the compiler would make a loop of it.
    if frames == 0 { 0 } else { opaque(descend(frames - 1)) }
}

/// A number of which the compiler knows nothing: the one before, and that is 0 where only zeros come.
#[inline(never)]
fn opaque(number: u64) -> u64 {
    ZERO.swap(number, Ordering::Relaxed)
}
