//! Tickets as plain integers, for hosts across whose border only numbers are cheap.

use alloc::vec;
use alloc::vec::Vec;

use super::Ticket;
use super::counters::Lane;
use super::permit::Start;
use crate::control::Stamp;

/// The tickets that a host has out, each under an integer below 2^53, so that a double holds it exactly.
///
/// No integer is handed out twice, so one that was taken never finds another call's ticket.
///
/// ```
/// use halfopen::{CircuitBreaker, Config, ManualClock, Outcome, Tickets};
///
/// let breaker = CircuitBreaker::with_clock(Config::default(), ManualClock::new());
/// let mut tickets = Tickets::new();
/// let id = tickets.insert(breaker.admit().unwrap());
///
/// breaker.settle(tickets.take(id).unwrap(), Outcome::Success);
/// assert!(tickets.take(id).is_none());
/// ```
#[derive(Debug, Default)]
pub struct Tickets {
    /// As many as a power of two, or none. The ticket `id` lies in slot `id % slots`; what is left of the id is the
    /// slot's sequence number, which grows each time the ids have gone once around.
    slots: Vec<Slot>,
    held: usize,
    next: u64,
}

/// A place for a ticket, in its parts: it is one of many that are written and read in passing.
#[derive(Clone, Copy, Debug)]
struct Slot {
    /// Whose place it is; [`NOBODY`] where it is free, and then the rest says nothing.
    id: u64,
    stamp: Stamp,
    start: Start,
    lane: Lane,
}

/// No ticket's integer.
const NOBODY: u64 = u64::MAX;
/// The first integer that a double cannot tell from its neighbour.
const ID_LIMIT: u64 = 1 << 53;
const FIRST_SLOTS: usize = 8;
/// A table that a burst made longer than this is let go when its last ticket comes back.
const KEPT_SLOTS: usize = 1024;

impl Slot {
    fn free() -> Self {
        Self { id: NOBODY, stamp: Stamp::closed(0), start: Start::UNTIMED, lane: Lane::default() }
    }
}

impl Tickets {
    /// No tickets.
    pub const fn new() -> Self {
        Self { slots: Vec::new(), held: 0, next: 0 }
    }

    /// Makes room for one more, for a host that wants to be out of the reach of failures when it has a ticket in hand.
    #[inline]
    pub fn reserve(&mut self) {
        if self.held >= self.slots.len() / 2 {
            self.grow();
        }
    }

    /// Keeps `ticket` until its integer, which this returns, is [taken](Self::take).
    #[inline]
    pub fn insert(&mut self, ticket: Ticket) -> u64 {
        self.reserve();
        let Ticket { stamp, start, lane } = ticket;
        // At most half of the slots are full, so once around passes at least as many free ones as full ones: a slot is
        // found, and after few steps on average, whichever calls are the long ones.
        loop {
            let id = self.next;
            self.next = (id + 1) % ID_LIMIT;
            let slot = self.slot(id);
            let slot = &mut self.slots[slot];
            if slot.id == NOBODY {
                *slot = Slot { id, stamp, start, lane };
                self.held += 1;
                return id;
            }
        }
    }

    /// Hands back the ticket kept under `id`; `None` where it was taken before, or there never was one.
    #[inline]
    pub fn take(&mut self, id: u64) -> Option<Ticket> {
        let mut taken = None;
        self.offer(id, |ticket| {
            taken = Some(ticket);
            Ok(())
        });
        taken
    }

    /// Offers the ticket kept under `id` to `taker`, which says whether it took it: true, or false where that gave it back
    /// and it goes on being kept; `None` where it was taken before, or there never was one.
    ///
    /// The ticket's place is free only when `taker` has returned, so one that never does loses nothing.
    #[inline]
    pub fn offer(&mut self, id: u64, taker: impl FnOnce(Ticket) -> Result<(), Ticket>) -> Option<bool> {
        let index = self.slot(id);
        let slot = self.slots.get_mut(index).filter(|slot| slot.id == id && id != NOBODY)?;
        let Slot { stamp, start, lane, .. } = *slot;
        if taker(Ticket { stamp, start, lane }).is_err() {
            return Some(false);
        }
        slot.id = NOBODY;
        self.held -= 1;
        if self.held == 0 && self.slots.len() > KEPT_SLOTS {
            self.slots = Vec::new();
        }
        Some(true)
    }

    /// How many tickets are out.
    pub fn len(&self) -> usize {
        self.held
    }

    /// Whether none is out.
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    fn slot(&self, id: u64) -> usize {
        // The length is a power of two or zero: the mask is within the length, and what `as` cuts off lies above it.
        id as usize & self.slots.len().wrapping_sub(1)
    }

