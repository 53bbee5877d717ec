//! The breaker that both JavaScript builds export; all decisions are core's.
//!
//! Calls cross the border as plain numbers, because that is cheapest. Everything else crosses as a [`halfopen::host::Value`],
//! which serde turns into the host's own objects.
// Not `forbid`, because the attributes of napi and wasm-bindgen expand to `unsafe` code.
#![deny(unsafe_code)]
// The host's values have a lifetime in Node and none in WebAssembly.
#![allow(mismatched_lifetime_syntaxes)]

mod breaker;
mod calls;
mod clock;
mod host;
#[cfg(feature = "pool")]
mod pool;
mod registry;
mod values;

pub use breaker::JsBreaker;
pub use calls::{Breaker, Calls};
pub use clock::JsClock;
pub use host::{Host, Plain, Result};
#[cfg(feature = "pool")]
pub use pool::replay_pool;
pub use registry::RegistryPolicy;
