//! Converts random bytes into inputs and checks the invariants. libFuzzer searches for bytes that violate them
//! (`targets/`, run by `make prove`); `tests/short.rs` checks a few thousand inputs on any toolchain.

pub mod configs;
pub mod histories;
pub mod responses;
pub mod snapshots;
mod value;

pub use value::{ArbitraryValue, Field};
