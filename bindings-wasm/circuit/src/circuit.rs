//! The circuit, its tickets, and its last rejection.

use alloc::vec::Vec;

use halfopen::{CircuitBreaker, Clock, Config, Ending, Jitter, Outcome, Ticket, Tickets};

use crate::Now;
use crate::wire::{self, Writer};

const TIME_IS_NEEDED: f64 = -1.0;
const NO_TICKET: f64 = 0.0;
const SETTLED: f64 = 1.0;

/// A circuit whose permits are numbers. It lives on one thread, and never calls its host.
pub struct Circuit {
    pub(crate) core: CircuitBreaker<Now>,
    tickets: Tickets,
    wait: Option<f64>,
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
                tickets: Tickets::new(),
                wait: None,
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
    pub fn enter(&mut self) -> f64 {
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
    pub fn enter_at(&mut self, millis: f64) -> f64 {
        self.core.clock().tell(millis);
        self.enter_now()
    }

    #[inline]
    fn enter_now(&mut self) -> f64 {
        // Nothing can go wrong any more once a ticket is out.
        self.tickets.reserve();
        match self.core.admit() {
            Ok(ticket) => self.keep(ticket),
            Err(rejected) => {
                self.wait = rejected.retry_after.map(|wait| wait.as_secs_f64());
                -2.0 - f64::from(rejected.reason as u8)
            }
        }
    }

    #[inline]
    fn keep(&mut self, ticket: Ticket) -> f64 {
        // See `id_of`.
        self.tickets.insert(ticket) as i64 as f64
    }

    /// The seconds that the last rejection said to wait; a negative number where nobody can tell.
    pub fn wait(&self) -> f64 {
        self.wait.unwrap_or(-1.0)
    }

    /// Settles a ticket with the outcome of that number in the order of [`Outcome::ALL`]: 1; 0 where there is no such
    /// ticket (any more); −1 where the host has to tell the time with [`settle_at`](Self::settle_at) instead, and then
    /// nothing has changed.
    #[inline]
    pub fn settle(&mut self, ticket: f64, outcome: usize) -> f64 {
        let Some(&outcome) = Outcome::ALL.get(outcome) else { return NO_TICKET };
        match self.tickets.offer(id_of(ticket), |ticket| self.core.settle_untimed(ticket, outcome.into())) {
            None => NO_TICKET,
            Some(true) => SETTLED,
            Some(false) => match self.core.clock() {
                Now::Told(_) => TIME_IS_NEEDED,
                Now::Own(_) => self.settle_now(ticket, outcome),
            },
        }
    }

    /// As [`settle`](Self::settle) at that time, in milliseconds.
    #[inline]
    pub fn settle_at(&mut self, ticket: f64, outcome: usize, millis: f64) -> f64 {
        self.core.clock().tell(millis);
        Outcome::ALL.get(outcome).map_or(NO_TICKET, |outcome| self.settle_now(ticket, *outcome))
    }

    #[inline]
    fn settle_now(&mut self, ticket: f64, outcome: Outcome) -> f64 {
        if self.give_back(ticket, outcome) { SETTLED } else { NO_TICKET }
    }

    /// Settles a ticket now; false where there is no such ticket (any more).
    #[inline]
    pub(crate) fn give_back(&mut self, ticket: f64, ending: impl Into<Ending>) -> bool {
        let settled = self.tickets.offer(id_of(ticket), |ticket| {
            self.core.settle_at(ticket, ending, self.core.clock().now());
            Ok(())
        });
        settled.is_some()
    }
}

/// A ticket's number is below 2^53, and a signed integer is sooner made of a double.
fn id_of(ticket: f64) -> u64 {
    ticket as i64 as u64
}
