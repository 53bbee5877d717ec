//! A clock that is set by hand, so that tests need not sleep.

use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use super::{Clock, Tick};

/// A clock for tests; its clones share one time.
///
/// ```
/// use core::time::Duration;
/// use halfopen::clock::ManualClock;
/// use halfopen::{CircuitBreaker, Config, State};
///
/// let clock = ManualClock::new();
/// let config = Config::builder().failure_threshold(1).timeout(Duration::from_secs(30)).build()?;
/// let breaker = CircuitBreaker::with_clock(config, clock.clone());
///
/// breaker.acquire().unwrap().failure();
/// assert_eq!(breaker.state(), State::Open);
/// clock.advance(Duration::from_secs(30));
/// assert_eq!(breaker.state(), State::HalfOpen);
/// # Ok::<(), halfopen::InvalidValue>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    now: Arc<AtomicU64>,
}

impl ManualClock {
    /// A clock that stands at the origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: Duration) {
        // Saturating, so not one `fetch_add`; tests do not race on their clock.
        self.set(self.now().after(by));
    }

    /// Puts the clock at `now`, which may lie before its present reading.
    pub fn set(&self, now: Tick) {
        self.now.store(now.as_nanos(), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Tick {
        Tick::from_nanos(self.now.load(Ordering::SeqCst))
    }
}
