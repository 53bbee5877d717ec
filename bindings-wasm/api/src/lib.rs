//! The conversions that both JavaScript builds share; all decisions are core's.
//!
//! Calls cross the border as plain numbers, because that is cheapest. Everything else crosses as a [`halfopen::Value`],
//! which serde turns into the host's own objects.
#![forbid(unsafe_code)]

mod circuit;
mod clock;
mod permits;
mod registry;
mod values;

pub use circuit::{Breaker, Circuit};
pub use clock::JsClock;
pub use registry::Registry;
pub use values::{config, number};
