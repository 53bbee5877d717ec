//! The native build for Node: the border to core, and the breakers that the threads of a process share by name.
// Not `forbid`, because napi's attributes expand to `unsafe` code.
#![deny(unsafe_code)]
// In test builds the attributes export nothing, so clippy would find everything unused.
#![cfg_attr(test, allow(dead_code))]

mod circuit;
mod circuits;
mod hot_path;
mod registry;
mod shared;
mod values;
mod wake;

use napi_derive::napi;

/// The version of this build, which has to be that of the package that loads it.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The most milliseconds that a clock can mean.
#[napi]
pub const LATEST_MILLIS: f64 = halfopen::Tick::LATEST_MILLIS;
