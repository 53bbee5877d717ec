//! What no part of a document can know alone: whether it contradicts another. Each line is one of section 5 of
//! docs/semantics.md, where it says what no life of a breaker can have led to.

use core::time::Duration;

use super::Snapshot;
use super::document::nanos;
use crate::config::{InvalidValue, Value};
use crate::control::{Mode, Saved, State};
use crate::text::joined;

/// Whether it is one, the part that is named, what it says, and what the other parts would allow it to say.
pub(crate) type Contradiction = (bool, &'static str, Value, &'static str);

impl Snapshot {
    /// # Errors
    /// [`InvalidValue`] naming the first part that contradicts another.
    pub(super) fn check(&self) -> Result<(), InvalidValue> {
        let mut all = self.in_counters().into_iter().chain(self.control.contradictions()).chain(self.in_transitions());
        match all.find(|(is_one, ..)| *is_one) {
            Some((_, part, value, allowed)) => Err(InvalidValue::new(&joined(&["snapshot.", part]), &value, allowed)),
            None => Ok(()),
        }
    }

    fn in_counters(&self) -> [Contradiction; 9] {
        let (control, counts, window) = (&self.control, &self.counts, self.window.counts());
        let (failures, successes) = (u64::from(control.failures), self.consecutive_successes);
        let ended: u64 =
            [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls].iter().sum();
        let judged = counts.successful_calls + counts.failed_calls;
        // A slow probe opens the circuit as a failure does, and is counted as the success that it is.
        let failing = counts.failed_calls.max(counts.slow_calls.min(1));
        let succeeding = if failures > 0 || control.state == State::Open { 0 } else { counts.successful_calls };
        let unheld = counts.probe_timeouts + counts.shadow_rejected;
        [
            (
                counts.total_calls != ended,
                "counters.total_calls",
                counts.total_calls.into(),
                "the sum of how the calls ended",
            ),
            (
                counts.slow_calls > judged,
                "counters.slow_calls",
                counts.slow_calls.into(),
                "at most as many as ended in success or failure",
            ),
            (
                unheld > counts.total_calls,
                "counters.probe_timeouts",
                counts.probe_timeouts.into(),
                "together with shadow_rejected at most total_calls",
            ),
            (failures > failing, "consecutive_failures", failures.into(), "at most as many as were counted"),
            (
                successes > succeeding,
                "consecutive_successes",
                successes.into(),
                "at most as many as were counted, and 0 while there are failures or while open",
            ),
            (window.failed > counts.failed_calls, "window", window.failed.into(), "no more failures than were counted"),
            (
                window.calls - window.failed > counts.successful_calls,
                "window",
                window.calls.into(),
                "no more successes than were counted",
            ),
            (window.slow > counts.slow_calls, "window", window.slow.into(), "no more slow calls than were counted"),
            (
                control.mode == Mode::Disabled && (successes > 0 || window.calls > 0),
                "mode",
                control.mode.as_str().into(),
                "another one while there is a streak or a call in the window",
            ),
        ]
    }

    fn in_transitions(&self) -> [Contradiction; 3] {
        let count = |from: State, to: State| self.edges[from as usize][to as usize];
        let first = count(State::Closed, State::Open);
        let entries_to_half_open = count(State::Open, State::HalfOpen);
        let reopened = count(State::HalfOpen, State::Open);
        let moved = self.control.state == State::Open || self.edges.as_flattened().iter().any(|count| *count > 0);
        [
            (
                first == 0 && moved,
                "transitions.closed>open",
                first.into(),
                "at least 1 where there are others or it is open",
            ),
            (
                reopened.saturating_add(count(State::HalfOpen, State::Closed)) > entries_to_half_open,
                "transitions.open>half_open",
                entries_to_half_open.into(),
                "at least as many as leave half_open",
            ),
            (
                u64::from(self.control.openings) > first.saturating_add(reopened),
                "openings",
                self.control.openings.into(),
                "at most as many as the transitions to open",
            ),
        ]
    }
}

impl Saved {
    /// Those in the control value alone.
    pub(crate) fn contradictions(&self) -> [Contradiction; 4] {
        let is_closed = self.state == State::Closed;
        let is_clean = self.openings == 0;
        [
            (
                self.mode == Mode::Disabled && !(is_closed && is_clean && self.failures == 0),
                "mode",
                self.mode.as_str().into(),
                "another one while it is open, or failures or openings in a row are remembered",
            ),
            (
                !self.has_a_wait_that_fits(),
                "wait_nanos",
                self.wait.map(|(chosen, _)| nanos(chosen)).into(),
                "null where it is closed or held without end, elsewhere the last wait or that of a timed order",
            ),
            (
                is_clean != self.last_wait.is_zero(),
                "last_wait_nanos",
                nanos(self.last_wait).into(),
                "0 where there are no openings in a row, and only there",
            ),
            (
                self.clean_in > self.last_wait || self.clean_in.is_zero() == (is_closed && !is_clean),
                "clean_in_nanos",
                nanos(self.clean_in).into(),
                "1 to last_wait_nanos where it is closed after openings in a row, elsewhere 0",
            ),
        ]
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
