//! A circuit as both JavaScript builds show it: conversions, and nothing that decides.
//!
//! What every call needs crosses the border in plain numbers. All else goes by the name of the operation, with its
//! arguments and its answer in bytes: see [`Circuit::operate`]. So a build holds nothing but the border itself.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod circuit;
mod now;
mod operations;
mod wire;

pub use circuit::Circuit;
pub use now::{Now, asked};
