//! The check for room on the stack.
//!
//! A stack overflow inside WebAssembly traps without unwinding: locks stay locked, and the module's own stack pointer
//! is not restored. So the TypeScript checks for room before it crosses the border, while nothing has changed yet.

use std::sync::atomic::{AtomicU64, Ordering};

use wasm_bindgen::prelude::*;

/// Always 0, which the compiler cannot know. (`black_box` would use the module's own stack, which a trap does not
/// restore.)
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

/// Throws a RangeError if the stack has no room for any method but those of the hot path.
#[wasm_bindgen(js_name = checkStack)]
pub fn check_stack() {
    take_frames(5);
}

/// Recurses through this many frames of 4.5 KB, at least one; the host throws a RangeError if its stack is too short.
#[inline(never)]
pub(crate) fn take_frames(count: u32) -> u64 {
    // An engine reserves a frame for all values that a function may hold at once. So a branch that is never taken makes
    // the frame large and costs nothing. V8 checks a frame of more than 4 KB at once, which takes a tenth of the time of
    // the same bytes in small frames.
    if ZERO.load(Ordering::Relaxed) != 0 {
        repeated!([x x] a b c d e f g h i);
    }
    // Not a tail call, which the compiler would turn into a loop.
    if count <= 1 { 0 } else { opaque(take_frames(count - 1)) }
}

/// Returns the number that the previous call passed. It is always 0, because only zeros are passed, but the compiler
/// cannot know that.
#[inline(never)]
fn opaque(number: u64) -> u64 {
    ZERO.swap(number, Ordering::Relaxed)
}
