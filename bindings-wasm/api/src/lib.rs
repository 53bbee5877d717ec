//! What both JavaScript builds share: conversions, and nothing that decides.
//!
//! Calls cross the border in plain numbers, because every call pays for them. Everything else crosses as a
//! [`halfopen::Value`], which serde turns into the host's own objects.
#![forbid(unsafe_code)]

mod circuit;
mod clock;
mod permits;
mod values;

pub use circuit::{Breaker, Circuit};
pub use clock::JsClock;
pub use values::{config, number};
