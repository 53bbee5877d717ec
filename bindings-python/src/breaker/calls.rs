//! Calls of a breaker as Rust makes them: admitted or rejected, and settled.

use std::sync::atomic::Ordering;

use halfopen::clock::{Clock, Tick};
use halfopen::host::{self, Ticket};
use halfopen::{CircuitBreaker, InvalidValue, Outcome, Rejected};
use pyo3::prelude::*;

use super::PyBreaker;
use crate::admitted::AdmittedCall;
use crate::clock::PyClock;
use crate::error::{rejection, to_python};
use crate::ffi::{attached, while_handling};
use crate::judging::Judging;
use crate::nesting::{self, CountedError, Probe};
use crate::watchers::Watched;

impl PyBreaker {
    pub fn core(&self) -> &CircuitBreaker<PyClock> {
        &self.core
    }

    /// Permission to make one call, or the error of a rejected one.
    ///
    /// Inlined, here and below, so that a call stays in registers. A copy writes words and reads double words, which takes
    /// 12 cycles.
    #[inline(always)]
    pub fn admit(&self, py: Python<'_>) -> PyResult<AdmittedCall> {
        self.answer(py, host::admit(&self.core, || Probe::around(py, self.number)))
    }

    /// Reports the core's answer to the observer, and turns it into a call or an error.
    #[inline(always)]
    pub fn answer(&self, py: Python<'_>, answer: Result<Ticket, Rejected>) -> PyResult<AdmittedCall> {
        match answer {
            Ok(ticket) if ticket.is_probe() || self.observer.is_there() => self.admitted(py, ticket),
            Ok(ticket) => Ok(AdmittedCall::new(self.errors_noted.load(Ordering::Relaxed), ticket, None)),
            Err(rejected) => Err(self.rejected(py, &rejected)),
        }
    }

    #[inline(never)]
    fn admitted(&self, py: Python<'_>, ticket: Ticket) -> PyResult<AdmittedCall> {
        let riding = ticket.is_riding();
        let probe = ticket.is_probe().then(|| Probe { breaker: self.number, stamp: ticket.stamp() });
        let call = AdmittedCall::new(self.errors_noted.load(Ordering::Relaxed), ticket, probe);
        if riding {
            return Ok(call);
        }
        match self.observer.admitted(py) {
            Ok(()) => Ok(call),
            Err(interrupt) => {
                self.abandon(call, None);
                Err(interrupt)
            }
        }
    }

    #[inline(never)]
    fn rejected(&self, py: Python<'_>, rejected: &Rejected) -> PyErr {
        self.watched.rejected(py, rejected, self.clock());
        let own = self.observer.rejected(py, rejected);
        own.unwrap_or_else(|| rejection(py, self.name.bind(py), rejected))
    }

    /// Refuses a call that `call_timeout_seconds` could not cut off.
    pub fn check_no_deadline(&self, py: Python<'_>, allowed: &'static str) -> PyResult<()> {
        match self.call_timeout_seconds {
            None => Ok(()),
            Some(seconds) => Err(to_python(py, &InvalidValue::new("call_timeout_seconds", &seconds.into(), allowed))),
        }
    }

    /// The rules for exceptions and results.
    #[inline(always)]
    pub fn judging(&self) -> &Judging {
        &self.judging
    }

    pub fn clock(&self) -> &PyClock {
        self.core.clock()
    }

    /// Whether anything asks how long calls take.
    pub fn times_calls(&self) -> bool {
        host::times_calls(&self.core)
    }

    #[inline(always)]
    pub fn settle(&self, call: AdmittedCall, outcome: Outcome) {
        let begun = call.begun;
        self.settle_ticket(call.ticket, outcome);
        if self.errors_noted.load(Ordering::Relaxed) != begun {
            self.forget_errors(begun);
        }
    }

    /// As [`Self::settle`], for a call that ended with an error. Calls around it may end with the same one, so it is noted.
    pub fn settle_error(&self, call: AdmittedCall, outcome: Outcome, error: &Bound<'_, PyAny>) {
        let begun = call.begun;
        self.settle_raised(call.ticket, outcome, error);
        self.note_failure(begun, outcome, error);
    }

