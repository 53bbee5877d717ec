//! The native build for Node: what `halfopen-js` exports, calls that take less time, and the breakers that the
//! threads of a process share by name.
// Not `forbid`, because napi's attributes expand to `unsafe` code.
#![deny(unsafe_code)]
// In test builds the attributes export nothing, so clippy would find everything unused.
#![cfg_attr(test, allow(dead_code))]

mod hot_path;
mod shared;
mod watch;

use napi_derive::napi;

/// The version of this build, which has to be that of the package that loads it.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
