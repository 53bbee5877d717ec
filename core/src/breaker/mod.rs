//! The concurrent shell around the machine: one value, its evidence, and a clock.

mod counters;
mod entries;
mod history;
mod permit;
mod status;
mod tickets;
mod word;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

pub use counters::Counts;
pub use history::{EVENTS_KEPT, Edge, Event};
pub use permit::{Permit, Ticket};
pub use status::{CallDurations, Status};
pub use tickets::Tickets;

use crate::clock::{Clock, Tick};
use crate::config::{Config, InvalidValue, Value, seconds_argument, wait_argument};
use crate::control::{Admission, Cause, Control, Mode, Outcome, Rejected, State, Transition};
use crate::histogram::Histogram;
use crate::sync::{AtomicU64, Mutex, Ordering};
use counters::Counters;
use history::History;
use word::Word;

/// A circuit breaker that any number of threads may share.
///
/// - **Calls**: [`call`](Self::call), or in two steps [`acquire`](Self::acquire) and a [`Permit`].
/// - **Queries**: [`state`](Self::state), [`status`](Self::status), [`events`](Self::events),
///   [`durations`](Self::durations). They change nothing.
/// - **Orders**: [`force_open`](Self::force_open), [`disable`](Self::disable), [`reset`](Self::reset).
///
/// Each acquire and each settle takes effect at one instant. A call that a healthy circuit admits reads one atomic
/// word and adds to one counter, and so does its success. Everything else goes, one change at a time, through the pure
/// [`Control`]; the lock around it is never held while the host's function or clock runs.
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
pub struct CircuitBreaker<C> {
    name: Arc<str>,
    clock: C,
    word: Word,
    counters: Counters,
    successes: Histogram,
    failures: Histogram,
    /// The tick of the last current success, or [`NEVER`].
    last_success: AtomicU64,
    guarded: Mutex<Guarded>,
}

/// What changes only under the lock.
#[derive(Debug)]
struct Guarded {
    control: Control,
    config: Config,
    history: History,
    last_failure: Option<Tick>,
    /// How many current successes there were when the success streak of a closed circuit began. Successes that change
    /// nothing do not take the lock, so their streak is the difference to their counter.
    streak_base: u64,
}

const NEVER: u64 = u64::MAX;

