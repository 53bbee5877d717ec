//! Choosing among providers: what `docs/pool.md` promises, for any pool.

mod budget;
mod exhaustive;
mod fairness;
mod properties;
mod recovery;
mod situations;
mod world;