    /// The same for a call that returned its failure.
    pub fn settle_result(&self, call: AdmittedCall, outcome: Outcome, result: &Bound<'_, PyAny>) {
        let begun = call.begun;
        self.settle_ticket(call.ticket, outcome);
        self.note_failure(begun, outcome, result);
    }

    fn note_failure(&self, begun: u64, outcome: Outcome, failure: &Bound<'_, PyAny>) {
        if self.core.counts().in_flight == 0 {
            self.future_errors.clear();
            self.forget_errors(begun);
        } else if outcome.is_failure() && attached(|_| nesting::note(self.number, begun, failure)).is_ok() {
            self.errors_noted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// As [`Self::settle_error`], for the error of a future that the call returned.
    pub fn settle_future_error(&self, call: AdmittedCall, outcome: Outcome, error: &Bound<'_, PyAny>) {
        let (begun, riding) = (call.begun, call.ticket.is_riding());
        self.settle_raised(call.ticket, outcome, error);
        if self.core.counts().in_flight == 0 {
            self.future_errors.clear();
        } else if outcome.is_failure()
            && !riding
            && let Ok(counted) = CountedError::new(self.number, begun, error)
        {
            attached(|_| self.future_errors.note(counted));
            self.errors_noted.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a call inside one that has `begun` then has counted this error.
    pub fn has_counted(&self, begun: u64, error: &Bound<'_, PyAny>) -> bool {
        self.errors_noted.load(Ordering::Relaxed) != begun
            && attached(|_| {
                nesting::is_counted(self.number, begun, error).unwrap_or(false)
                    || self.future_errors.contains(begun, error)
            })
    }

    #[cold]
    #[inline(never)]
    fn forget_errors(&self, begun: u64) {
        if self.errors_noted.load(Ordering::Relaxed) != begun {
            // If Python cannot be entered, the errors stay until newer ones replace them.
            drop(attached(|py| nesting::forget(py, self.number, begun)));
        }
    }

    /// As [`Self::settle_ticket`], for a call that ended with this error: an observer finds it in `sys.exception()`.
    pub fn settle_raised(&self, ticket: Ticket, outcome: Outcome, error: &Bound<'_, PyAny>) {
        if self.observer.is_there() {
            while_handling(error, || self.settle_ticket(ticket, outcome));
        } else {
            self.settle_ticket(ticket, outcome);
        }
    }

    /// As [`Self::settle`], for a call that knows nothing of those around it and inside it.
    #[inline(always)]
    pub fn settle_ticket(&self, ticket: Ticket, outcome: Outcome) {
        if (self.observer.is_there() || Watched::hears_settles()) && !ticket.is_riding() {
            self.settle_observed(ticket, outcome);
        } else {
            host::settle(&self.core, ticket, outcome);
        }
    }

    #[inline(never)]
    fn settle_observed(&self, ticket: Ticket, outcome: Outcome) {
        let now = self.core.clock().now();
        if let Ok(call) = host::try_settle(&self.core, ticket, outcome, Some(now)) {
            attached(|py| {
                self.watched.settled(py, &call);
                self.observer.settled(py, call);
            });
        }
    }

    /// Cancels a call that was dropped.
    ///
    /// An exception may be propagating, so it is set aside while the host's clock and listeners run. A stream that is
    /// paused has not run since `paused_at`.
    pub fn abandon(&self, mut call: AdmittedCall, paused_at: Option<Tick>) {
        attached(|py| {
            let on_its_way = PyErr::take(py);
            let now = self.core.clock().now_quietly();
            call.resume(&self.core, paused_at, now);
            let riding = call.ticket.is_riding();
            let settled = host::try_settle(&self.core, call.ticket, Outcome::Cancelled, Some(now));
            if let Ok(settled) = settled
                && !riding
            {
                self.watched.settled(py, &settled);
                self.observer.settled(py, settled);
            }
            if let Some(error) = on_its_way {
                error.restore(py);
            }
        });
    }
}
