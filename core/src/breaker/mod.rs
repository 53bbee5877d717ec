//! The concurrent shell around the machine: one value, its evidence, and a clock.

mod entries;
mod error;
mod explain;
mod fork;
mod inner;
mod listeners;
mod nesting;
mod operator;
mod owned;
mod permit;
mod queries;
mod state_mirror;
mod status;

use alloc::sync::Arc;
use core::future::{Future, poll_fn};
use core::pin::pin;
use core::time::Duration;

pub use crate::evidence::Counts;
pub(crate) use crate::evidence::walked;
pub use crate::evidence::{EVENTS_KEPT, Edge, Event};
pub use error::CallError;
pub use listeners::{Listener, ListenerId};
pub use owned::OwnedPermit;
pub use permit::{Permit, SettledCall, Ticket};
pub use status::{CallDurations, Status};

use crate::clock::{Clock, DefaultClock, Tick};
use crate::config::Config;
use crate::control::{Admission, Ending, Jitter, Outcome, Rejected, Stamp};
use crate::evidence::{Counters, Stripe};
use crate::sync::Mutex;
use inner::{Inner, Settled};
use listeners::Listeners;
use permit::Start;
use state_mirror::StateMirror;

/// A circuit breaker that any number of threads may share.
///
/// - **Calls**: [`call`](Self::call), [`call_async`](Self::call_async), or in two steps [`acquire`](Self::acquire) and a
///   [`Permit`].
/// - **Queries**: [`state`](Self::state), [`status`](Self::status), [`events`](Self::events),
///   [`durations`](Self::durations). They change nothing.
/// - **Orders**: [`force_open`](Self::force_open), [`disable`](Self::disable), [`reset`](Self::reset).
///
/// Each acquire and each settle takes effect at one instant. In a healthy circuit, acquire and a success each read one
/// atomic number and add to one counter. Everything else goes through the pure [`Control`](crate::control::Control), one
/// change at a time; its lock is never held while the host's function or clock runs.
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
}

#[cfg(all(feature = "std", not(all(target_family = "wasm", target_os = "unknown"))))]
impl CircuitBreaker<crate::clock::SystemClock> {
    /// A closed circuit on the platform's monotonic clock.
    pub fn new(config: Config) -> Self {
        Self::with_clock(config, crate::clock::SystemClock::new())
    }
}

impl<C: Clock> CircuitBreaker<C> {
    /// A closed circuit on the host's own clock.
    pub fn with_clock(config: Config, clock: C) -> Self {
        Self::with_jitter(config, clock, Jitter::drawn())
    }

    /// The same with the seed of its jitter given, so that its waits are the same at every run.
    pub fn with_jitter(config: Config, clock: C, jitter: Jitter) -> Self {
        let inner = Inner::new(config, jitter);
        Self {
            hot: HotFields {
                name: inner.config.shared_name(),
                clock,
                mirror: StateMirror::new(&inner.control, inner.rules()),
            },
            counters: Counters::default(),
            listeners: Listeners::default(),
            inner: Mutex::new(inner),
        }
    }

    /// Runs `function` if the circuit lets it: `Ok` counts as a success, `Err` as a failure. A panic in it counts as
    /// cancelled and goes on.
    ///
    /// # Errors
    /// [`CallError::Rejected`] where the circuit did not let it run, otherwise the function's own error.
    #[inline]
    pub fn call<T, E>(&self, function: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        self.call_classified(function, |_| Outcome::Failure)
    }

    /// As [`call`](Self::call), where `classify` says what an error means for the provider.
    ///
    /// A rejection by another breaker is no evidence about this one's provider. Only the error's type tells whether it is
    /// one:
    ///
    /// ```
    /// use halfopen::{CallError, CircuitBreaker, Config, Outcome};
    ///
    /// let (outer, inner) = (CircuitBreaker::new(Config::default()), CircuitBreaker::new(Config::default()));
    /// inner.force_open(None)?;
    /// let answer = outer.call_classified(
    ///     || inner.call(|| Ok::<_, std::io::Error>("hello")),
    ///     |error| if error.is_rejected() { Outcome::Ignored } else { Outcome::Failure },
    /// );
    /// assert!(matches!(answer, Err(CallError::Failed(CallError::Rejected(_)))));
    /// assert_eq!(outer.status().counts.ignored_calls, 1);
    /// # Ok::<(), halfopen::InvalidValue>(())
    /// ```
    ///
    /// # Errors
    /// As [`call`](Self::call).
    #[inline]
    pub fn call_classified<T, E>(
        &self,
        function: impl FnOnce() -> Result<T, E>,
        classify: impl FnOnce(&E) -> Outcome,
    ) -> Result<T, CallError<E>> {
        let ticket = self.admit_inside(|| nesting::probe_of(self)).map_err(CallError::Rejected)?;
        let permit = Permit::new(self, ticket);
        let result = {
            let _inside = nesting::enter(self, permit.stamp());
            function()
        };
        permit.settle(result.as_ref().map_or_else(classify, |_| Outcome::Success));
        result.map_err(CallError::Failed)
    }

