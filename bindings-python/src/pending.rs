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
    #[inline]
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

    /// As [`Self::returned`]. If nothing looks at the result, it makes no pending call, so a plain success stays in
    /// registers.
    #[inline(always)]
    pub fn has_returned(breaker: &'b PyBreaker, call: AdmittedCall, result: &Bound<'_, PyAny>) -> PyResult<()> {
        if breaker.judging().looks_at(result) {
            return Self::new(breaker, call).judged(result);
        }
        breaker.settle(call, Outcome::Success);
        Ok(())
    }

    /// A response that passes through several calls counts in one of them only, as an error does.
    #[inline(never)]
    fn judged(self, result: &Bound<'_, PyAny>) -> PyResult<()> {
        let judge = |breaker: &PyBreaker, number| {
            let outcome = breaker.judging().result(result)?;
            Ok((outcome, outcome.is_failure() && breaker.has_counted_result(number, result)))
        };
        self.settle_by(judge, |breaker, call, outcome| breaker.settle_result(call, outcome, result))
    }

    /// The call ended with this error, which the classifier judges.
    pub fn raised(self, error: &Bound<'_, PyAny>) -> PyResult<()> {
        let judge = |breaker: &PyBreaker, number| match breaker.has_counted_error(number, error) {
            true => Ok((Outcome::Ignored, true)),
            false => Ok((breaker.judging().error(error)?, false)),
        };
        self.settle_by(judge, |breaker, call, outcome| breaker.settle_error(call, outcome, error))
    }

    /// The same with the judgement on the error, which the caller has made.
    pub fn ended_with(self, error: &Bound<'_, PyAny>, outcome: Outcome) -> PyResult<()> {
        let judge = |breaker: &PyBreaker, number| {
            Ok((outcome, outcome.is_failure() && breaker.has_counted_error(number, error)))
        };
        self.settle_by(judge, |breaker, call, outcome| breaker.settle_error(call, outcome, error))
    }

    /// An item of the call's stream reported an error, which the caller has judged. A call inside this one may have counted
    /// it, or noted the response that the stream reads.
    pub fn ended_with_event(self, outcome: Outcome, known_by: &[&Bound<'_, PyAny>]) -> PyResult<()> {
        let judge = |breaker: &PyBreaker, number| {
            let is_counted = |object: &&Bound<'_, PyAny>| breaker.counted.contains(number, object);
            Ok((outcome, outcome.is_failure() && known_by.iter().any(is_counted)))
        };
        self.settle_by(judge, |breaker, call, outcome| {
            let number = call.number;
            breaker.settle(call, outcome);
            for object in known_by {
                breaker.note_failure(number, object);
            }
        })
    }

    /// Settles the call as `judge` says: with an outcome, or as ignored if a call inside this one has counted the failure.
    /// A failure, counted here or there, is settled by `settle`, which notes it; those that share a permit have no vote.
    #[inline(always)]
    fn settle_by(
        mut self,
        judge: impl FnOnce(&PyBreaker, u64) -> PyResult<(Outcome, bool)>,
        settle: impl FnOnce(&PyBreaker, AdmittedCall, Outcome),
    ) -> PyResult<()> {
        let Some(number) = self.call.as_ref().map(|call| call.number) else { return Ok(()) };
        let (outcome, is_counted) = judge(self.breaker, number)?;
        let Some(call) = self.call.take() else { return Ok(()) };
        let outcome = if is_counted { Outcome::Ignored } else { outcome };
        if call.ticket.shares_permit() || !outcome.is_failure() && !is_counted {
            self.breaker.settle(call, outcome);
        } else {
            settle(self.breaker, call, outcome);
        }
        Ok(())
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
