//! The two verbs, admit and settle, and their variants for hosts that fetch the time themselves.

use alloc::sync::Arc;
use core::fmt;

use crate::breaker::{CircuitBreaker, SettledCall, Ticket};
use crate::clock::{Clock, Tick};
use crate::control::{Jitter, Outcome, Rejected, Stamp};
use crate::evidence::Listener;

/// Asks for permission to make one call, as [`CircuitBreaker::acquire`] does.
///
/// `outer` is called if the circuit is not closed. It returns the [`Ticket::stamp`] of the innermost unsettled probe of
/// this breaker whose function makes this call, if there is one. Inside a probe of the present round the call rides on
/// that permit: its ticket takes no slot, has no vote and is not counted.
///
/// # Errors
/// [`Rejected`], with the rest of the wait.
#[inline(always)]
pub fn admit<C: Clock>(breaker: &CircuitBreaker<C>, outer: impl FnOnce() -> Option<Stamp>) -> Result<Ticket, Rejected> {
    breaker.admit(outer)
}

/// Why [`try_admit`] returned no ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryAdmitError {
    /// The circuit does not let the call run.
    Rejected(Rejected),
    /// The answer depends on the time, which was not given. Nothing has changed.
    NeedsTime,
}

impl fmt::Display for TryAdmitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::NeedsTime => f.write_str("the answer depends on the time"),
        }
    }
}

impl core::error::Error for TryAdmitError {}

/// As [`admit`], with the time that the host has read, or none: then it succeeds only if it needs no time.
///
/// # Errors
/// [`TryAdmitError`], if the call is rejected or the answer depends on the time.
#[inline(always)]
pub fn try_admit<C: Clock>(
    breaker: &CircuitBreaker<C>,
    now: Option<Tick>,
    outer: impl FnOnce() -> Option<Stamp>,
) -> Result<Ticket, TryAdmitError> {
    match (breaker.admit_without_time(), now) {
        (Some(ticket), _) => Ok(ticket),
        (None, Some(now)) => breaker.admit_at(now, outer).map_err(TryAdmitError::Rejected),
        (None, None) => Err(TryAdmitError::NeedsTime),
    }
}

/// Settles the ticket of a call that has ended.
#[inline]
pub fn settle<C: Clock>(breaker: &CircuitBreaker<C>, ticket: Ticket, outcome: Outcome) {
    breaker.settle(ticket, outcome);
}

/// As [`settle`], with the time that the host has read, or none: then it succeeds only if it needs no time. Returns how
/// the call was counted.
///
/// # Errors
/// The ticket, if settling it needs the time. Nothing has changed.
#[inline]
pub fn try_settle<C: Clock>(
    breaker: &CircuitBreaker<C>,
    ticket: Ticket,
    outcome: Outcome,
    now: Option<Tick>,
) -> Result<SettledCall, Ticket> {
    match now {
        Some(now) => Ok(breaker.settle_and_report(ticket, outcome, now)),
        None => breaker.settle_without_time(ticket, outcome).map(|()| SettledCall { outcome, duration: None }),
    }
}

/// Whether calls in flight can be overdue now. If not, a host need not call [`pause`] and [`resume`].
#[inline]
pub fn tracks_calls<C: Clock>(breaker: &CircuitBreaker<C>) -> bool {
    breaker.tracks_calls()
}

/// From now on somebody else than the provider takes time, for example the consumer of a stream, until [`resume`]: a call
/// that rests is not overdue. Pausing it again changes nothing. The host [excludes](Ticket::exclude) the time.
pub fn pause<C: Clock>(breaker: &CircuitBreaker<C>, ticket: &mut Ticket) {
    breaker.pause(ticket);
}

/// The provider's time runs again. The call is overdue as if it began `now`.
pub fn resume<C: Clock>(breaker: &CircuitBreaker<C>, ticket: &mut Ticket, now: Tick) {
    breaker.resume(ticket, now);
}

/// Whether every call is timed, so that it needs the time when it is admitted and when it is settled.
pub fn times_calls<C: Clock>(breaker: &CircuitBreaker<C>) -> bool {
    breaker.times_calls()
}

/// Adds the host's own listener, which hears of every transition and stays for good. Unlike one that is
/// [subscribed](CircuitBreaker::subscribe), it does not keep the breaker from being idle.
pub fn follow<C: Clock>(breaker: &CircuitBreaker<C>, listener: Arc<Listener>) {
    breaker.follow(listener);
}

/// Separates a breaker in the child of a fork from its parent's. A host calls it in the child, in the thread that forked,
/// before anything else uses the breaker there.
///
/// - State, mode, window, counters and a running wait stay as they were. `jitter` spreads the waits to come, so that
///   the children of one parent do not probe together.
/// - The calls in flight belong to the parent, which settles them. Here they count as cancelled and hold no probe slot,
///   and a ticket from before the fork has no vote and is not counted.
/// - Transitions from before the fork are delivered to the listeners of the parent only.
pub fn after_fork<C: Clock>(breaker: &CircuitBreaker<C>, jitter: Jitter) {
    breaker.after_fork(jitter);
}
