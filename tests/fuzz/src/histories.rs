//! Histories: any events in any order, on any accepted configuration and a clock that may jump anywhere.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use halfopen::{CircuitBreaker, Clock, Config, Ending, ManualClock, Outcome, Snapshot, State, Tick, Ticket};

use crate::{Field, Hostile};

/// What happens to a breaker.
#[derive(Arbitrary, Clone, Debug)]
pub enum Act {
    /// A call begins.
    Acquire,
    /// A call in flight ends, perhaps with a hint.
    Settle(u8, u8, Option<Hostile>),
    /// Time passes, in milliseconds.
    Advance(u16),
    /// The clock jumps.
    StepTo(u64),
    /// An operator forces it open.
    ForceOpen(Hostile),
    /// An operator disables it.
    Disable,
    /// An operator resets it.
    Reset,
    /// A new configuration.
    Reconfigure(Vec<Field>),
    /// Its state goes into a breaker that takes its place.
    Restart,
}

/// A breaker with the calls that are in flight.
pub struct Session {
    pub(crate) breaker: CircuitBreaker<ManualClock>,
    tickets: Vec<Ticket>,
    latest: Tick,
}

/// Makes a configuration and a history of the bytes, and looks at the breaker after each step.
pub fn check(bytes: &[u8]) {
    let mut bytes = Unstructured::new(bytes);
    let Ok(mut session) = Session::arbitrary(&mut bytes) else { return };
    while !bytes.is_empty() {
        let Ok(act) = bytes.arbitrary::<Act>() else { return };
        session.act(act);
        session.is_sound();
    }
    session.admits_in_time();
}

impl Session {
    pub(crate) fn arbitrary(bytes: &mut Unstructured<'_>) -> arbitrary::Result<Self> {
        let config = config(&bytes.arbitrary::<Vec<Field>>()?).unwrap_or_default();
        Ok(Self::of(CircuitBreaker::with_clock(config, ManualClock::new())))
    }

    /// A breaker that nobody calls just now.
    pub(crate) fn of(breaker: CircuitBreaker<ManualClock>) -> Self {
        Self { breaker, tickets: Vec::new(), latest: Tick::ZERO }
    }

    pub(crate) fn act(&mut self, act: Act) {
        self.latest = self.latest.max(self.breaker.clock().now());
        let breaker = &self.breaker;
        match act {
            Act::Acquire => self.tickets.extend(breaker.admit()),
            Act::Settle(which, how, hint) => self.settle(which, how, hint),
            Act::Advance(millis) => breaker.clock().advance(Duration::from_millis(millis.into())),
            Act::StepTo(nanos) => breaker.clock().set(Tick::from_nanos(nanos)),
            Act::ForceOpen(Hostile(seconds)) => {
                let before = breaker.status();
                if breaker.force_open_seconds(&seconds).is_err() {
                    assert_eq!(breaker.status(), before, "what is refused changes nothing");
                }
            }
            Act::Disable => breaker.disable(),
            Act::Reset => breaker.reset(),
            Act::Reconfigure(fields) => {
                if let Some(config) = config(&fields) {
                    breaker.reconfigure(config);
                }
            }
            Act::Restart => self.restart(),
        }
    }

    fn settle(&mut self, which: u8, how: u8, hint: Option<Hostile>) {
        if self.tickets.is_empty() {
            return;
        }
        let ticket = self.tickets.swap_remove(usize::from(which) % self.tickets.len());
        let outcome = Outcome::ALL[usize::from(how) % Outcome::ALL.len()];
        let ending = hint.and_then(|Hostile(hint)| Ending::with_hint(outcome, &hint).ok());
        self.breaker.settle(ticket, ending.unwrap_or_else(|| outcome.into()));
    }

    fn restart(&mut self) {
        let snapshot = self.breaker.snapshot();
        assert_eq!(Snapshot::from_value(&snapshot.to_value()).as_ref(), Ok(&snapshot), "what was written is read");
        let next = CircuitBreaker::with_clock(self.breaker.config(), self.breaker.clock().clone());
        next.restore(&snapshot).expect("a breaker restores its own snapshot");
        assert_eq!(next.state(), self.breaker.state());
        // The calls in flight were saved as cancelled: nobody settles them in the new breaker.
        self.tickets.clear();
        self.breaker = next;
    }

    /// What holds at any time.
    pub(crate) fn is_sound(&self) {
        let status = self.breaker.status();
        let counts = status.counts;
        assert_eq!(counts.in_flight, self.tickets.len() as u64);
        let ended = counts.successful_calls + counts.failed_calls + counts.ignored_calls + counts.cancelled_calls;
        assert_eq!(counts.total_calls, ended + counts.in_flight);
        assert!(status.consecutive_failures == 0 || status.consecutive_successes == 0);
        assert!(status.retry_after.is_none_or(|left| !left.is_zero()));
        assert!((0.0..=100.0).contains(&status.success_rate()));
        let edges: u64 = self.breaker.edges().iter().map(|edge| edge.count).sum();
        assert_eq!(edges, status.state_transitions);
        assert!(!self.breaker.explain().is_empty());
    }

    /// Unless an operator holds it open without end, a wait and the patience with its probes bring a call through.
    fn admits_in_time(&mut self) {
        let years = Duration::from_secs(2 * 366 * 24 * 3600);
        // Deadlines do not move when the clock steps back, so time has to pass the latest that it ever told.
        self.latest = self.latest.max(self.breaker.clock().now());
        if self.latest.as_nanos() > u64::MAX / 2 {
            return; // The clock has no such time left.
        }
        for wait in [years, 2 * years] {
            self.breaker.clock().set(self.latest.after(wait));
            if self.breaker.admit().is_ok() {
                return;
            }
        }
        let status = self.breaker.status();
        assert!(status.state == State::Open && status.retry_after.is_none(), "stuck: {status:?}");
    }
}

fn config(fields: &[Field]) -> Option<Config> {
    fields.iter().fold(Config::builder(), |builder, Field(name, value)| builder.set(name, value.clone())).build().ok()
}
