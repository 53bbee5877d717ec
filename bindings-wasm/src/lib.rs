//! The WebAssembly build: the exports of `api/`, the calls, and the check for room on the stack.
#![cfg(target_family = "wasm")]
// Not `forbid`, because the attributes of wasm-bindgen expand to `unsafe` code.
#![deny(unsafe_code)]
// `stack.rs` holds 576 numbers by one macro.
#![recursion_limit = "1024"]

mod hot_path;
mod stack;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

pub use halfopen_js::{JsBreaker, RegistryPolicy};

#[global_allocator]
static ALLOCATOR: WasmDynamicTalc = new_wasm_dynamic_allocator();