    /// Doubles the slots. Two ids that differ below the old length differ below the new one, so none collide.
    #[cold]
    #[inline(never)]
    fn grow(&mut self) {
        let length = (self.slots.len() * 2).max(FIRST_SLOTS);
        let old = core::mem::replace(&mut self.slots, vec![Slot::free(); length]);
        for held in old.into_iter().filter(|slot| slot.id != NOBODY) {
            let slot = self.slot(held.id);
            self.slots[slot] = held;
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::{CircuitBreaker, Config, ManualClock, Outcome, Tick};

    fn breaker() -> CircuitBreaker<ManualClock> {
        CircuitBreaker::with_clock(Config::default(), ManualClock::new())
    }

    /// A ticket that can be told from others by its start.
    fn ticket(breaker: &CircuitBreaker<ManualClock>, started: u64) -> Ticket {
        breaker.clock().set(Tick::from_nanos(started));
        breaker.admit().unwrap()
    }

    #[test]
    fn an_id_works_once_even_when_its_slot_is_used_again() {
        let breaker = breaker();
        let mut tickets = Tickets::new();
        let first = tickets.insert(ticket(&breaker, 0));
        breaker.settle(tickets.take(first).unwrap(), Outcome::Success);
        for round in 1..=100 {
            let id = tickets.insert(ticket(&breaker, round));
            assert_ne!(id, first);
            assert!(tickets.take(first).is_none());
            assert_eq!(tickets.take(id).unwrap().start.nanos(), round);
        }
        assert!(tickets.is_empty());
    }

    #[test]
    fn no_id_is_a_panic() {
        let mut tickets = Tickets::new();
        for id in [0, 1, 7, 8, ID_LIMIT - 1, ID_LIMIT, u64::MAX] {
            assert!(tickets.take(id).is_none());
        }
        tickets.insert(ticket(&breaker(), 0));
        for id in [1, 7, 8, ID_LIMIT - 1, ID_LIMIT, u64::MAX] {
            assert!(tickets.take(id).is_none());
        }
        assert_eq!(tickets.len(), 1);
    }

    #[test]
    fn ids_stay_exact_in_a_double() {
        let breaker = breaker();
        let mut tickets = Tickets { next: ID_LIMIT - 2, ..Tickets::new() };
        let ids: Vec<u64> = (0..4).map(|n| tickets.insert(ticket(&breaker, n))).collect();
        assert_eq!(ids, [ID_LIMIT - 2, ID_LIMIT - 1, 0, 1]);
        for (n, id) in ids.into_iter().enumerate() {
            assert_eq!(tickets.take(id as f64 as u64).unwrap().start.nanos(), n as u64);
        }
    }

    #[test]
    fn one_call_that_never_ends_costs_no_memory() {
        let breaker = breaker();
        let mut tickets = Tickets::new();
        let hung = tickets.insert(ticket(&breaker, 42));
        for n in 0..10_000 {
            let id = tickets.insert(ticket(&breaker, n));
            assert!(tickets.take(id).is_some());
        }
        assert_eq!(tickets.slots.len(), FIRST_SLOTS);
        assert_eq!(tickets.take(hung).unwrap().start.nanos(), 42);
    }

    #[test]
    fn the_table_of_a_burst_is_let_go() {
        let breaker = breaker();
        let mut tickets = Tickets::new();
        let ids: Vec<u64> = (0..5_000).map(|n| tickets.insert(ticket(&breaker, n))).collect();
        for (n, id) in ids.iter().enumerate() {
            assert_eq!(tickets.take(*id).unwrap().start.nanos(), n as u64);
        }
        assert!(tickets.slots.is_empty());
        let id = tickets.insert(ticket(&breaker, 0));
        assert!(!ids.contains(&id) && tickets.take(id).is_some());
    }

    #[test]
    fn a_table_of_common_length_is_kept() {
        let breaker = breaker();
        let mut tickets = Tickets::new();
        for (burst, kept) in [(KEPT_SLOTS / 2, KEPT_SLOTS), (KEPT_SLOTS / 2 + 1, 0)] {
            let ids: Vec<u64> = (0..burst).map(|_| tickets.insert(ticket(&breaker, 0))).collect();
            assert_eq!((tickets.len(), tickets.is_empty()), (burst, false));
            for id in ids {
                assert!(tickets.take(id).is_some());
            }
            assert_eq!(tickets.slots.len(), kept, "after {burst} calls at once");
        }
    }

    #[test]
    fn a_ticket_that_nobody_takes_is_found_again() {
        let breaker = breaker();
        let mut tickets = Tickets::new();
        let ids: Vec<u64> = (0..2_000).map(|n| tickets.insert(ticket(&breaker, n))).collect();
        for (n, id) in ids.into_iter().enumerate() {
            assert_eq!(tickets.offer(id, Err), Some(false));
            assert_eq!(tickets.take(id).unwrap().start.nanos(), n as u64);
            assert_eq!(tickets.offer(id, Err), None);
        }
        assert!(tickets.is_empty());
    }

    proptest! {
        #[test]
        fn as_a_map_that_never_uses_a_key_twice(
            steps in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 1..400)
        ) {
            let breaker = breaker();
            let (mut tickets, mut map, mut ever) = (Tickets::new(), BTreeMap::new(), Vec::new());
            for (n, (insert, index)) in steps.into_iter().enumerate() {
                if insert || ever.is_empty() {
                    let id = tickets.insert(ticket(&breaker, n as u64));
                    prop_assert!(!ever.contains(&id));
                    ever.push(id);
                    map.insert(id, n as u64);
                } else {
                    let id = *index.get(&ever);
                    prop_assert_eq!(tickets.take(id).map(|ticket| ticket.start.nanos()), map.remove(&id));
                }
                prop_assert_eq!(tickets.len(), map.len());
            }
        }
    }
}
