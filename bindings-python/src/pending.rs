//! A call in flight, and what its end means.

use halfopen::Outcome;
use pyo3::prelude::*;

use crate::admitted::AdmittedCall;
use crate::breaker::PyBreaker;

/// A call in flight, on Rust's own stack. Dropped unsettled, it is cancelled.
pub struct PendingCall<'b> {
    breaker: &'b PyBreaker,
    call: Option<AdmittedCall>,
}

impl<'b> PendingCall<'b> {
    /// Asks the breaker for permission to make one call.
    #[inline(always)]
    pub fn begin(breaker: &'b PyBreaker, py: Python<'_>) -> PyResult<Self> {
        Ok(Self::new(breaker, breaker.admit(py)?))
    }

    #[inline]
    pub fn new(breaker: &'b PyBreaker, call: AdmittedCall) -> Self {
        Self { breaker, call: Some(call) }
    }

    /// Whether the call is a probe.
    #[inline]
    pub fn is_probe(&self) -> bool {
        self.call.as_ref().is_some_and(AdmittedCall::is_probe)
    }

    /// The call's function runs from now on.
    pub fn enter(&self, py: Python<'_>) -> PyResult<()> {
        self.call.as_ref().map_or(Ok(()), |call| call.enter(py))
    }

    /// The call's function does not run any more.
    #[inline]
    pub fn leave(&self, py: Python<'_>) {
        if let Some(call) = &self.call {
            call.leave(py);
        }
    }

    #[inline(always)]
    pub fn settle(&mut self, outcome: Outcome) {
        if let Some(call) = self.call.take() {
            self.breaker.settle(call, outcome);
        }
    }

    /// The call returned this.
    #[inline(always)]
    pub fn returned(mut self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        match self.call.take() {
            Some(call) => Self::has_returned(self.breaker, call, result),
            None => Ok(()),
        }
    }

    /// As [`Self::returned`] without a pending call if nothing looks at the result, so a plain success stays in registers.
    #[inline(always)]
    pub fn has_returned(breaker: &'b PyBreaker, call: AdmittedCall, result: &Bound<'_, PyAny>) -> PyResult<()> {
        if breaker.judging().looks_at(result) {
            return Self::new(breaker, call).judged(result);
        }
        breaker.settle(call, Outcome::Success);
        Ok(())
    }

    /// As an error, a response that passes through several calls is the failure of one of them.
    #[inline(never)]
    fn judged(mut self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some((number, shared)) = self.call.as_ref().map(|call| (call.number, call.ticket.shares_permit())) else {
            return Ok(());
        };
        let outcome = self.breaker.judging().result(result)?;
        let counted = outcome.is_failure() && self.breaker.has_counted_result(number, result);
        let Some(call) = self.call.take() else { return Ok(()) };
        if shared || !outcome.is_failure() {
            self.breaker.settle(call, outcome);
        } else {
            self.breaker.settle_result(call, if counted { Outcome::Ignored } else { outcome }, result);
        }
        Ok(())
    }

    /// The call ended with this error, which the classifier judges.
    pub fn raised(mut self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let Some((number, shared)) = self.call.as_ref().map(|call| (call.number, call.ticket.shares_permit())) else {
            return Ok(());
        };
        let counted = self.breaker.has_counted_error(number, error);
        let outcome = if counted { Outcome::Ignored } else { self.breaker.judging().error(error)? };
        self.settle_as(error, outcome, shared, counted);
        Ok(())
    }

    /// The same with the judgement on the error, which the caller has made.
    pub fn ended_with(mut self, error: &Bound<'_, PyAny>, outcome: Outcome) {
        let Some((number, shared)) = self.call.as_ref().map(|call| (call.number, call.ticket.shares_permit())) else {
            return;
        };
        let counted = outcome.is_failure() && self.breaker.has_counted_error(number, error);
        self.settle_as(error, if counted { Outcome::Ignored } else { outcome }, shared, counted);
    }

    fn settle_as(&mut self, error: &Bound<'_, PyAny>, outcome: Outcome, shared: bool, counted: bool) {
        let Some(call) = self.call.take() else { return };
        if shared || !outcome.is_failure() && !counted {
            self.breaker.settle(call, outcome);
        } else {
            self.breaker.settle_error(call, outcome, error);
        }
    }

    /// Leaves settling to the holder of the call.
    #[inline]
    pub fn release(mut self) -> Option<AdmittedCall> {
        self.call.take()
    }
}

impl Drop for PendingCall<'_> {
    fn drop(&mut self) {
        if let Some(call) = self.call.take() {
            self.breaker.abandon(call, None);
        }
    }
}
