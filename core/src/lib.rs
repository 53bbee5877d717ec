//! A circuit breaker that cannot get stuck: a pure state machine with an injectable clock.
//!
//! ```
//! use halfopen::{CircuitBreaker, Config};
//!
//! let breaker = CircuitBreaker::new(Config::builder().name("gemini").failure_threshold(3).build()?);
//! let answer = breaker.call(|| ask_the_provider("hello"))?;
//! assert_eq!(answer, "HELLO");
//!
//! fn ask_the_provider(prompt: &str) -> Result<String, std::io::Error> {
//!     Ok(prompt.to_uppercase())
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A circuit breaker stands between a caller and a provider that may fail. While the circuit is *closed*, calls pass.
//! After some failures in a row, or when too many of the last calls failed or were slow, it *opens*: it rejects calls at
//! once, which spares the caller a timeout and the provider the load. After a wait it is *half-open*: a few calls pass as
//! probes, and their outcome closes the circuit or opens it again.
//!
//! Three rules keep it from getting stuck or being fooled. Each answers a defect that other breakers have shipped:
//! - *A permit carries the generation in which it was handed out*, and a permit of an older generation changes nothing.
//!   So a late result neither closes nor opens a circuit that has moved on.
//! - *Every permit comes back*: dropped, cancelled or panicked over, it frees its slot.
//! - *A probe that shows no sign of life loses its slot* after the probe timeout. So a probe that never returns does not
//!   block the circuit.
//!
//! # Modules
//! - [`config`]: the builder, the fields, their defaults and checks.
//! - [`control`]: the state machine, a small `Copy` value and pure functions. Only this module changes a state. Its page
//!   shows the transition table and the diagram.
//! - [`evidence`]: readings of one breaker: status, counters, window, durations, events.
//! - [`metrics`]: totals of all breakers by label, for a scrape.
//! - [`registry`]: a bounded set of breakers by name.
//! - [`classify`]: the health of a provider, judged by its HTTP response.
//! - [`pool`]: choosing among providers.
//! - [`clock`]: the system clock, a manual clock for tests, and the trait for your own.
//! - [`host`]: for authors of bindings to other languages.
//! - `sim` (feature): simulates scenarios and replays logs.
//!
//! The breaker itself, [`CircuitBreaker`], is shared by any number of threads. A [`Snapshot`] saves it across a restart.
//!
//! # Non-goals
//! This crate starts no thread and no timer, does no I/O, needs no async runtime and logs nothing: the breaker computes
//! the effects of time when it is called. It does not retry, limit rates or cut calls short, and it shares nothing
//! between processes.
//!
//! # Features
//! - `std` (default): [`clock::SystemClock`] and the operating system's lock. The clock reads the processor's counter where
//!   Linux does, through the crate `halfopen-counter`; that needs its only line of `unsafe` code.
//! - `spin`: a spinning lock instead, for `no_std` hosts with an allocator and 64-bit atomics; checked with
//!   `aarch64-unknown-none`.
//! - `serde`: [`Config`], [`Snapshot`], the readings, [`host::Value`] and the enumerations implement serde's traits, so a
//!   configuration can be read from TOML, for example.
//! - `json`: [`host::Value`] reads and writes JSON, and with it configurations and snapshots.
//! - `sim`: the module `sim`, which simulates scenarios and replays logs.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
#[doc = include_str!("../../docs/guide/start-rust.md")]
#[doc = include_str!("../../docs/guide/testing.md")]
struct Readme;

mod breaker;
pub mod classify;
pub mod clock;
pub mod config;
pub mod control;
pub mod evidence;
pub mod host;
pub mod metrics;
mod names;
pub mod pool;
mod random;
pub mod registry;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "sim")]
pub mod sim;
mod snapshot;
mod splitmix;
mod sync;

pub use breaker::{CallError, CircuitBreaker, OwnedPermit, Permit};
pub use config::{Config, InvalidValue};
pub use control::{Outcome, Rejected, State};
pub use snapshot::Snapshot;
