//! A deterministic simulation of clients, breakers and providers, and the replay of recorded calls, with the feature
//! `sim`.
//!
//! It runs the breakers of this crate on a virtual clock, so they decide as in production. All random numbers come from
//! the scenario's seed and do not depend on the configuration: two configurations see the same requests, the same
//! latencies and the same failures.
//!
//! ```
//! use core::time::Duration;
//!
//! use halfopen::Config;
//! use halfopen::sim::{Scenario, Setup, simulate};
//!
//! let scenario = Scenario::from_json(r#"{
//!     "seed": 7, "seconds": 120,
//!     "clients": {"per_second": 50, "timeout_seconds": 2},
//!     "providers": [{"name": "gemini", "latency": {"kind": "log_normal", "median_seconds": 0.2, "sigma": 0.4}}],
//!     "faults": [{"provider": "gemini", "from_seconds": 30, "to_seconds": 60, "effect": {"kind": "hanging", "share": 1}}]
//! }"#)?;
//! let config = Config::builder().failure_threshold(5).timeout(Duration::from_secs(5)).build()?;
//! let with = simulate(&scenario, &Setup { breaker: Some(config), ..Setup::default() });
//! let without = simulate(&scenario, &Setup::default());
//! assert_eq!(with.requests, without.requests);
//! assert!(with.score.wasted_calls < without.score.wasted_calls / 10);
//! assert!(with.transitions[0].explanation.starts_with("open after 5 failures in a row"));
//! # Ok::<(), halfopen::InvalidValue>(())
//! ```

mod checks;
mod circuit_view;
mod log;
mod provider;
mod random;
mod reading;
mod recorder;
mod replay;
mod report;
mod routing;
mod scenario;
mod simulation;
mod spans;
#[cfg(test)]
mod tests;
mod trace;

pub use circuit_view::{CircuitView, WindowView};
pub use log::{Record, RecordedOutcome, read_log};
pub use replay::{Replay, Replayed, ReplayedTransition, replay};
pub use report::{POINTS, Point, Report, ReportedTransition, Score, TRANSITIONS_KEPT};
pub use scenario::{Arrivals, Clients, Effect, Fault, Latency, MOST_REQUESTS, Scenario, SimulatedProvider};
pub use simulation::Simulation;
pub use trace::{CALLS_TRACED, Fate, TracedCall};

use alloc::string::String;

use crate::clock::nearest;
use crate::config::Config;
use crate::pool::Strategy;

/// How the workers call the providers.
#[derive(Clone, Debug, Default)]
pub struct Setup {
    /// The configuration of each breaker; `None` for calls without breakers.
    pub breaker: Option<Config>,
    /// How a request chooses among the providers; if its call is rejected or fails, it goes on to the next one. `None`:
    /// only the first provider is called.
    pub failover: Option<Strategy>,
    /// Whether an answer of 429 counts as a failure, with its `Retry-After`. By default it is ignored, since it concerns
    /// one key and says nothing about the provider's health.
    pub count_rate_limits: bool,
}

/// Runs a scenario that [`Scenario::check`] accepts.
pub fn simulate(scenario: &Scenario, setup: &Setup) -> Report {
    Simulation::new(scenario, setup).finish()
}

impl Report {
    /// The report as JSON, with the names of the fields.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

impl Replayed {
    /// The result as JSON, with the names of the fields.
    pub fn to_json(&self) -> String {
        json(self)
    }
}

fn json(report: &impl serde::Serialize) -> String {
    // Texts, numbers and lists of them: nothing that JSON could refuse.
    serde_json::to_string(report).unwrap_or_default()
}

/// Seconds as nanoseconds; checked values are far below the largest.
fn nanos(seconds: f64) -> u64 {
    nearest(seconds * 1e9)
}
