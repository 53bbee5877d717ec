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
//! After some failures in a row, or when too many of the last calls failed or were slow, it *opens*: calls are rejected
//! at once, which spares the caller the wait and the provider the load. When a wait is over it is *half-open*: a few
//! calls pass as probes, and their outcome closes it or opens it again.
//!
//! Three rules keep it from getting stuck or being fooled, and each answers a defect that other breakers have shipped:
//! - *A permit carries the generation in which it was handed out*, and one of an older generation changes nothing. So a
//!   result that comes late neither closes nor opens what has moved on.
//! - *A permit always comes back*: dropped, cancelled or panicked over, it frees its slot.
//! - *A probe that shows no sign of life loses its slot* after a while. So one that never returns holds nothing.
//!
//! # Rooms
//! - [`Config`]: the fields, their defaults, their checks.
//! - [`control`]: the machine, a small `Copy` value and pure functions; everything that changes state. The table and the
//!   diagram stand there.
//! - [`CircuitBreaker`]: the shell that many threads share: the value, its evidence, and a [`Clock`].
//! - [`classify`]: what a provider's HTTP response says about it.
//! - [`Registry`]: breakers by name, as many as you allow.
//! - [`Metrics`]: what breakers have counted, by label, for whoever scrapes it.
//! - [`Snapshot`]: what outlives a breaker, as a versioned document.
//! - [`Clock`], [`Tick`], [`ManualClock`]: time, handed in.
//!
//! # What this crate does not do
//! It starts no thread and no timer, does no I/O, is not `async` and logs nothing: what time changes is worked out when
//! the breaker is asked. It does not retry, limit rates, or cut calls short, and shares nothing between processes.
//!
//! # Features
//! - `std` (default): [`SystemClock`] and the operating system's lock.
//! - `spin`: a spinning lock instead, for `no_std` hosts with an allocator and 64-bit atomics.
//! - `serde`: [`Config`], [`Snapshot`], [`Status`], [`Event`], [`Value`] and the enumerations implement serde's traits, so a
//!   configuration can be read from TOML, for example.
//! - `json`: a [`Value`] reads and writes JSON, and with it snapshots and configurations.
//! - `sim`: the module `sim`, which simulates scenarios and replays logs.
#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]

extern crate alloc;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../../README.md")]
struct Readme;

mod breaker;
pub mod classify;
mod clock;
mod config;
pub mod control;
mod evidence;
mod metrics;
mod names;
mod registry;
#[cfg(feature = "serde")]
mod serde;
#[cfg(feature = "sim")]
pub mod sim;
mod snapshot;
mod sync;

/// What only authors of bindings need.
pub mod host {
    pub use crate::registry::{RegistryPolicy, Search};
}

pub use breaker::{
    CallDurations, CallError, CircuitBreaker, Counts, EVENTS_KEPT, Edge, Event, Listener, ListenerId, OwnedPermit,
    Permit, SettledCall, Status, Ticket,
};
#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
pub use clock::SystemClock;
pub use clock::{Clock, DefaultClock, ManualClock, Tick};
pub use config::{Config, ConfigBuilder, InvalidValue, Rules, Value, WindowShape};
pub use control::{Cause, Ending, Jitter, Mode, Outcome, Reason, Rejected, Stamp, State};
pub use evidence::{BUCKET_BOUNDS, Durations, WindowCounts};
pub use metrics::{ENDED_KEPT, Labels, Membership, Metrics, Reading, Totals};
pub use names::{ErrorCode, Spelling};
pub use registry::{Registry, RegistryError};
pub use snapshot::Snapshot;
