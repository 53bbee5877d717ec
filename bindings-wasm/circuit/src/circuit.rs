//! The circuit, its tickets, and its last rejection.

use alloc::vec::Vec;
use core::cell::{Cell, RefCell};

use halfopen::{CircuitBreaker, Clock, Config, Ending, Jitter, Outcome, Ticket, Tickets};

use crate::Now;
use crate::wire::{self, Writer};

const TIME_IS_NEEDED: f64 = -1.0;
const NO_TICKET: f64 = 0.0;
const SETTLED: f64 = 1.0;

/// A circuit whose permits are numbers. It lives on one thread, and never calls its host.
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

    /// Asks for a permit: the number of its ticket; −1 where the host has to tell the time with [`enter_at`](Self::enter_at)
    /// instead, and then nothing has changed; −2, −3 and so on for the reason why the call is rejected, in the order of
    /// [`halfopen::Reason::ALL`].
    #[inline]
    pub fn enter(&self) -> f64 {
        match self.core.clock() {
            Now::Told(_) => self.core.admit_untimed().map_or(TIME_IS_NEEDED, |ticket| self.keep(ticket)),
            Now::Own(_) => self.enter_now(),
        }
    }

    /// Whether [`enter`](Self::enter) and [`settle`](Self::settle) would always have to be told the time, so that a host can
    /// spare itself the question.
    pub fn is_timed(&self) -> bool {
        matches!(self.core.clock(), Now::Told(_)) && self.core.times_calls()
    }

    /// As [`enter`](Self::enter) at that time, in milliseconds.
    #[inline]
    pub fn enter_at(&self, millis: f64) -> f64 {
        self.core.clock().tell(millis);
        self.enter_now()
    }

    #[inline]
    fn enter_now(&self) -> f64 {
        match self.core.admit() {
            Ok(ticket) => self.keep(ticket),
            Err(rejected) => {
                self.wait.set(rejected.retry_after.map(|wait| wait.as_secs_f64()));
                -2.0 - f64::from(rejected.reason as u8)
            }
        }
    }

    #[inline]
    fn keep(&self, ticket: Ticket) -> f64 {
        // See `id_of`.
        self.tickets.borrow_mut().insert(ticket) as i64 as f64
    }

    /// The seconds that the last rejection said to wait; a negative number where nobody can tell.
    pub fn wait(&self) -> f64 {
        self.wait.get().unwrap_or(-1.0)
    }

    /// Settles a ticket with the outcome of that number in the order of [`Outcome::ALL`]: 1; 0 where there is no such
    /// ticket (any more); −1 where the host has to tell the time with [`settle_at`](Self::settle_at) instead, and then
    /// nothing has changed.
    #[inline]
    pub fn settle(&self, ticket: f64, outcome: usize) -> f64 {
        let Some(&outcome) = Outcome::ALL.get(outcome) else { return NO_TICKET };
        let Some(taken) = self.take(ticket) else { return NO_TICKET };
        let Err(taken) = self.core.settle_untimed(taken, outcome.into()) else { return SETTLED };
        match self.core.clock() {
            Now::Told(_) => {
                self.tickets.borrow_mut().put_back(id_of(ticket), taken);
                TIME_IS_NEEDED
            }
            Now::Own(read) => {
                self.core.settle_at(taken, outcome, read());
                SETTLED
            }
        }
    }

    /// As [`settle`](Self::settle) at that time, in milliseconds.
    #[inline]
    pub fn settle_at(&self, ticket: f64, outcome: usize, millis: f64) -> f64 {
        self.core.clock().tell(millis);
        match Outcome::ALL.get(outcome) {
            Some(&outcome) if self.give_back(ticket, outcome) => SETTLED,
            _ => NO_TICKET,
        }
    }

    /// Settles a ticket now; false where there is no such ticket (any more).
    #[inline]
    pub(crate) fn give_back(&self, ticket: f64, ending: impl Into<Ending>) -> bool {
        let taken = self.take(ticket);
        taken.map(|ticket| self.core.settle_at(ticket, ending, self.core.clock().now())).is_some()
    }

    #[inline]
    fn take(&self, ticket: f64) -> Option<Ticket> {
        self.tickets.borrow_mut().take(id_of(ticket))
    }
}

/// A ticket's number is below 2^53, and a signed integer is sooner made of a double.
fn id_of(ticket: f64) -> u64 {
    ticket as i64 as u64
}
