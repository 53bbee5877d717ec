//! The two verbs, admit and settle, and their variants for hosts that fetch the time themselves.

use core::fmt;

use crate::breaker::{CircuitBreaker, SettledCall, Ticket};
use crate::clock::{Clock, Tick};
use crate::control::{Outcome, Rejected, Stamp};

/// Asks for permission to make one call, as [`CircuitBreaker::acquire`] does.
///
/// `outer` is called if the circuit is not closed. It returns the [`Ticket::stamp`] of the innermost unsettled probe of
/// this breaker whose function makes this call, if there is one. Inside a probe of the present round the call shares
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
