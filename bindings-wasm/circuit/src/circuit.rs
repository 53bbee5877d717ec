//! The circuit, its tickets, and its last rejection.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use halfopen::{CircuitBreaker, Clock, Config, Ending, Jitter, Outcome, Tickets};

use crate::Now;
use crate::wire::{self, Writer};

/// A circuit whose permits are numbers. It lives on one thread; its clock may call into it.
pub struct Circuit {
    pub(crate) core: CircuitBreaker<Now>,
    // Borrowed for single statements that run no host code, so never twice.
    tickets: RefCell<Tickets>,
    wait: Cell<Option<f64>>,
}

impl Circuit {
    /// A closed circuit of the fields that `request` maps to values; otherwise the refusal of a bad one, in bytes.
    ///
    /// # Errors
    /// The answer that tells of the refusal.
    pub fn create(request: &[u8], clock: Now, jitter: Jitter) -> Result<Self, Vec<u8>> {
        match Config::from_value(&wire::read(request)) {
            Ok(config) => Ok(Self {
                core: CircuitBreaker::with_jitter(config, clock, jitter),
                tickets: RefCell::default(),
                wait: Cell::default(),
            }),
            Err(error) => {
                let mut writer = Writer::new();
                writer.refusal(&error);
                Err(writer.answer())
            }
        }
    }

    /// Asks for a permit: the number of its ticket, or −1, −2 and so on for the reason why it is rejected, in the order
    /// of [`halfopen::Reason::ALL`].
    #[inline]
    pub fn enter(&self) -> f64 {
        match self.core.admit() {
            // Below 2^53, and a signed integer is sooner a double.
            Ok(ticket) => self.tickets.borrow_mut().insert(ticket) as i64 as f64,
            Err(rejected) => {
                self.wait.set(rejected.retry_after.map(|wait| wait.as_secs_f64()));
                -1.0 - f64::from(rejected.reason as u8)
            }
        }
    }

    /// The seconds that the last rejection said to wait; a negative number where nobody can tell.
    pub fn wait(&self) -> f64 {
        self.wait.get().unwrap_or(-1.0)
    }

    /// Settles a ticket with the outcome of that number in the order of [`Outcome::ALL`]; false where there is no such
    /// ticket (any more).
    #[inline]
    pub fn settle(&self, ticket: f64, outcome: usize) -> bool {
        Outcome::ALL.get(outcome).is_some_and(|outcome| self.give_back(ticket, *outcome))
    }

    #[inline]
    pub(crate) fn give_back(&self, id: f64, ending: impl Into<Ending>) -> bool {
        let (id, ending) = (id as i64 as u64, ending.into());
        let Some(ticket) = self.tickets.borrow_mut().take(id) else { return false };
        let Err(ticket) = self.core.settle_untimed(ticket, ending) else { return true };
        self.tickets.borrow_mut().put_back(id, ticket);
        self.give_back_now(id, ending)
    }

    /// The clock is read while the ticket is at its place: what it runs may throw, and may settle the same ticket.
    #[inline(never)]
    fn give_back_now(&self, id: u64, ending: Ending) -> bool {
        let now = self.core.clock().now();
        let taken = self.tickets.borrow_mut().take(id);
        taken.map(|ticket| self.core.settle_at(ticket, ending, now)).is_some()
    }
}
