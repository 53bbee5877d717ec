//! The calls of a run, one by one.

use alloc::vec::Vec;

use super::provider::Kind;
use crate::names::named_enum;

/// The most calls that a run keeps; later ones are not kept.
pub const CALLS_TRACED: usize = 1_000_000;

named_enum! {
    /// How a call ended.
    Fate {
        /// The provider answered.
        Answered = "answered",
        /// The provider failed.
        Failed = "failed",
        /// The client gave it up at its timeout.
        TimedOut = "timed_out",
        /// The provider asked for a pause (429).
        RateLimited = "rate_limited",
        /// The circuit rejected it while the provider was not answering either.
        Rejected = "rejected",
        /// The circuit rejected it, and the provider would have answered.
        RejectedInVain = "rejected_in_vain",
    }
}

/// A call of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TracedCall {
    /// When it began or was rejected, in seconds from the start.
    pub from_seconds: f64,
    /// When it ended; for a rejected call, when it was rejected.
    pub to_seconds: f64,
    /// The request, from 0.
    pub request: u64,
    /// The calls that the request had made before.
    pub attempt: u32,
    /// The worker process, from 0.
    pub worker: u32,
    /// The provider, by its index in the scenario.
    pub provider: u32,
    /// How it ended.
    pub fate: Fate,
    /// Whether it was admitted as a probe.
    pub is_probe: bool,
}

impl TracedCall {
    pub(super) fn new(request: u64, attempt: u32, worker: u32, provider: u32) -> Self {
        let (from_seconds, to_seconds) = (0.0, 0.0);
        Self { from_seconds, to_seconds, request, attempt, worker, provider, fate: Fate::Answered, is_probe: false }
    }
}

/// The calls that are kept, if any are.
#[derive(Debug, Default)]
pub(super) struct Trace(Option<Vec<TracedCall>>);

impl Trace {
    pub(super) fn start(&mut self) {
        self.0 = Some(Vec::new());
    }

    pub(super) fn calls(&self) -> &[TracedCall] {
        self.0.as_deref().unwrap_or_default()
    }

    pub(super) fn ended(&mut self, (from, to): (u64, u64), call: TracedCall, kind: Kind) {
        let fate = match kind {
            Kind::Success => Fate::Answered,
            Kind::Failure => Fate::Failed,
            Kind::TimedOut => Fate::TimedOut,
            Kind::RateLimited(_) => Fate::RateLimited,
        };
        self.keep((from, to), TracedCall { fate, ..call });
    }

    pub(super) fn rejected(&mut self, at: u64, call: TracedCall, would_be: Kind) {
        let fate = if would_be == Kind::Success { Fate::RejectedInVain } else { Fate::Rejected };
        self.keep((at, at), TracedCall { fate, ..call });
    }

    fn keep(&mut self, (from, to): (u64, u64), call: TracedCall) {
        if let Some(calls) = self.0.as_mut().filter(|calls| calls.len() < CALLS_TRACED) {
            calls.push(TracedCall { from_seconds: from as f64 * 1e-9, to_seconds: to as f64 * 1e-9, ..call });
        }
    }
}
