//! The time, which is the one thing that is imported.

use halfopen::{Clock, Tick};

use crate::wit;

/// The host's clock.
pub(crate) struct HostClock;

impl Clock for HostClock {
    fn now(&self) -> Tick {
        Tick::from_nanos(wit::now())
    }
}