/// A call that did not bring a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallError<E> {
    /// The circuit did not let it run.
    Rejected(Rejected),
    /// It ran and failed with the callee's own error.
    Failed(E),
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
        let control = Control::new();
        Self {
            name: Arc::from(config.name()),
            clock,
            word: Word::new(&control),
            counters: Counters::default(),
            successes: Histogram::new(),
            failures: Histogram::new(),
            last_success: AtomicU64::new(NEVER),
            guarded: Mutex::new(Guarded {
                control,
                config,
                history: History::default(),
                last_failure: None,
                streak_base: 0,
            }),
        }
    }

    /// Runs `function` if the circuit lets it: `Ok` counts as a success, `Err` as a failure. A panic in it counts as
    /// cancelled and goes on.
    ///
    /// # Errors
    /// [`CallError::Rejected`] where the circuit did not let it run, otherwise the function's own error.
    pub fn call<T, E>(&self, function: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        let permit = self.acquire().map_err(CallError::Rejected)?;
        let result = function();
        permit.settle(if result.is_ok() { Outcome::Success } else { Outcome::Failure });
        result.map_err(CallError::Failed)
    }

    /// Asks for a permit to make one call.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    pub fn acquire(&self) -> Result<Permit<'_, C>, Rejected> {
        self.admit().map(|ticket| Permit::new(self, ticket))
    }

    /// As [`acquire`](Self::acquire), for hosts that keep the permit as plain data.
    ///
    /// # Errors
    /// [`Rejected`], with what is left of the wait.
    pub fn admit(&self) -> Result<Ticket, Rejected> {
        let now = self.clock.now();
        if let Some(stamp) = self.word.glance().admits() {
            self.counters.admit();
            return Ok(Ticket { stamp, started: now });
        }
        let mut guarded = self.guarded.lock();
        let (next, admission) = guarded.control.acquire(guarded.config.rules(), now);
        match admission {
            Admission::Admitted { stamp, taken_back, transition } => {
                self.counters.take_back(taken_back);
                self.counters.admit();
                self.commit(&mut guarded, next, transition, now);
                Ok(Ticket { stamp, started: now })
            }
            Admission::Rejected(rejected) => {
                self.counters.reject();
                Err(rejected)
            }
        }
    }

    /// Takes back what [`admit`](Self::admit) handed out: the call ended with `outcome`.
    pub fn settle(&self, ticket: Ticket, outcome: Outcome) {
        self.settle_at(ticket, outcome, self.clock.now());
    }

    /// As [`settle`](Self::settle), for a host that has read this breaker's clock itself.
    pub fn settle_at(&self, ticket: Ticket, outcome: Outcome, now: Tick) {
        let current = if outcome == Outcome::Success && self.word.glance().unmoved_by_success(ticket.stamp) {
            self.counters.settle(outcome, true);
            true
        } else {
            self.settle_guarded(&ticket, outcome, now)
        };
        match outcome {
            Outcome::Success => {
                self.successes.record(now.since(ticket.started));
                if current {
                    self.last_success.store(now.as_nanos(), Ordering::Relaxed);
                }
            }
            Outcome::Failure => self.failures.record(now.since(ticket.started)),
            Outcome::Ignored | Outcome::Cancelled => {}
        }
    }

    fn settle_guarded(&self, ticket: &Ticket, outcome: Outcome, now: Tick) -> bool {
        let mut guarded = self.guarded.lock();
        let (next, settlement) = guarded.control.settle(guarded.config.rules(), ticket.stamp, outcome, now);
        self.counters.settle(outcome, settlement.current);
        if settlement.current && outcome == Outcome::Failure {
            guarded.last_failure = Some(now);
            guarded.streak_base = self.counters.current_successes();
        }
        self.commit(&mut guarded, next, settlement.transition, now);
        settlement.current
    }

    /// The circuit's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        self.guarded.lock().config.clone()
    }

    /// The clock that this breaker reads.
    pub fn clock(&self) -> &C {
        &self.clock
    }

    /// The state now; `half_open` also where the wait is over and nobody has called yet.
    pub fn state(&self) -> State {
        let now = self.clock.now();
        self.guarded.lock().control.state_at(now)
    }

    /// Who decides now.
    pub fn mode(&self) -> Mode {
        let now = self.clock.now();
        self.guarded.lock().control.mode_at(now)
    }

    /// Everything that can be read, at one moment.
    pub fn status(&self) -> Status {
        let now = self.clock.now();
        let guarded = self.guarded.lock();
        let control = &guarded.control;
        Status {
            now,
            state: control.state_at(now),
            mode: control.mode_at(now),
            retry_after: control.retry_after_at(now),
            generation: control.generation(),
            consecutive_failures: control.consecutive_failures().into(),
            consecutive_successes: self.consecutive_successes(&guarded),
            counts: self.counters.read(),
            state_transitions: guarded.history.total(),
            last_failure: guarded.last_failure,
            last_success: self.last_success(),
            last_change: guarded.history.last_change(),
        }
    }

    /// The lifetime counters; unlike [`status`](Self::status), this does not read the clock.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The kept transitions with a sequence number above `sequence`, oldest first; at most [`EVENTS_KEPT`].
    pub fn events(&self, sequence: u64) -> Vec<Event> {
        self.guarded.lock().history.after(sequence)
    }

    /// How often each change of state has happened, for those that have.
    pub fn edges(&self) -> Vec<Edge> {
        self.guarded.lock().history.edges()
    }

    /// How long the calls took.
    pub fn durations(&self) -> CallDurations {
        CallDurations { success: self.successes.read(), failure: self.failures.read() }
    }

    /// Holds the circuit open for `duration`, or until it is reset; a second order renews the first. When the duration
    /// ends, the next call is a probe.
    ///
    /// # Errors
    /// [`InvalidValue`] for a duration of zero or of more than one year.
    pub fn force_open(&self, duration: Option<Duration>) -> Result<(), InvalidValue> {
        let duration = duration.map(|wait| wait_argument("duration_seconds", wait)).transpose()?;
        self.order(|control, now| control.force_open(duration, now));
        Ok(())
    }

    /// As [`force_open`](Self::force_open), with a host's number of seconds, or [`Value::Null`] for no end.
    ///
    /// # Errors
    /// [`InvalidValue`] naming `duration_seconds`, for what is no number of seconds above 0 and at most one year.
    pub fn force_open_seconds(&self, duration_seconds: &Value) -> Result<(), InvalidValue> {
        match duration_seconds {
            Value::Null => self.force_open(None),
            seconds => self.force_open(Some(seconds_argument("duration_seconds", seconds)?)),
        }
    }

    /// Closes the circuit and hands it back to the machine; lifetime counters stay.
    pub fn reset(&self) {
        self.order(|control, _| control.reset());
    }

    /// Lets every call pass, judging none, until the circuit is reset or forced open.
    pub fn disable(&self) {
        self.order(|control, _| control.disable());
    }

    fn order(&self, order: impl FnOnce(Control, Tick) -> (Control, Option<Transition>)) {
        let now = self.clock.now();
        let mut guarded = self.guarded.lock();
        let (next, transition) = order(guarded.control, now);
        self.commit(&mut guarded, next, transition, now);
        guarded.streak_base = self.counters.current_successes();
    }

    /// The one place where the value is replaced: the mirror and the history follow it.
    fn commit(&self, guarded: &mut Guarded, next: Control, transition: Option<Transition>, now: Tick) {
        if let Some(transition) = transition {
            let closing_probe = u8::from(transition.cause == Cause::ProbesSucceeded);
            let probe_successes = guarded.control.probe_successes().saturating_add(closing_probe);
            guarded.history.append(transition, probe_successes, &next, now);
            guarded.streak_base = self.counters.current_successes().saturating_sub(probe_successes.into());
        }
        guarded.control = next;
        self.word.publish(&next);
    }

    fn consecutive_successes(&self, guarded: &Guarded) -> u64 {
        let control = &guarded.control;
        if !control.is_closed() {
            control.probe_successes().into()
        } else if control.consecutive_failures() > 0 {
            0
        } else {
            self.counters.current_successes().saturating_sub(guarded.streak_base)
        }
    }

    fn last_success(&self) -> Option<Tick> {
        let nanos = self.last_success.load(Ordering::Relaxed);
        (nanos != NEVER).then(|| Tick::from_nanos(nanos))
    }
}

impl Rejected {
    /// `CIRCUIT_OPEN`, the same in every language.
    pub const fn code(&self) -> &'static str {
        "CIRCUIT_OPEN"
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the circuit is OPEN ({})", self.reason)?;
        match self.retry_after {
            Some(wait) => write!(f, "; retry after {:.1} s", wait.as_secs_f64()),
            None => f.write_str("; it is held open until it is reset"),
        }
    }
}

impl core::error::Error for Rejected {}

impl<E: fmt::Display> fmt::Display for CallError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Failed(error) => error.fmt(f),
        }
    }
}

impl<E: core::error::Error> core::error::Error for CallError<E> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::Rejected(_) => None,
            Self::Failed(error) => error.source(),
        }
    }
}
