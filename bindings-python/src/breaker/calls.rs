//! Calls of a breaker as Rust makes them: admitted or rejected, and settled.

use halfopen::clock::{Clock, Tick};
use halfopen::host::{self, SettledCall, Stamp, Ticket, TryAdmitError};
use halfopen::{Outcome, Rejected};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use super::PyBreaker;
use crate::admitted::AdmittedCall;
use crate::clock::PyClock;
use crate::error::{in_context, refused, rejection};
use crate::ffi::{attached, beside_an_error, call_host_with_one, while_handling};
use crate::imports::Imports;
use crate::judging::Judging;
use crate::nesting::{self, Probe};
use crate::watchers::Watched;

impl PyBreaker {
    /// Permission to make one call, or the error of a rejected one.
    ///
    /// Inlined, here and below, so that a call stays in registers. A copy writes words and reads double words, which takes
    /// 12 cycles.
    #[inline(always)]
    pub fn admit(&self, py: Python<'_>) -> PyResult<AdmittedCall> {
        self.admit_inside(py, || Probe::around(py, self.number))
    }

    /// The same, with the stamp of the probe that makes the call; see [`host::admit`].
    #[inline(always)]
    pub fn admit_inside(&self, py: Python<'_>, outer: impl Fn() -> Option<Stamp>) -> PyResult<AdmittedCall> {
        // Read here and not by the core, because the log of a rejection needs the time too.
        let (core, mut now) = (self.core(), None);
        let ticket = loop {
            match host::try_admit(core, now, &outer) {
                Ok(ticket) => break ticket,
                Err(TryAdmitError::NeedsTime) => now = Some(core.clock().now()),
                Err(TryAdmitError::Rejected(rejected)) => return Err(self.rejected(py, &rejected, now)),
            }
        };
        if ticket.is_probe() || self.observer.is_there() {
            return self.admitted(py, [ticket]);
        }
        Ok(AdmittedCall::new(self.counted.next_call(), ticket, None))
    }

