//! The one file of this crate that asks the operating system what time it is.

use std::time::Instant;

use super::{Clock, Tick};

/// The platform's monotonic clock, counted from the moment this value was made.
///
/// It does not exist on `wasm32-unknown-unknown`, where the host has to hand in a clock.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    origin: Instant,
}

impl SystemClock {
    /// A clock whose origin is now.
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }
}

impl Default for SystemClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Tick {
        Tick::ZERO.after(self.origin.elapsed())
    }
}
