//! What no part of a document can know alone: whether it contradicts another. Each line is one of section 5 of
//! docs/semantics.md, where it says what no life of a breaker can have led to.

use super::Snapshot;
use crate::config::{InvalidValue, Value, is_wait};
use crate::control::{Mode, Saved, State};
use alloc::format;

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
        Err(InvalidValue::new(&format!("snapshot.{part}"), value, allowed))
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
            (
                unheld > counts.total_calls,
                ("counters.total_calls", "at least probe_timeouts and shadow_rejected together"),
            ),
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
        let (control, counts) = (&self.control, &self.counts);
        let walked = |from: State, to: State| self.edges[from as usize][to as usize];
        let (opened, reopened) = (walked(State::Closed, State::Open), walked(State::HalfOpen, State::Open));
        let (probed, recovered) = (walked(State::Open, State::HalfOpen), walked(State::HalfOpen, State::Closed));
        let ever_open = control.state == State::Open
            || self.edges.as_flattened().iter().any(|count| *count > 0)
            || counts.rejected_calls > 0
            || counts.shadow_rejected > 0;
        // Slots are taken back only from probes.
        let probing = reopened.saturating_add(recovered).max(counts.probe_timeouts.min(1));
        first([
            (
                ever_open && opened == 0,
                ("transitions.closed>open", "at least 1 where it is open, has been, or turned calls away"),
            ),
            (
                probing > probed,
                (
                    "transitions.open>half_open",
                    "at least as many as leave half_open, and 1 where slots were taken back",
                ),
            ),
            (
                control.state == State::Closed && control.openings > 0 && recovered == 0,
                ("transitions.half_open>closed", "at least 1 where it is closed after openings"),
            ),
            (
                u64::from(control.openings) > opened.saturating_add(reopened),
                ("openings", "at most the transitions to open"),
            ),
        ])
    }
}

impl Saved {
    /// One in the control value alone.
    pub(crate) fn contradiction(&self) -> Option<Contradiction> {
        let is_closed = self.state == State::Closed;
        let is_clean = self.openings == 0;
        let remembers = !is_closed || !is_clean || self.failures > 0;
        let found = first([
            (
                self.mode == Mode::Disabled && remembers,
                ("mode", "another one while it is open, or failures or openings are remembered"),
            ),
            (is_clean != self.last_wait.is_zero(), ("last_wait_nanos", "0 where openings is, and only there")),
            (
                self.resets_in > self.last_wait || self.resets_in.is_zero() == (is_closed && !is_clean),
                ("clean_in_nanos", "1 to last_wait_nanos where closed after openings, else 0"),
            ),
        ]);
        found.or_else(|| self.in_the_wait())
    }

    fn in_the_wait(&self) -> Option<Contradiction> {
        let is_held = self.mode == Mode::ForcedOpen;
        match (self.state, self.wait) {
            (State::Closed, Some(_)) => Some(("wait_nanos", "null while closed")),
            (State::Closed, None) => is_held.then_some(("mode", "another one while closed")),
            (_, None) => (!is_held).then_some(("wait_nanos", "a number, unless forced open without end")),
            (_, Some((chosen, left))) => first([
                (left > chosen, ("left_nanos", "at most wait_nanos")),
                (is_held && left.is_zero(), ("left_nanos", "at least 1 while forced open")),
                (is_held && !is_wait(&chosen), ("wait_nanos", "at most one year while forced open")),
                // What is over may have been an order's, or stand for a round whose probes have not outlived it.
                (
                    !is_held && !left.is_zero() && chosen != self.last_wait,
                    ("wait_nanos", "last_wait_nanos, unless it is over or forced open"),
                ),
            ]),
        }
    }
}