    /// The ticket is passed in an array, here and below. Otherwise this rare path would take its address, and the usual path
    /// would have to keep it in memory.
    #[inline(never)]
    fn admitted(&self, py: Python<'_>, [ticket]: [Ticket; 1]) -> PyResult<AdmittedCall> {
        let shared = ticket.shares_permit();
        let probe = ticket.is_probe().then(|| Probe { breaker: self.number, stamp: ticket.stamp() });
        let call = AdmittedCall::new(self.counted.next_call(), ticket, probe);
        if shared {
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
    fn rejected(&self, py: Python<'_>, rejected: &Rejected, now: Option<Tick>) -> PyErr {
        let identity = match self.initialised(py) {
            Ok(identity) => identity,
            Err(error) => return error,
        };
        identity.watched.rejected(py, rejected, now.unwrap_or_else(|| self.clock().now()));
        let own = self.observer.rejected(py, rejected);
        in_context(py, own.unwrap_or_else(|| rejection(py, identity.name.bind(py), rejected)))
    }

    /// Refuses a call that `call_timeout_seconds` could not cut off.
    #[inline]
    pub fn check_no_deadline(&self, py: Python<'_>, allowed: &'static str) -> PyResult<()> {
        match self.identity.get().and_then(|identity| identity.call_timeout_seconds) {
            None => Ok(()),
            Some(seconds) => Err(refused(py, "call_timeout_seconds", &seconds.into(), allowed)),
        }
    }

    /// The rules for exceptions and results.
    #[inline(always)]
    pub fn judging(&self) -> &Judging {
        self.identity.get().map_or(Judging::NONE, |identity| &identity.judging)
    }

    pub fn clock(&self) -> &PyClock {
        self.core().clock()
    }

    /// Whether anything asks how long calls take.
    pub fn times_calls(&self) -> bool {
        host::times_calls(self.core())
    }

    #[inline(always)]
    pub fn settle(&self, call: AdmittedCall, outcome: Outcome) {
        let number = call.number;
        self.settle_ticket(call.ticket, outcome);
        if self.counted.any_result_since(number) {
            self.forget_results(number);
        }
    }

    /// As [`Self::settle`], for a call that ended with an error. Calls around it may end with the same one, so it is noted.
    pub fn settle_error(&self, call: AdmittedCall, outcome: Outcome, error: &Bound<'_, PyAny>) {
        let number = call.number;
        let settle = || self.settle_ticket(call.ticket, outcome);
        // An observer finds the error in `sys.exception()`.
        if self.observer.is_there() {
            while_handling(error, settle)
        } else {
            settle()
        }
        if self.has_ended_alone(number) || !outcome.is_failure() {
            return;
        }
        attached(|py| {
            self.counted.note(number, error);
            // A call around this one may return the response that the error holds.
            let response = Imports::get(py).and_then(|imports| error.getattr_opt(&imports.names.response));
            if let Ok(Some(response)) = response
                && !response.is_none()
            {
                self.counted.note(number, &response);
            }
        });
    }

    /// The same for a call that returned its failure.
    pub fn settle_result(&self, call: AdmittedCall, outcome: Outcome, result: &Bound<'_, PyAny>) {
        let number = call.number;
        self.settle_ticket(call.ticket, outcome);
        if self.has_ended_alone(number) || !outcome.is_failure() {
            return;
        }
        attached(|_| {
            if self.judging().is_response(result) {
                self.counted.note(number, result);
            } else if nesting::note_result(self.number, number, result).is_ok() {
                self.counted.result_noted();
            }
        });
    }

    /// Notes an object by which outer calls may recognise its failure.
    pub fn note_failure(&self, number: u64, object: &Bound<'_, PyAny>) {
        if !self.has_ended_alone(number) {
            self.counted.note(number, object);
        }
    }

    /// Whether no call in flight could still end with the failure of a call that has ended.
    fn has_ended_alone(&self, number: u64) -> bool {
        if self.core().counts().in_flight > 0 || self.counted.has_sessions() {
            return false;
        }
        self.counted.clear();
        if self.counted.any_result_since(number) {
            self.forget_results(number);
        }
        true
    }

    /// Whether a call inside this one has counted this error.
    pub fn has_counted_error(&self, number: u64, error: &Bound<'_, PyAny>) -> bool {
        self.counted.any_since(number)
            && attached(|py| self.counted.contains(number, error) || self.has_counted_parts(py, number, error))
    }

    /// Whether a call inside this one has counted each failure that the error stands for.
    fn has_counted_parts(&self, py: Python<'_>, number: u64, error: &Bound<'_, PyAny>) -> bool {
        let is_counted = |objects: &Bound<'_, PyTuple>| objects.iter().any(|it| self.counted.contains(number, &it));
        let Ok(failures) = failures_in(py, error) else { return false };
        let mut any_counted = false;
        for failure in failures.iter() {
            let Ok(objects) = failure.cast::<PyTuple>() else { return false };
            if is_counted(objects) {
                any_counted = true;
            } else if !objects.get_item(0).is_ok_and(|member| self.is_no_failure(error, &member)) {
                return false;
            }
        }
        any_counted
    }

    /// Whether a member of a group is not a failure by itself.
    fn is_no_failure(&self, group: &Bound<'_, PyAny>, member: &Bound<'_, PyAny>) -> bool {
        !member.is(group) && self.judging().error(member).is_ok_and(|outcome| !outcome.is_failure())
    }

    /// Whether a call inside this one has counted this result.
    pub fn has_counted_result(&self, number: u64, result: &Bound<'_, PyAny>) -> bool {
        let in_the_context = || nesting::is_counted(self.number, number, result).unwrap_or(false);
        self.counted.any_since(number) && attached(|_| self.counted.contains(number, result))
            || self.counted.any_result_since(number) && attached(|_| in_the_context())
    }

    #[cold]
    #[inline(never)]
    fn forget_results(&self, number: u64) {
        // If Python cannot be entered, the results stay until newer ones replace them.
        drop(attached(|py| nesting::forget_results(py, self.number, number)));
    }

    /// As [`Self::settle`], without regard to outer and inner calls.
    #[inline(always)]
    pub fn settle_ticket(&self, ticket: Ticket, outcome: Outcome) {
        if (self.observer.is_there() || Watched::follows_settled_calls()) && !ticket.shares_permit() {
            self.settle_observed([ticket], outcome);
        } else {
            host::settle(self.core(), ticket, outcome);
        }
    }

    #[inline(never)]
    fn settle_observed(&self, [ticket]: [Ticket; 1], outcome: Outcome) {
        let now = self.core().clock().now();
        if let Ok(call) = host::try_settle(self.core(), ticket, outcome, Some(now)) {
            attached(|py| self.report_settled(py, call));
        }
    }

    fn report_settled(&self, py: Python<'_>, call: SettledCall) {
        if let Ok(identity) = self.initialised(py) {
            identity.watched.settled(py, &call);
        }
        self.observer.settled(py, call);
    }

    /// Cancels a call that was dropped.
    ///
    /// The host's clock and listeners run then. A stream that is paused has not run since `paused_at`.
    pub fn abandon(&self, mut call: AdmittedCall, paused_at: Option<Tick>) {
        beside_an_error(|py| {
            let core = self.core();
            let now = core.clock().now_quietly();
            call.resume(core, paused_at, now);
            let shared = call.ticket.shares_permit();
            let settled = host::try_settle(core, call.ticket, Outcome::Cancelled, Some(now));
            if let Ok(settled) = settled
                && !shared
            {
                self.report_settled(py, settled);
            }
        });
    }
}

/// The failures that an error stands for, each as a tuple of the objects that identify it.
fn failures_in<'py>(py: Python<'py>, error: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyList>> {
    Ok(call_host_with_one(Imports::get(py)?.failures_in.bind(py), error)?.cast_into::<PyList>()?)
}
