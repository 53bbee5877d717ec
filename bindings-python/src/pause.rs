//! The consumer's time between two items of a stream.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use halfopen::clock::{Clock, Tick};

use crate::admitted::AdmittedCall;

/// The consumer's time, in nanoseconds of the breaker's clock.
pub struct Pause {
    /// Since when the consumer has had the last item; [`Self::NONE`] while it waits for one, or where calls are not timed.
    since: AtomicU64,
    /// The consumer's time that has not been subtracted from the call's duration yet.
    taken: AtomicU64,
}

impl Pause {
    const NONE: u64 = u64::MAX;

    pub const fn new() -> Self {
        Self { since: AtomicU64::new(Self::NONE), taken: AtomicU64::new(0) }
    }

    pub fn since(&self) -> Option<Tick> {
        let since = self.since.load(Ordering::Relaxed);
        (since != Self::NONE).then_some(Tick::from_nanos(since))
    }

    pub fn begin(&self, now: Option<Tick>) {
        self.since.store(now.map_or(Self::NONE, Tick::as_nanos), Ordering::Relaxed);
    }

    /// Ends the pause. Returns the time, if there was one.
    pub fn end(&self, clock: &impl Clock) -> Option<Tick> {
        let since = self.since()?;
        self.begin(None);
        let now = clock.now();
        let took = now.as_nanos().saturating_sub(since.as_nanos());
        self.taken.store(self.taken.load(Ordering::Relaxed).saturating_add(took), Ordering::Relaxed);
        Some(now)
    }

    /// Subtracts the consumer's time from the call's duration.
    pub fn exclude_from(&self, call: &mut AdmittedCall) {
        call.ticket.exclude(Duration::from_nanos(self.taken.swap(0, Ordering::Relaxed)));
    }
}
