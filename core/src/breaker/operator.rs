//! An operator's orders. Each takes effect at once, and calls begun before it cannot undo it.

use core::time::Duration;

use super::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::config::{Config, InvalidValue, Rules, wait_argument};
use crate::control::{Control, Transition};
use crate::snapshot::Snapshot;

impl<C: Clock> CircuitBreaker<C> {
    /// Holds the circuit open for `duration`, or until it is reset; a second order renews the first. When the duration
    /// ends, the next call is a probe.
    ///
    /// # Errors
    /// [`InvalidValue`] for a duration of zero or of more than one year.
    pub fn force_open(&self, duration: Option<Duration>) -> Result<(), InvalidValue> {
        let duration = duration.map(|wait| wait_argument("duration_seconds", wait)).transpose()?;
        self.order(|control, _, now| control.force_open(duration, now));
        Ok(())
    }

    /// Closes the circuit and hands it back to the machine; lifetime counters stay.
    pub fn reset(&self) {
        self.order(|control, rules, now| control.reset(rules, now));
    }

    /// Lets every call pass, judging none, until the circuit is reset or forced open.
    pub fn disable(&self) {
        self.order(|control, _, now| control.disable(now));
    }

    /// Puts a whole new configuration in force. State, mode, counters and the running wait stay; thresholds hold from
    /// the next event on; a window whose shape changed starts empty; the name stays, since it identifies the circuit.
    pub fn reconfigure(&self, config: Config) {
        let now = self.hot.clock.now();
        self.change(|inner| inner.reconfigure(*config.rules(), now));
    }

    /// Saves the state of this breaker; a call in flight is saved as cancelled.
    pub fn snapshot(&self) -> Snapshot {
        let now = self.hot.clock.now();
        let inner = self.inner.lock();
        // Read first: the success streak is derived from it and must not exceed the counters.
        let successes = self.counters.current_successes();
        inner.saved(self.counters.read(), successes, now)
    }

    /// Goes on where a snapshot was taken: its state, mode and window take the place of this breaker's own, and its
    /// counts are added. The configuration stays, and calls begun before have no vote any more.
    ///
    /// # Errors
    /// [`InvalidValue`] naming `snapshot.counters` or `snapshot.transitions`, where the sum with this breaker's own is
    /// more than half of what can be told exactly (2⁵³); then nothing has changed.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), InvalidValue> {
        let now = self.hot.clock.now();
        snapshot.check_sums(&self.counts(), self.status().state_transitions)?;
        self.change(|inner| {
            inner.restore(snapshot, now);
            self.counters.restore(&snapshot.counts);
            inner.begin_streak(snapshot.consecutive_successes, self.counters.current_successes());
        });
        Ok(())
    }

    fn order(&self, order: impl FnOnce(Control, &Rules, Tick) -> (Control, Option<Transition>)) {
        let now = self.hot.clock.now();
        self.change(|inner| {
            inner.order(order, now);
            inner.begin_streak(0, self.counters.current_successes());
        });
    }
}
