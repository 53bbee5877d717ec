//! The native build for Node: the exports of `halfopen-js`, a faster call path, and breakers shared by name between
//! threads.
// Not `forbid`, because napi's attributes expand to `unsafe` code.
#![deny(unsafe_code)]
// In test builds the attributes export nothing, so clippy would find everything unused.
#![cfg_attr(test, allow(dead_code))]

mod hot_path;
mod shared;
mod watch;

use napi_derive::napi;

/// The version of this build. It must be that of the package that loads it.
#[napi]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
