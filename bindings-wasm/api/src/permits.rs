//! The permits that a host has out, each under a number.

use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::host::{Stamp, Ticket};
use slab::Slab;

/// Tickets under whole numbers below 2^53, which a double holds exactly.
///
/// The lowest bits of a number are the permit's place in the table. Above them, a count of permits keeps a number that
/// was settled from meaning another call. The two highest bits say what the call is, so that a host need not ask:
/// [`SHARES`] and [`PROBE`].
#[derive(Debug, Default)]
pub(crate) struct Permits {
    places: Slab<Permit>,
    issued: u64,
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

impl Permits {
    /// Makes room for one more, so that nothing can fail once a ticket is out.
    #[inline]
    pub(crate) fn reserve(&mut self) {
        if self.places.len() == self.places.capacity() {
            self.places.reserve(1);
        }
    }

    #[inline]
    pub(crate) fn insert(&mut self, ticket: Ticket) -> f64 {
        self.issued = (self.issued + 1) % (1 << ISSUED_BITS);
        let place = self.places.vacant_entry();
        let mut number = (self.issued << PLACE_BITS) | place.key() as u64;
        if ticket.is_probe() {
            number |= if ticket.shares_permit() { PROBE | SHARES } else { PROBE };
        }
        // A signed integer is sooner made a double.
        let number = number as i64 as f64;
        place.insert(Permit { number, ticket: Some(ticket), paused: None });
        number
    }

    /// The stamp that a call made inside this one shows the core, until this one is settled.
    pub(crate) fn stamp(&mut self, number: f64) -> Option<Stamp> {
        self.permit(number)?.ticket.as_ref().map(Ticket::stamp)
    }

    /// Hands the ticket under this number to `settle`, which may give it back: true where it was taken, false where it is
    /// still out, and `None` where no ticket is out under this number. A call that is paused ends where its pause began.
    #[inline]
    pub(crate) fn settle(
        &mut self,
        number: f64,
        now: impl FnOnce() -> Tick,
        settle: impl FnOnce(Ticket) -> Result<(), Ticket>,
    ) -> Option<bool> {
        let permit = self.permit(number)?;
        permit.exclude_pause(now);
        if let Err(ticket) = settle(permit.ticket.take()?) {
            permit.ticket = Some(ticket);
            return Some(false);
        }
        self.places.remove(place_of(number));
        if self.places.is_empty() && self.places.capacity() > KEPT_PLACES {
            self.places = Slab::new();
        }
        Some(true)
    }

    /// The provider has no part in the time from now on, until `resume`.
    pub(crate) fn pause(&mut self, number: f64, now: Tick, pause: impl FnOnce(&mut Ticket)) {
        if let Some(permit) = self.permit(number) {
            permit.paused.get_or_insert(now);
            if let Some(ticket) = &mut permit.ticket {
                pause(ticket);
            }
        }
    }

    /// The provider's time runs again, and the pause is left out of the call's duration.
    pub(crate) fn resume(&mut self, number: f64, now: Tick, resume: impl FnOnce(&mut Ticket)) {
        if let Some(permit) = self.permit(number)
            && let Some(ticket) = permit.exclude_pause(|| now)
        {
            resume(ticket);
        }
    }

    /// How long the call under this number has taken until now; `None` if it is not timed.
    pub(crate) fn lasted(&mut self, number: f64, now: Tick) -> Option<Duration> {
        let permit = self.permit(number)?;
        permit.ticket.as_ref()?.lasted(permit.paused.unwrap_or(now))
    }

    /// All tickets that are out.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Ticket> {
        self.places.drain().filter_map(|permit| permit.ticket)
    }

