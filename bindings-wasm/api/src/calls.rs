//! The calls of a breaker, in plain numbers.

use std::sync::Arc;

use halfopen::clock::{Clock, Tick};
use halfopen::host::{self, Ticket};
use halfopen::{CircuitBreaker, Outcome};
use slab::Slab;

use crate::JsClock;

/// A breaker of the core.
pub type Breaker = CircuitBreaker<JsClock>;

const NEEDS_TIME: f64 = -1.0;
const NO_PERMIT: f64 = 0.0;
const SETTLED: f64 = 1.0;

/// A breaker with the permits that were handed out through it, each under a whole number below 2^53, which a double
/// holds exactly.
///
/// The lowest bits of a number are the permit's place in the table. Above them, a count of permits keeps a number that
/// was settled from meaning another call. The two highest bits say what the call is, so that a host need not ask:
/// [`SHARES`] and [`PROBE`].
///
/// It lives on one thread and never calls its host. Dropping it settles its permits as cancelled, so a thread that ends
/// holds no slot.
#[derive(Debug)]
pub struct Calls {
    breaker: Arc<Breaker>,
    permits: Slab<Permit>,
    issued: u64,
    /// The wait of the last rejection.
    pub(crate) retry_after: f64,
}

#[derive(Debug)]
struct Permit {
    number: f64,
    /// Taken while it is being settled.
    ticket: Option<Ticket>,
    /// Since when a consumer, and not the provider, takes time.
    paused: Option<Tick>,
}

const PLACE_BITS: u32 = 27;
const ISSUED_BITS: u32 = 51 - PLACE_BITS;
const SHARES: u64 = 1 << 51;
const PROBE: u64 = 1 << 52;
/// A table that a burst made longer than this is freed when its last permit comes back.
const KEPT_PLACES: usize = 1024;

impl Calls {
    pub(crate) fn new(breaker: Arc<Breaker>) -> Self {
        Self { breaker, permits: Slab::new(), issued: 0, retry_after: 0.0 }
    }

