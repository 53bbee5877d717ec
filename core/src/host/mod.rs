//! For authors of bindings: the breaker as other languages need it. Rust users do not need this module.
//!
//! - **Values**: a host hands in configurations, arguments and documents as dynamic [`Value`]s, and gets readings as
//!   [`Entries`]. The checks are those of the typed methods, and an error names the field as the host spells it
//!   ([`Spelling`]).
//! - **Calls**: a host keeps a permit as plain data, a [`Ticket`], and settles it once. [`admit`] and [`settle`] read the
//!   breaker's clock where they need it. [`try_admit`] and [`try_settle`] never read it: they work without the time if
//!   they can, and otherwise tell the host to repeat the call with it. So a host whose clock is expensive or runs foreign
//!   code reads it only for calls that need it, and outside of the breaker.
//! - **Breakers by name**: a [`RegistryPolicy`] decides for the host's own handles what a [`Registry`](crate::registry::Registry)
//!   decides for Rust users.
//!
//! ```
//! use halfopen::clock::{ManualClock, Tick};
//! use halfopen::host::{self, Spelling, TryAdmitError, Value};
//! use halfopen::{CircuitBreaker, Outcome};
//!
//! let fields = Value::Map(vec![("recordDurations".into(), false.into())]);
//! let config = host::config_from(&fields, Spelling::CamelCase)?;
//! let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
//!
//! // Nothing is timed, so a closed circuit admits and counts a success without the time. A failure needs it.
//! let (first, second) = (host::try_admit(&breaker, None, || None)?, host::try_admit(&breaker, None, || None)?);
//! assert!(host::try_settle(&breaker, first, Outcome::Success, None).is_ok());
//! let ticket = host::try_settle(&breaker, second, Outcome::FAILURE, None).unwrap_err();
//! assert!(host::try_settle(&breaker, ticket, Outcome::FAILURE, Some(Tick::ZERO)).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod arguments;
mod calls;
mod entries;
mod throttle;

pub use arguments::{
    check_name, config_field, config_from, config_schema, force_open, outcome_with_hint, percentile, registry_bound,
    set,
};
pub use calls::{TryAdmitError, admit, settle, try_admit, try_settle};
pub use entries::Entries;
pub use throttle::Throttle;

pub use crate::breaker::{SettledCall, Ticket, after_fork, follow, pause, resume, times_calls, tracks_calls};
pub use crate::config::value::Value;
pub use crate::control::Stamp;
pub use crate::names::{ErrorCode, Spelling};
pub use crate::random::random_jitter;
pub use crate::registry::policy::{RegistryPolicy, Search};
