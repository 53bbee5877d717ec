//! A provider's answer to a call and its time: a pure function of the scenario, the time, the request and the load.

use core::time::Duration;

use libm::exp;

use super::nanos;
use super::random::{Draws, Purpose};
use super::scenario::{Effect, Fault, Latency, SimulatedProvider};

/// The answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) kind: Kind,
    /// Nanoseconds until it comes; `None` if it never does.
    pub(super) after: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Success,
    Failure,
    /// No answer within the caller's timeout.
    TimedOut,
    /// 429 with `Retry-After`.
    RateLimited(Duration),
}

impl Answer {
    /// The answer as seen by a caller that gives up after `timeout` nanoseconds.
    pub(super) fn within(self, timeout: u64) -> (Kind, u64) {
        match self.after.filter(|after| *after <= timeout) {
            Some(after) => (self.kind, after),
            None => (Kind::TimedOut, timeout),
        }
    }
}

/// A call, as the provider sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// When, in seconds from the start.
    pub(super) at: f64,
    pub(super) request: u64,
    pub(super) attempt: u32,
    /// Calls that the provider is already serving.
    pub(super) in_flight: u32,
}

/// A connection that is refused takes a millisecond.
const REFUSED_SECONDS: f64 = 0.001;
/// An answer such as 429 costs the provider little.
const SHORT_SECONDS: f64 = 0.005;

/// The provider's answer, with the faults in force.
pub(super) fn answer<'f>(
    provider: &SimulatedProvider,
    faults: impl Iterator<Item = &'f Fault>,
    draws: Draws,
    asked: Asked,
) -> Answer {
    let unit = draws.unit(Purpose::Failure, asked.request, asked.attempt);
    let mut seconds = latency(provider.latency, draws, asked) * crowding(provider, asked.in_flight);
    let mut failing = provider.failure_rate;
    for fault in faults {
        let since = asked.at - fault.from_seconds;
        match fault.effect {
            Effect::Down => return refused(),
            Effect::BrownOut { share } => failing = either(failing, share),
            Effect::Slow { factor } => seconds *= factor,
            Effect::Hanging { share } => {
                if unit < share {
                    return Answer { kind: Kind::Failure, after: None };
                }
            }
            Effect::SlowFirstToken { seconds: later } => seconds += later,
            Effect::Flapping { period_seconds, down_share } => {
                if share_of_turn(since, period_seconds) < down_share {
                    return refused();
                }
            }
            Effect::RateLimited { share, retry_after_seconds } => {
                if unit < share {
                    let kind = Kind::RateLimited(Duration::from_nanos(nanos(retry_after_seconds)));
                    return Answer { kind, after: Some(nanos(SHORT_SECONDS)) };
                }
            }
            Effect::BadShards { shards, bad } => {
                let shard = draws.bits(Purpose::Shard, asked.request, 0) % u64::from(shards);
                if shard < u64::from(bad) {
                    failing = 1.0;
                }
            }
            Effect::Deploy { every_seconds, cold_seconds, factor, share } => {
                if share_of_turn(since, every_seconds) * every_seconds < cold_seconds {
                    seconds *= factor;
                    failing = either(failing, share);
                }
            }
        }
    }
    let kind = if unit < failing { Kind::Failure } else { Kind::Success };
    Answer { kind, after: Some(nanos(seconds)) }
}

fn refused() -> Answer {
    Answer { kind: Kind::Failure, after: Some(nanos(REFUSED_SECONDS)) }
}

fn latency(latency: Latency, draws: Draws, asked: Asked) -> f64 {
    match latency {
        Latency::Fixed { seconds } => seconds,
        Latency::LogNormal { median_seconds, sigma } => {
            median_seconds * exp(sigma * draws.normal(asked.request, asked.attempt))
        }
        Latency::Bimodal { fast_seconds, slow_seconds, slow_share } => {
            let is_slow = draws.unit(Purpose::SlowMode, asked.request, asked.attempt) < slow_share;
            if is_slow { slow_seconds } else { fast_seconds }
        }
    }
}

/// How many times as long a call takes because of the calls that are served already.
fn crowding(provider: &SimulatedProvider, in_flight: u32) -> f64 {
    provider.capacity.map_or(1.0, |capacity| (f64::from(in_flight + 1) / f64::from(capacity)).max(1.0))
}

/// The probability that at least one of two independent things happens.
fn either(one: f64, other: f64) -> f64 {
    1.0 - (1.0 - one) * (1.0 - other)
}

/// How much of the present turn is over, from 0 to 1.
fn share_of_turn(since: f64, period: f64) -> f64 {
    (since / period) % 1.0
}