    /// Asks for a permit and returns its number: from 2⁵² on for a probe, and from 1.5 × 2⁵² on for a call that shares
    /// the permit of an outer probe. −1 means that the host has to repeat the call with the time, and nothing has
    /// changed. −2, −3 and so on are the reasons of a rejection. `outer` is the permit of the call around it, or −1.
    #[inline]
    pub fn enter(&mut self, millis: f64, outer: f64) -> f64 {
        // Makes room first, so that nothing can fail once a ticket is out.
        if self.permits.len() == self.permits.capacity() {
            self.permits.reserve(1);
        }
        if !self.breaker.clock().push(millis) {
            return host::try_admit(&self.breaker, None, || None).map_or(NEEDS_TIME, |ticket| self.insert(ticket));
        }
        let outer = find(&mut self.permits, outer).and_then(|permit| permit.ticket.as_ref()).map(Ticket::stamp);
        match host::admit(&self.breaker, || outer) {
            Ok(ticket) => self.insert(ticket),
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

    /// As [`settle`](Self::settle). A call that is paused ends where its pause began.
    #[inline]
    pub(crate) fn end(&mut self, number: f64, outcome: Outcome, millis: f64) -> f64 {
        let is_timed = self.breaker.clock().push(millis);
        let Some(permit) = find(&mut self.permits, number) else { return NO_PERMIT };
        permit.exclude_pause(|| self.breaker.clock().now());
        let Some(ticket) = permit.ticket.take() else { return NO_PERMIT };
        if is_timed {
            host::settle(&self.breaker, ticket, outcome);
        } else if let Err(ticket) = host::try_settle(&self.breaker, ticket, outcome, None) {
            permit.ticket = Some(ticket);
            return NEEDS_TIME;
        }
        self.permits.remove(place_of(number));
        if self.permits.is_empty() && self.permits.capacity() > KEPT_PLACES {
            self.permits = Slab::new();
        }
        SETTLED
    }

    /// Stops the duration of a call, because another party than its provider takes time, or lets it run on.
    pub(crate) fn pause(&mut self, number: f64, paused: bool, millis: f64) {
        let now = self.now(millis);
        let Some(permit) = find(&mut self.permits, number) else { return };
        if paused {
            permit.paused.get_or_insert(now);
            if let Some(ticket) = &mut permit.ticket {
                host::pause(&self.breaker, ticket);
            }
        } else if let Some(ticket) = permit.exclude_pause(|| now) {
            host::resume(&self.breaker, ticket, now);
        }
    }

    /// How long a call has taken until now, in seconds; 0 if it is not timed.
    pub(crate) fn lasted(&mut self, number: f64, millis: f64) -> f64 {
        let now = self.now(millis);
        let lasted = find(&mut self.permits, number)
            .and_then(|permit| permit.ticket.as_ref()?.lasted(permit.paused.unwrap_or(now)));
        lasted.map_or(0.0, |lasted| lasted.as_secs_f64())
    }

    #[inline]
    fn insert(&mut self, ticket: Ticket) -> f64 {
        self.issued = (self.issued + 1) % (1 << ISSUED_BITS);
        let place = self.permits.vacant_entry();
        let mut number = (self.issued << PLACE_BITS) | place.key() as u64;
        if ticket.is_probe() {
            number |= if ticket.shares_permit() { PROBE | SHARES } else { PROBE };
        }
        // A signed integer is sooner made a double.
        let number = number as i64 as f64;
        place.insert(Permit { number, ticket: Some(ticket), paused: None });
        number
    }

    fn now(&self, millis: f64) -> Tick {
        self.breaker.clock().push(millis);
        self.breaker.clock().now()
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        for ticket in self.permits.drain().filter_map(|permit| permit.ticket) {
            host::settle(&self.breaker, ticket, Outcome::Cancelled);
        }
    }
}

impl Permit {
    /// Ends a pause and leaves it out of the call's duration; `None` if there is none.
    #[inline]
    fn exclude_pause(&mut self, now: impl FnOnce() -> Tick) -> Option<&mut Ticket> {
        let paused = self.paused.take()?;
        let ticket = self.ticket.as_mut()?;
        ticket.exclude(now().since(paused));
        Some(ticket)
    }
}

/// The permit of that number, until it is settled.
#[inline]
fn find(permits: &mut Slab<Permit>, number: f64) -> Option<&mut Permit> {
    permits.get_mut(place_of(number)).filter(|permit| permit.number == number)
}

#[inline]
fn place_of(number: f64) -> usize {
    (number as i64 as u64 & ((1 << PLACE_BITS) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use halfopen::Config;

    use super::*;

    const SUCCESS: u32 = 0;
    const FAILURE: u32 = 1;

    fn calls() -> Calls {
        calls_with(Config::default())
    }

    fn calls_with(config: Config) -> Calls {
        Calls::new(Arc::new(CircuitBreaker::with_clock(config, JsClock::new(0.0))))
    }

    fn enter(calls: &mut Calls) -> f64 {
        calls.enter(0.0, -1.0)
    }

    fn settle(calls: &mut Calls, number: f64) -> f64 {
        calls.settle(number, SUCCESS, 0.0)
    }

    #[test]
    fn a_number_means_one_permit_only() {
        let mut calls = calls();
        let first = enter(&mut calls);
        assert_eq!(settle(&mut calls, first), SETTLED);
        let second = enter(&mut calls);
        assert_eq!(settle(&mut calls, first), NO_PERMIT);
        assert_eq!(settle(&mut calls, second), SETTLED);
    }

    #[test]
    fn a_number_says_what_the_call_is() {
        let mut calls = calls_with(Config::builder().failure_threshold(1).build().expect("a good configuration"));
        let kind = |number: f64| (number >= PROBE as f64, number >= (PROBE | SHARES) as f64);
        let (ordinary, failing) = (enter(&mut calls), enter(&mut calls));
        assert_eq!(kind(ordinary), (false, false));
        assert_eq!(calls.settle(failing, FAILURE, 0.0), SETTLED);
        let probe = calls.enter(60_000.0, -1.0);
        assert_eq!(kind(probe), (true, false));
        assert_eq!(kind(calls.enter(60_000.0, probe)), (true, true));
    }

    #[test]
    fn no_number_is_a_panic() {
        let mut calls = calls();
        enter(&mut calls);
        for number in [0.0, -1.0, 0.5, f64::NAN, f64::INFINITY, 9_007_199_254_740_991.0, 1e300] {
            assert_eq!(settle(&mut calls, number), NO_PERMIT, "{number}");
        }
        assert_eq!(calls.permits.len(), 1);
    }

    #[test]
    fn numbers_stay_exact_in_a_double() {
        let mut calls = calls();
        calls.issued = (1 << ISSUED_BITS) - 2;
        let numbers: Vec<f64> = (0..4).map(|_| enter(&mut calls)).collect();
        assert!(numbers.iter().all(|number| *number < 9_007_199_254_740_992.0 && number.fract() == 0.0));
        assert!(numbers.into_iter().all(|number| settle(&mut calls, number) == SETTLED));
    }

    #[test]
    fn a_permit_whose_end_needs_the_time_is_still_out() {
        let mut calls = calls();
        let number = enter(&mut calls);
        assert_eq!(calls.settle(number, SUCCESS, f64::NAN), NEEDS_TIME);
        assert_eq!(settle(&mut calls, number), SETTLED);
    }

    #[test]
    fn a_call_that_never_ends_costs_no_memory_and_a_burst_is_freed() {
        let mut calls = calls();
        let hung = enter(&mut calls);
        for _ in 0..10_000 {
            let number = enter(&mut calls);
            assert_eq!(settle(&mut calls, number), SETTLED);
        }
        assert!(calls.permits.capacity() < 16);
        let burst: Vec<f64> = (0..5_000).map(|_| enter(&mut calls)).collect();
        assert!(burst.into_iter().chain([hung]).all(|number| settle(&mut calls, number) == SETTLED));
        assert_eq!(calls.permits.capacity(), 0);
    }
}
