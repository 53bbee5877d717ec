//! The native build for Node: conversions, and the breakers that the threads of a process share by name.
// Not `forbid`: what napi's attributes expand to has `unsafe` of its own.
#![deny(unsafe_code)]
// In a build for tests, which linters make, the attributes export nothing.
#![cfg_attr(test, allow(dead_code))]

mod circuit;
mod circuits;
mod hot_path;
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
