//! The breaker behind WebAssembly: conversions, and nothing that decides.
//!
//! The TypeScript in `ts/` is what users see. It reads the host's clock and tells the time before each operation, so no
//! host code runs while this crate does.

mod backend;
mod convert;

pub use backend::Backend;
