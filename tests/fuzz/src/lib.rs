//! What random bytes are made into, and what must hold of it. libFuzzer looks for bytes that break it (`targets/`, run by
//! `make prove`); `tests/short.rs` does the same with a few thousand inputs on any toolchain.

pub mod configs;
pub mod histories;
pub mod snapshots;
mod value;

pub use value::{Field, Hostile};
