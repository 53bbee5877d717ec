//! Choosing among providers: a value in, a value out. The rules stand in `docs/pool.md`.
//!
//! - [`choose`] orders the [`Candidate`]s for a call by a [`Policy`] and a [`PoolState`].
//! - [`Meter`] is the recent record of a provider, by which two of the strategies rank.
//! - [`Cooldown`] keeps calls away from a provider, a key or a model that asked for a pause (a 429). It says nothing
//!   about health.
//! - [`AttemptBudget`] bounds the further attempts of all calls together.
//! - [`Hedge`] says when a slow call gets a second attempt beside its first.
//! - [`Pool`] is all of this in one value: a host keeps one and tells it what happens.
//! - [`replay`] replays a log.
//!
//! Nothing here reads a clock, draws hidden randomness or takes a permit. A host reads the [`Circuit`] of each provider
//! ([`CircuitBreaker::circuit_at`](crate::CircuitBreaker::circuit_at)), chooses, and asks the first one for a permit.

mod budget;
mod choose;
mod circuit;
mod cooldown;
mod document;
mod hedge;
mod log;
mod members;
mod meter;
mod order;
mod policy;
mod provider;
mod rank;
mod state;

pub use budget::{AttemptBudget, MoveAfter, Price};
pub use choose::choose;
pub use cooldown::Cooldown;
pub use hedge::{Hedge, Latencies};
pub use log::replay;
pub use members::{Circuit, Pool};
pub use meter::{CallKind, Meter};
pub use order::{Exhausted, Order, PassReason, PassedOver, Pick, Role};
pub use policy::{OnExhausted, Policy, SlowStart, Strategy};
pub use provider::{Candidate, Need, Provider, Readiness};
pub use state::PoolState;
