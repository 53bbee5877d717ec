//! The clock, the only import.

use halfopen::clock::{Clock, Tick};
use halfopen::control::Jitter;

use crate::wit;

/// The host's clock.
pub(crate) struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Tick {
        Tick::from_nanos(wit::now())
    }
}

/// The jitter of that seed. A component cannot draw one; if the host gives none, the time of creation takes its place.
pub(crate) fn jitter(seed: Option<u64>) -> Jitter {
    Jitter { seed: seed.unwrap_or_else(|| HostClock.now().as_nanos()) }
}
