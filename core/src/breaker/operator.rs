//! The operator's operations. Each takes effect at once, and calls that began before cannot undo it.

use core::time::Duration;

use super::CircuitBreaker;
use crate::clock::{Clock, Tick};
use crate::config::{Config, InvalidValue, Rules, wait_argument};
use crate::control::{Control, Transition};
use crate::random::random_jitter;
use crate::snapshot::Snapshot;

impl<C: Clock> CircuitBreaker<C> {
    /// Forces the circuit open for `duration`, or until it is reset. Calling it again replaces the duration. After the
    /// duration the next call is a probe.
    ///
    /// # Errors
    /// [`InvalidValue`] for a duration of zero or of more than one year.
    pub fn force_open(&self, duration: Option<Duration>) -> Result<(), InvalidValue> {
        let duration = duration.map(|wait| wait_argument("duration_seconds", wait)).transpose()?;
        self.operate(|control, _, now| control.force_open(duration, now));
        Ok(())
    }

    /// Closes the circuit in its configured mode. Lifetime counters stay.
    pub fn reset(&self) {
        self.operate(|control, rules, now| control.reset(rules, now));
    }

    /// Lets every call pass, without evaluating outcomes, until the circuit is reset or forced open.
    pub fn disable(&self) {
        self.operate(|control, _, now| control.disable(now));
    }

    /// Replaces the configuration. State, mode, counters, the running wait and the name stay. Thresholds apply from the next
    /// event on. A window whose shape changed starts empty.
    pub fn reconfigure(&self, config: Config) {
        let (now, drawn) = (self.hot.clock.now(), random_jitter());
        self.change(|inner| {
            inner.reconfigure(*config.rules(), drawn, now);
            inner.forget_calls(self.newest_group());
        });
    }

    /// Saves the state of this breaker; a call in flight is saved as cancelled.
    pub fn snapshot(&self) -> Snapshot {
        let now = self.hot.clock.now();
        let inner = self.inner.lock();
        // Read first: the success streak is derived from it and must not exceed the counters.
        let successes = self.counters.current_successes();
        inner.saved(self.counters.read(), successes, now)
    }

    /// Restores a snapshot: its state, mode and window replace those of this breaker, and its counts are added. The
    /// configuration stays, and calls in flight lose their vote.
    ///
    /// # Errors
    /// [`InvalidValue`] naming `snapshot.counters` or `snapshot.transitions`, if the sum with this breaker's own counts
    /// exceeds half of 2⁵³, the largest number that every JSON library reads exactly. Nothing has changed then.
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

    fn operate(&self, operation: impl FnOnce(Control, &Rules, Tick) -> (Control, Option<Transition>)) {
        let now = self.hot.clock.now();
        self.change(|inner| {
            inner.operate(operation, now);
            inner.begin_streak(0, self.counters.current_successes());
        });
    }
}
