//! What no part of a document can know alone: whether it contradicts another. Each line is one of section 5 of
//! docs/semantics.md, where it says what no life of a breaker can have led to.

use core::time::Duration;

use super::Snapshot;
use crate::config::{InvalidValue, Value};
use crate::control::{Mode, Saved, State};
use crate::text::joined;

/// The part that is named, and what the other parts would allow it to say.
type Contradiction = (&'static str, &'static str);

/// The first of them that is one.
fn first<const N: usize>(lines: [(bool, Contradiction); N]) -> Option<Contradiction> {
    lines.into_iter().find_map(|(is_one, contradiction)| is_one.then_some(contradiction))
}

impl Snapshot {
    /// Whether what was read of `document` can be true.
    ///
    /// # Errors
    /// [`InvalidValue`] naming the first part that contradicts another.
    pub(super) fn check(&self, document: &Value) -> Result<(), InvalidValue> {
        let found = self.in_counters().or_else(|| self.control.contradiction()).or_else(|| self.in_transitions());
        let Some((part, allowed)) = found else { return Ok(()) };
        let value = part.split('.').try_fold(document, |value, name| value.entry(name)).unwrap_or(document);
        Err(InvalidValue::new(&joined(&["snapshot.", part]), value, allowed))
    }

    fn in_counters(&self) -> Option<Contradiction> {
        let (control, counts, window) = (&self.control, &self.counts, self.window.counts());
        let (failures, successes) = (u64::from(control.failures), self.consecutive_successes);
        let ended: u64 =
            [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls].iter().sum();
        let judged = counts.successful_calls + counts.failed_calls;
        // A slow probe opens the circuit as a failure does, and is counted as the success that it is.
        let failing = counts.failed_calls.max(counts.slow_calls.min(1));
        let succeeding = if failures > 0 || control.state == State::Open { 0 } else { counts.successful_calls };
        let unheld = counts.probe_timeouts + counts.shadow_rejected;
        let remembers = successes > 0 || window.calls > 0;
        let uncounted = window.failed > counts.failed_calls
            || window.calls - window.failed > counts.successful_calls
            || window.slow > counts.slow_calls;
        first([
            (counts.total_calls != ended, ("counters.total_calls", "the sum of how the calls ended")),
            (counts.slow_calls > judged, ("counters.slow_calls", "at most the calls that succeeded or failed")),
            (unheld > counts.total_calls, ("counters.probe_timeouts", "with shadow_rejected at most total_calls")),
            (failures > failing, ("consecutive_failures", "at most what was counted")),
            (
                successes > succeeding,
                ("consecutive_successes", "at most what was counted, and 0 while open or after a failure"),
            ),
            (uncounted, ("window", "at most what was counted")),
            (control.mode == Mode::Disabled && remembers, ("mode", "another one while a streak or window is kept")),
        ])
    }

    fn in_transitions(&self) -> Option<Contradiction> {
        let count = |from: State, to: State| self.edges[from as usize][to as usize];
        let opened = count(State::Closed, State::Open);
        let reopened = count(State::HalfOpen, State::Open);
        let left = reopened.saturating_add(count(State::HalfOpen, State::Closed));
        let moved = self.control.state == State::Open || self.edges.as_flattened().iter().any(|count| *count > 0);
        let entered = opened.saturating_add(reopened);
        first([
            (opened == 0 && moved, ("transitions.closed>open", "at least 1 where it is open or has ever been")),
            (
                left > count(State::Open, State::HalfOpen),
                ("transitions.open>half_open", "at least as many as leave half_open"),
            ),
            (u64::from(self.control.openings) > entered, ("openings", "at most the transitions to open")),
        ])
    }
}

impl Saved {
    /// One in the control value alone.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        let is_closed = self.state == State::Closed;
        let is_clean = self.openings == 0;
        let remembers = !is_closed || !is_clean || self.failures > 0;
        first([
            (
                self.mode == Mode::Disabled && remembers,
                ("mode", "another one while it is open, or failures or openings are remembered"),
            ),
            (
                !self.has_a_wait_that_fits(),
                ("wait_nanos", "null where closed or held without end, else the last wait, or an order's"),
            ),
            (is_clean != self.last_wait.is_zero(), ("last_wait_nanos", "0 where openings is, and only there")),
            (
                self.clean_in > self.last_wait || self.clean_in.is_zero() == (is_closed && !is_clean),
                ("clean_in_nanos", "1 to last_wait_nanos where closed after openings, else 0"),
            ),
        ])
    }

    fn has_a_wait_that_fits(&self) -> bool {
        let is_held = self.mode == Mode::ForcedOpen;
        match (self.state, self.wait) {
            (State::Closed, wait) => wait.is_none() && !is_held,
            (_, None) => is_held,
            // What is over may have been a timed order's, or stand for a round whose probes have not outlived it.
            (_, Some((_, Duration::ZERO))) => !is_held,
            (_, Some((chosen, left))) => left <= chosen && (is_held || chosen == self.last_wait),
        }
    }
}
