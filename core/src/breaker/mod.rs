//! The concurrent breaker: a control value, its evidence and a clock, shared by threads.

mod acquire;
mod call;
mod error;
mod explain;
mod fork;
mod inner;
#[cfg(feature = "sim")]
mod inspect;
mod listeners;
mod nesting;
mod operator;
mod owned;
mod pause;
mod permit;
mod queries;
mod settle;
mod state_mirror;
mod ticket;

use alloc::sync::Arc;

pub use acquire::times_calls;
pub use error::CallError;
pub use fork::after_fork;
#[cfg(feature = "sim")]
pub(crate) use inspect::Inspection;
pub use listeners::follow;
pub use owned::OwnedPermit;
pub use pause::{pause, resume, tracks_calls};
pub use permit::Permit;
pub use ticket::{SettledCall, Ticket};

use crate::clock::{Clock, DefaultClock};
use crate::config::Config;
use crate::control::Jitter;
use crate::evidence::{Counters, NewestGroup};
use crate::sync::{AtomicU64, Mutex};
use inner::Inner;
use listeners::Listeners;
use state_mirror::StateMirror;

/// A circuit breaker that any number of threads may share.
///
/// - **Calls**: [`call`](Self::call), [`call_async`](Self::call_async), or in two steps [`acquire`](Self::acquire) and a
///   [`Permit`].
/// - **Queries**: [`state`](Self::state), [`status`](Self::status), [`events`](Self::events),
///   [`durations`](Self::durations). They change nothing.
/// - **Operator**: [`force_open`](Self::force_open), [`disable`](Self::disable), [`reset`](Self::reset).
///
/// Each acquire and each settle takes effect at one instant. While the circuit is healthy, an acquire and a success each
/// read one atomic number and increment one counter. Every other change goes through the pure
/// [`Control`](crate::control::Control) under a lock, which is never held while user code or the clock runs.
///
/// ```
/// use halfopen::{CallError, CircuitBreaker, Config};
///
/// let breaker = CircuitBreaker::new(Config::builder().name("gemini").failure_threshold(2).build()?);
/// assert_eq!(breaker.call(|| Ok::<_, std::io::Error>("hello"))?, "hello");
///
/// for _ in 0..2 {
///     let _ = breaker.call(|| Err::<(), _>("no route"));
/// }
/// match breaker.call(|| Ok::<_, &str>("never runs")) {
///     Err(CallError::Rejected(rejected)) => assert!(rejected.retry_after.unwrap().as_secs() <= 60),
///     _ => unreachable!("two failures opened it"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CircuitBreaker<C = DefaultClock> {
    hot: HotFields<C>,
    counters: Counters,
    listeners: Listeners,
    inner: Mutex<Inner>,
}

/// Read by every call and rarely written, so kept apart from the cache lines that calls write to.
#[derive(Debug)]
#[repr(align(64))]
struct HotFields<C> {
    name: Arc<str>,
    clock: C,
    mirror: StateMirror,
    /// The time of [`NewestGroup`].
    joinable_until: AtomicU64,
}

#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
impl CircuitBreaker<crate::clock::SystemClock> {
    /// A closed circuit on the platform's monotonic clock.
    pub fn new(config: Config) -> Self {
        Self::with_clock(config, crate::clock::SystemClock::new())
    }
}

impl<C: Clock> CircuitBreaker<C> {
    /// A closed circuit on the given clock.
    pub fn with_clock(config: Config, clock: C) -> Self {
        Self::create(config, clock, None)
    }

    /// The same with the given jitter, so that its waits are the same in every run.
    pub fn with_jitter(config: Config, clock: C, jitter: Jitter) -> Self {
        Self::create(config, clock, Some(jitter))
    }

    /// Without a jitter, its seed is drawn when it is needed.
    pub(crate) fn create(config: Config, clock: C, jitter: Option<Jitter>) -> Self {
        let inner = Inner::new(*config.rules(), jitter);
        Self {
            hot: HotFields {
                name: config.shared_name(),
                clock,
                mirror: StateMirror::new(&inner.control, &inner.rules),
                joinable_until: AtomicU64::new(0),
            },
            counters: Counters::default(),
            listeners: Listeners::default(),
            inner: Mutex::new(inner),
        }
    }

    fn newest_group(&self) -> NewestGroup<'_> {
        NewestGroup { word: &self.counters.joined, until: &self.hot.joinable_until }
    }

    /// Runs a change under the lock, then updates the mirror, and delivers events after the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock();
        let (known, generation) = (inner.history.total(), inner.control.generation());
        let result = change(&mut inner);
        if inner.control.generation() != generation {
            inner.forget_calls(self.newest_group());
        }
        self.hot.mirror.publish(&inner.control, &inner.rules);
        let event = inner.history.newer_than(known);
        if let Some(event) = event {
            self.listeners.announce(event);
        }
        drop(inner);
        if event.is_some() {
            self.listeners.deliver();
        }
        result
    }
}
