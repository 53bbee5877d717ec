//! Choosing among providers: the promises of `docs/pool.md`, for any pool.

mod budget;
mod exhaustive;
mod fairness;
mod properties;
mod recovery;
mod situations;
mod world;
