//! Choosing among providers: the promises of `docs/pool.md`, for any pool.

mod budget;
mod crowd;
mod exhaustive;
mod fairness;
mod properties;
mod recovery;
mod situations;
mod storms;
mod world;