    /// As [`call`](Self::call), for a function that returns a future. Needs no runtime: it is polled by whoever polls this
    /// one, and dropping it before it has ended counts as cancelled.
    ///
    /// A call that the future makes is inside this one (see [`Permit::acquire_nested`]); one made by a task that the future
    /// spawns is not.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async<T, E, F>(&self, function: impl FnOnce() -> F) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        self.call_async_classified(function, |_| Outcome::Failure).await
    }

    /// As [`call_async`](Self::call_async), where `classify` says what an error means for the provider, as in
    /// [`call_classified`](Self::call_classified).
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_async_classified<T, E, F>(
        &self,
        function: impl FnOnce() -> F,
        classify: impl FnOnce(&E) -> Outcome,
    ) -> Result<T, CallError<E>>
    where
        F: Future<Output = Result<T, E>>,
    {
        let ticket = self.admit_inside(|| nesting::probe_of(self)).map_err(CallError::Rejected)?;
        let permit = Permit::new(self, ticket);
        let mut future = pin!({
            let _inside = nesting::enter(self, permit.stamp());
            function()
        });
        let polled = poll_fn(|context| {
            // Only while it is polled: between two polls this thread does other work.
            let _inside = nesting::enter(self, permit.stamp());
            future.as_mut().poll(context)
        });
        let result = polled.await;
        permit.settle(result.as_ref().map_or_else(classify, |_| Outcome::Success));
        result.map_err(CallError::Failed)
    }

    /// Asks for a permit to make one call.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    #[inline]
    pub fn acquire(&self) -> Result<Permit<'_, C>, Rejected> {
        self.admit().map(|ticket| Permit::new(self, ticket))
    }

    /// As [`acquire`](Self::acquire), for hosts that keep the permit as plain data.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    #[inline(always)]
    pub fn admit(&self) -> Result<Ticket, Rejected> {
        self.admit_inside(|| None)
    }

    /// As [`admit`](Self::admit), for a host that knows which call this one is made inside.
    ///
    /// `outer` is asked where the circuit is not closed. It answers with the [`Ticket::stamp`] of this breaker's
    /// innermost probe that is still unsettled and whose function makes this call. Inside a probe of the present round
    /// the call rides on that permit: its ticket takes no slot, has no vote and is not counted.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    #[inline(always)]
    pub fn admit_inside(&self, outer: impl FnOnce() -> Option<Stamp>) -> Result<Ticket, Rejected> {
        if let Some(ticket) = self.admit_untimed() {
            return Ok(ticket);
        }
        // Reading the clock may run host code, so the mirror is read again after it.
        let now = self.hot.clock.now();
        if let Some(rejected) = self.hot.mirror.rejection_at(now) {
            self.counters.reject();
            return Err(rejected);
        }
        let (stamp, stripe, start) = self.admit_at(now, outer)?;
        Ok(Ticket { stamp, stripe, start })
    }

    /// As [`admit`](Self::admit), if that needs no time; otherwise nothing has changed. For hosts that fetch the time.
    #[inline(always)]
    pub fn admit_untimed(&self) -> Option<Ticket> {
        let mirrored = self.hot.mirror.mirrored();
        let stamp = mirrored.admits().filter(|_| !mirrored.is_timed())?;
        Some(Ticket { stamp, stripe: self.counters.admit(), start: Start::UNTIMED })
    }

    /// `inline(never)`, here and below, keeps the rare path out of the hot one. A ticket is passed in parts, because one
    /// with an address could not stay in registers.
    #[inline(never)]
    fn admit_at(&self, now: Tick, outer: impl FnOnce() -> Option<Stamp>) -> Result<(Stamp, Stripe, Start), Rejected> {
        let mirrored = self.hot.mirror.mirrored();
        let start = if mirrored.is_timed() { Start::at(now) } else { Start::UNTIMED };
        if let Some(stamp) = mirrored.admits() {
            return Ok((stamp, self.counters.admit(), start));
        }
        self.admit_locked(now, start, outer())
    }

    #[inline(never)]
    fn admit_locked(&self, now: Tick, start: Start, outer: Option<Stamp>) -> Result<(Stamp, Stripe, Start), Rejected> {
        self.change(|inner| {
            if let Some(outer) = outer.filter(|outer| inner.control.rides(*outer)) {
                return Ok((outer, Stripe::RIDING, Start::UNTIMED));
            }
            match inner.acquire(now) {
                Admission::Admitted { stamp, taken_back, shadow_rejected, .. } => {
                    self.counters.take_back(taken_back);
                    if shadow_rejected {
                        self.counters.shadow_reject();
                    }
                    Ok((stamp, self.counters.admit(), start))
                }
                Admission::Rejected(rejected) => {
                    self.counters.reject();
                    Err(rejected)
                }
            }
        })
    }

    /// Settles a ticket from [`admit`](Self::admit).
    #[inline]
    pub fn settle(&self, ticket: Ticket, ending: impl Into<Ending>) {
        let ending = ending.into();
        if let Err(Ticket { stamp, stripe, start }) = self.settle_untimed(ticket, ending) {
            match ending.retry_after {
                None => self.settle_now(stamp, stripe, start, ending.outcome),
                Some(_) => self.settle_at(Ticket { stamp, stripe, start }, ending, self.hot.clock.now()),
            }
        }
    }

    /// Whether every call is timed, so that [`admit`](Self::admit) and [`settle`](Self::settle) always need the time.
    pub fn times_calls(&self) -> bool {
        self.hot.mirror.mirrored().is_timed()
    }

    /// As [`settle`](Self::settle), if that needs no time. Otherwise nothing has changed, and the ticket comes back for
    /// [`settle_at`](Self::settle_at). For hosts that fetch the time.
    ///
    /// # Errors
    /// The ticket, where it needs the time.
    #[inline]
    pub fn settle_untimed(&self, ticket: Ticket, ending: Ending) -> Result<(), Ticket> {
        let mirrored = self.hot.mirror.mirrored();
        if ending.outcome == Outcome::Success && !mirrored.is_timed() {
            if mirrored.unmoved_by_success(ticket.stamp) {
                self.counters.succeed(ticket.stripe);
                return Ok(());
            }
            if mirrored.counts_calls() && self.count_success(&ticket) {
                return Ok(());
            }
        }
        Err(ticket)
    }

    #[inline(never)]
    fn settle_now(&self, stamp: Stamp, stripe: Stripe, start: Start, outcome: Outcome) {
        self.settle_at(Ticket { stamp, stripe, start }, Ending::from(outcome), self.hot.clock.now());
    }

    /// As [`settle`](Self::settle), for a host that has read this breaker's clock itself.
    pub fn settle_at(&self, ticket: Ticket, ending: impl Into<Ending>, now: Tick) {
        let (ending, mirrored) = (ending.into(), self.hot.mirror.mirrored());
        let nanos = ticket.start.lasted(now);
        let current = if ending.outcome == Outcome::Success && mirrored.unmoved_by_success(ticket.stamp) {
            self.counters.succeed(ticket.stripe);
            true
        } else {
            let settled = self.settle_locked(&ticket, ending, nanos, now);
            if settled.outcome != Outcome::Success {
                return;
            }
            settled.current
        };
        if let Some(nanos) = nanos.filter(|_| mirrored.is_recording()) {
            self.counters.record_success(ticket.stripe, nanos, current.then_some(now));
        }
    }

    /// As [`settle_at`](Self::settle_at), for hosts that keep their own metrics: returns how the call was counted.
    ///
    /// The rules are read before: a result of `settle_at` would take [`call`](Self::call) of a closed circuit from 4 to
    /// 12 ns, because the compiler then spills registers between its two atomic additions.
    pub fn settle_told(&self, ticket: Ticket, ending: impl Into<Ending>, now: Tick) -> SettledCall {
        let (ending, recording) = (ending.into(), self.hot.mirror.mirrored().is_recording());
        let lasted = ticket.start.lasted(now).map(Duration::from_nanos);
        let counted = ending.judged(self.inner.lock().rules(), lasted);
        self.settle_at(ticket, ending, now);
        SettledCall { outcome: counted.outcome, duration: lasted.filter(|_| recording) }
    }

    /// Adds a success to a window of calls. Returns false, and changes nothing, if that is not enough.
    #[inline(never)]
    fn count_success(&self, ticket: &Ticket) -> bool {
        let mut inner = self.inner.lock();
        let counted = inner.count_success(ticket.stamp);
        if counted {
            self.counters.succeed(ticket.stripe);
        }
        counted
    }

    // Riding calls get here as well, because their stamp is never that of a closed circuit.
    #[inline(never)]
    fn settle_locked(&self, ticket: &Ticket, ending: Ending, nanos: Option<u64>, now: Tick) -> Settled {
        if ticket.stripe.is_riding() {
            return Settled { outcome: Outcome::Ignored, slow: false, current: false };
        }
        self.change(|inner| {
            if inner.is_inherited(ticket.stamp) {
                return Settled { outcome: Outcome::Ignored, slow: false, current: false };
            }
            let before = inner.control;
            let settled = inner.settle(ticket.stamp, ending, nanos, now);
            self.counters.settle(ticket.stripe, settled.outcome, settled.slow, settled.current);
            if settled.current && settled.outcome == Outcome::Failure {
                inner.begin_streak(0, self.counters.current_successes());
            } else if !before.is_closed() && inner.control.is_closed() {
                // The probe that closed the circuit is counted by now, and the streak of the probes goes on.
                let streak = u64::from(before.probe_successes()) + 1;
                inner.begin_streak(streak, self.counters.current_successes());
            }
            settled
        })
    }

    /// Runs a change under the lock, then updates the mirror, and delivers events after the lock is released.
    fn change<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> T {
        let mut inner = self.inner.lock();
        let known = inner.history.total();
        let result = change(&mut inner);
        self.hot.mirror.publish(&inner.control, inner.rules());
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