    #[inline]
    fn permit(&mut self, number: f64) -> Option<&mut Permit> {
        let permit = self.places.get_mut(place_of(number))?;
        (permit.number == number).then_some(permit)
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

#[inline]
fn place_of(number: f64) -> usize {
    (number as i64 as u64 & ((1 << PLACE_BITS) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use halfopen::clock::{Clock, ManualClock};
    use halfopen::host;
    use halfopen::{CircuitBreaker, Config};

    use super::*;

    fn ticket<C: Clock>(breaker: &CircuitBreaker<C>) -> Ticket {
        host::admit(breaker, || None).expect("a closed circuit admits")
    }

    fn taken(permits: &mut Permits, number: f64) -> bool {
        permits.settle(number, || Tick::ZERO, |_ticket| Ok(())) == Some(true)
    }

    fn breaker() -> CircuitBreaker<ManualClock> {
        CircuitBreaker::with_clock(Config::default(), ManualClock::new())
    }

    #[test]
    fn a_number_means_one_permit_only() {
        let (breaker, mut permits) = (breaker(), Permits::default());
        let first = permits.insert(ticket(&breaker));
        assert!(taken(&mut permits, first));
        let second = permits.insert(ticket(&breaker));
        assert!(!taken(&mut permits, first));
        assert!(taken(&mut permits, second));
    }

    #[test]
    fn a_number_says_what_the_call_is() {
        let (clock, mut permits) = (ManualClock::new(), Permits::default());
        let config = Config::builder().failure_threshold(1).build().expect("a good configuration");
        let breaker = CircuitBreaker::with_clock(config, || clock.now());
        let kind = |number: f64| (number >= PROBE as f64, number >= (PROBE | SHARES) as f64);
        let ordinary = host::admit(&breaker, || None).expect("a closed circuit admits");
        host::settle(&breaker, ticket(&breaker), halfopen::Outcome::FAILURE);
        assert_eq!(kind(permits.insert(ordinary)), (false, false));
        clock.advance(std::time::Duration::from_secs(60));
        let probe = permits.insert(host::admit(&breaker, || None).expect("the wait is over"));
        assert_eq!(kind(probe), (true, false));
        let shared = host::admit(&breaker, || permits.stamp(probe)).expect("it shares the permit");
        assert_eq!(kind(permits.insert(shared)), (true, true));
    }

    #[test]
    fn no_number_is_a_panic() {
        let (breaker, mut permits) = (breaker(), Permits::default());
        permits.insert(ticket(&breaker));
        for number in [0.0, -1.0, 0.5, f64::NAN, f64::INFINITY, 9_007_199_254_740_991.0, 1e300] {
            assert!(!taken(&mut permits, number), "{number}");
        }
        assert_eq!(permits.drain().count(), 1);
    }

    #[test]
    fn numbers_stay_exact_in_a_double() {
        let breaker = breaker();
        let mut permits = Permits { issued: (1 << ISSUED_BITS) - 2, ..Permits::default() };
        let numbers: Vec<f64> = (0..4).map(|_| permits.insert(ticket(&breaker))).collect();
        assert!(numbers.iter().all(|number| *number < 9_007_199_254_740_992.0 && number.fract() == 0.0));
        assert!(numbers.into_iter().all(|number| taken(&mut permits, number)));
    }

    #[test]
    fn a_ticket_that_is_given_back_is_out_again() {
        let (breaker, mut permits) = (breaker(), Permits::default());
        let number = permits.insert(ticket(&breaker));
        assert_eq!(permits.settle(number, || Tick::ZERO, Err), Some(false));
        assert!(taken(&mut permits, number));
    }

    #[test]
    fn a_call_that_never_ends_costs_no_memory_and_a_burst_is_freed() {
        let (breaker, mut permits) = (breaker(), Permits::default());
        let hung = permits.insert(ticket(&breaker));
        for _ in 0..10_000 {
            let number = permits.insert(ticket(&breaker));
            assert!(taken(&mut permits, number));
        }
        assert!(permits.places.capacity() < 16);
        let burst: Vec<f64> = (0..5_000).map(|_| permits.insert(ticket(&breaker))).collect();
        assert!(burst.into_iter().chain([hung]).all(|number| taken(&mut permits, number)));
        assert_eq!(permits.places.capacity(), 0);
    }
}
