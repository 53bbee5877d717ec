//! The one file of this crate that asks the operating system for a random number.

use crate::control::Jitter;

/// A jitter with a random seed from the operating system. On platforms without one the seed is 0, and hosts pass in
/// their own.
///
/// Each seed comes from the operating system, because a forked process inherits the state of a generator in memory.
pub fn random_jitter() -> Jitter {
    #[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
    let seed = getrandom::u64().unwrap_or_else(|_| {
        use core::hash::BuildHasher;
        std::collections::hash_map::RandomState::new().hash_one(std::process::id())
    });
    #[cfg(not(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown")))))]
    let seed = 0;
    Jitter { seed }
}
