//! The calls of a breaker, in plain numbers.

use std::sync::Arc;

use halfopen::clock::Clock;
use halfopen::host::{self, Stamp};
use halfopen::{CircuitBreaker, Outcome};

use crate::JsClock;
use crate::permits::Permits;

/// A breaker of the core.
pub type Breaker = CircuitBreaker<JsClock>;

const NEEDS_TIME: f64 = -1.0;
const NO_PERMIT: f64 = 0.0;
const SETTLED: f64 = 1.0;

/// A breaker with the permits that were handed out through it.
///
/// It lives on one thread and never calls its host. Dropping it settles its permits as cancelled, so a thread that ends
/// holds no slot.
#[derive(Debug)]
pub struct Calls {
    pub(crate) breaker: Arc<Breaker>,
    permits: Permits,
    /// The wait of the last rejection.
    pub(crate) retry_after: f64,
}

impl Calls {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, permits: Permits::default(), retry_after: 0.0 }
    }

    /// Asks for a permit and returns its number: from 2⁵² on for a probe, and from 1.5 × 2⁵² on for a call that shares
    /// the permit of an outer probe. −1 means that the host has to repeat the call with the time, and nothing has
    /// changed. −2, −3 and so on are the reasons of a rejection. `outer` is the permit of the call around it, or −1.
    #[inline]
    pub fn enter(&mut self, millis: f64, outer: f64) -> f64 {
        self.permits.reserve();
        if self.breaker.clock().push(millis) {
            return self.admit(outer);
        }
        host::try_admit(&self.breaker, None, || None).map_or(NEEDS_TIME, |ticket| self.permits.insert(ticket))
    }

    #[inline]
    fn admit(&mut self, outer: f64) -> f64 {
        let outer: Option<Stamp> = self.permits.stamp(outer);
        match host::admit(&self.breaker, || outer) {
            Ok(ticket) => self.permits.insert(ticket),
            Err(rejected) => {
                self.retry_after = rejected.retry_after.map_or(-1.0, |wait| wait.as_secs_f64());
                -2.0 - f64::from(rejected.reason as u8)
            }
        }
    }

    /// Settles a permit with the outcome of that number. Returns 1; 0 if no such permit is out; or −1 if the host has
    /// to repeat the call with the time, and then nothing has changed.
    #[inline]
    pub fn settle(&mut self, permit: f64, outcome: u32, millis: f64) -> f64 {
        let Some(outcome) = Outcome::ALL.get(outcome as usize) else { return NO_PERMIT };
        self.end(permit, *outcome, millis)
    }

    #[inline]
    pub(crate) fn end(&mut self, permit: f64, outcome: Outcome, millis: f64) -> f64 {
        let breaker = &self.breaker;
        let is_timed = breaker.clock().push(millis);
        let settled = self.permits.settle(
            permit,
            || breaker.clock().now(),
            |ticket| {
                if !is_timed {
                    return host::try_settle(breaker, ticket, outcome, None).map(drop);
                }
                host::settle(breaker, ticket, outcome);
                Ok(())
            },
        );
        match settled {
            Some(true) => SETTLED,
            Some(false) => NEEDS_TIME,
            None => NO_PERMIT,
        }
    }

    /// Stops the duration of a call, or lets it run on.
    pub(crate) fn pause(&mut self, permit: f64, paused: bool, millis: f64) {
        self.breaker.clock().push(millis);
        let now = self.breaker.clock().now();
        let breaker = &self.breaker;
        if paused {
            self.permits.pause(permit, now, |ticket| host::pause(breaker, ticket));
        } else {
            self.permits.resume(permit, now, |ticket| host::resume(breaker, ticket, now));
        }
    }

    /// How long a call has taken until now, in seconds; 0 if it is not timed.
    pub(crate) fn lasted(&mut self, permit: f64, millis: f64) -> f64 {
        self.breaker.clock().push(millis);
        let now = self.breaker.clock().now();
        self.permits.lasted(permit, now).map_or(0.0, |lasted| lasted.as_secs_f64())
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        for ticket in self.permits.drain() {
            host::settle(&self.breaker, ticket, Outcome::Cancelled);
        }
    }
}
