//! The state behind the lock: the control value and the evidence that changes with it.

use alloc::boxed::Box;
use core::time::Duration;

use crate::clock::Tick;
use crate::config::Rules;
use crate::control::{Admission, Cause, Control, Jitter, Outcome, Stamp, State, Transition};
use crate::evidence::{Call, CallGroups, Counts, Durations, GroupNumber, History, NewestGroup, Window};
use crate::random::random_jitter;
use crate::snapshot::Snapshot;

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) control: Control,
    pub(super) rules: Rules,
    pub(super) history: History,
    pub(super) window: Window,
    /// Created with the first failure whose duration is recorded: most breakers never see one.
    failure_durations: Option<Box<Durations>>,
    /// Created with the first stream or the first call that is tracked.
    rare: Option<Box<Rare>>,
    /// The number of current successes when the success streak of a closed circuit began. Successes that change nothing
    /// do not take the lock, so the streak is the difference to their counter. Wraps if a restored streak is longer than
    /// the counter.
    streak_base: u64,
    /// Permits of older generations belong to the process that this one was forked from.
    first_own_generation: u64,
    /// Whether the seed of the jitter has to be drawn when the rules spread waits. Drawing is a system call, which takes as
    /// long as the rest of creating a breaker (380 ns), and most breakers need no seed.
    draws_seed: bool,
}

/// Evidence that most breakers do not have. A failure must not need it: with `last_failure` in a box, failures of two
/// threads took a fifth longer.
#[derive(Debug, Default)]
struct Rare {
    /// The times to the first item of streams.
    first_items: Durations,
    /// Created with the first call that is tracked, and kept, because the number of a group must never be used again.
    groups: Option<CallGroups>,
}

/// How a settle was counted.
pub(super) struct Settled {
    pub(super) outcome: Outcome,
    pub(super) slow: bool,
    /// Whether it was current.
    pub(super) current: bool,
}

impl Settled {
    /// A call that shares another one's permit, or belongs to the parent of this process.
    pub(super) const NOT_COUNTED: Self = Self { outcome: Outcome::Ignored, slow: false, current: false };
}

impl Inner {
    /// Without a jitter, its seed is drawn when it is needed.
    pub(super) fn new(rules: Rules, jitter: Option<Jitter>) -> Self {
        let draws_seed = jitter.is_none() && !rules.spreads_waits();
        let jitter = jitter.unwrap_or_else(|| if draws_seed { Jitter { seed: 0 } } else { random_jitter() });
        Self {
            control: Control::new(&rules, jitter),
            draws_seed,
            window: Window::new(&rules),
            rules,
            history: History::default(),
            failure_durations: None,
            rare: None,
            streak_base: 0,
            first_own_generation: 0,
        }
    }

    pub(super) fn acquire(&mut self, now: Tick) -> Admission {
        let (next, admission) = self.control.acquire(&self.rules, now);
        if let Admission::Admitted { transition, .. } = admission {
            self.replace(next, transition, now);
        }
        admission
    }

    /// Opens the circuit if a rate is reached with the calls in flight that are overdue.
    pub(super) fn evaluate_overdue(&mut self, newest: NewestGroup<'_>, now: Tick) {
        let tracks = self.control.tracks_calls(&self.rules);
        let Some(groups) = self.groups().filter(|_| tracks) else { return };
        let overdue = groups.overdue(newest, now);
        let counts = self.window.counts(now).with_overdue(overdue);
        if let Some(cause) = counts.verdict(&self.rules).filter(|_| overdue > 0) {
            let (next, transition) = self.control.open_overdue(&self.rules, cause, now);
            self.replace(next, transition, now);
        }
    }

    /// Tracks a call that the circuit has admitted; 0 if it tracks none.
    pub(super) fn track(&mut self, newest: NewestGroup<'_>, now: Tick) -> GroupNumber {
        let slow_call = self.rules.slow_call.filter(|_| self.control.tracks_calls(&self.rules));
        let Some(slow_call) = slow_call else { return 0 };
        self.rare.get_or_insert_default().groups.get_or_insert_default().join(newest, slow_call, now)
    }

    fn groups(&mut self) -> Option<&mut CallGroups> {
        self.rare.as_mut()?.groups.as_mut()
    }

    /// A call of this group has ended, or is not tracked any more.
    pub(super) fn leave_group(&mut self, newest: NewestGroup<'_>, number: GroupNumber) {
        if let Some(groups) = self.groups() {
            groups.leave(newest, number);
        }
    }

    /// No call in flight is tracked any more.
    pub(super) fn forget_calls(&mut self, newest: NewestGroup<'_>) {
        if let Some(groups) = self.groups() {
            groups.forget(newest);
        }
    }

    /// Adds a success that changes nothing but a window of calls, which needs no time. Returns false, and changes nothing,
    /// otherwise: a success can open the circuit only if the window already holds a failure or a slow call.
    pub(super) fn count_success(&mut self, stamp: Stamp) -> bool {
        self.control.is_current(stamp) && self.control.is_unmoved_by_success() && self.window.count_success()
    }

    /// `nanos` is the duration of the call, `None` if it is not timed.
    #[inline]
    pub(super) fn settle(&mut self, stamp: Stamp, outcome: Outcome, nanos: Option<u64>, now: Tick) -> Settled {
        let rules = &self.rules;
        let call = outcome.judged(rules, nanos.map(Duration::from_nanos));
        let decided = matches!(call.outcome, Outcome::Success | Outcome::Failure { .. });
        let mut rate = None;
        if decided && self.control.is_current(stamp) && self.control.is_closed() {
            self.window.add(Call { failed: call.outcome.is_failure(), slow: call.slow }, now);
            rate = self.window.counts(now).verdict(rules);
        }
        let (next, settlement) = self.control.settle(rules, stamp, call, rate, now);
        if let Some(nanos) = nanos.filter(|_| rules.record_durations && call.outcome.is_failure()) {
            self.failure_durations.get_or_insert_default().add(nanos);
        }
        self.replace(next, settlement.transition, now);
        Settled { outcome: call.outcome, slow: call.slow, current: settlement.current }
    }

    /// How long the failures took.
    pub(super) fn failure_durations(&self) -> Durations {
        self.failure_durations.as_deref().copied().unwrap_or_default()
    }

    /// Adds a time to the first item of a stream.
    pub(super) fn record_first_item(&mut self, waited: Duration) {
        self.rare.get_or_insert_default().first_items.add(u64::try_from(waited.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The times to the first item of streams.
    pub(super) fn first_items(&self) -> Durations {
        self.rare.as_ref().map_or_else(Durations::default, |rare| rare.first_items)
    }

    pub(super) fn operate(
        &mut self,
        operation: impl FnOnce(Control, &Rules, Tick) -> (Control, Option<Transition>),
        now: Tick,
    ) {
        let (next, transition) = operation(self.control, &self.rules, now);
        self.replace(next, transition, now);
        if next.is_closed() {
            self.window.clear();
        }
    }

    /// A window whose shape changed starts empty. `drawn` is the jitter of a breaker whose seed has to be drawn.
    pub(super) fn reconfigure(&mut self, rules: Rules, drawn: Jitter, now: Tick) {
        self.control = self.control.without_expired_force_open(&self.rules, now);
        if self.draws_seed && rules.spreads_waits() {
            self.control = self.control.with_jitter(drawn);
            self.draws_seed = false;
        }
        if rules.window_in_use() != self.rules.window_in_use() {
            self.window = Window::new(&rules);
        }
        self.rules = rules;
    }

    /// The snapshot of this breaker; `successes` is the number of current successes.
    pub(super) fn saved(&self, counts: Counts, successes: u64, now: Tick) -> Snapshot {
        Snapshot {
            control: self.control.saved(&self.rules, now),
            consecutive_successes: if self.control.is_closed() { self.consecutive_successes(successes) } else { 0 },
            // Calls in flight end with the process: they are saved as if their permits had been dropped.
            counts: Counts { cancelled_calls: counts.cancelled_calls + counts.in_flight, in_flight: 0, ..counts },
            edges: self.history.edge_counts(),
            window: self.window.saved(&self.rules, now),
        }
    }

    pub(super) fn restore(&mut self, snapshot: &Snapshot, now: Tick) {
        self.control = self.control.restored(&snapshot.control, now);
        self.window = Window::restored(&self.rules, &snapshot.window, now);
        self.history.add(&snapshot.edges);
    }

    /// See [`host::after_fork`](crate::host::after_fork).
    pub(super) fn inherit(&mut self, jitter: Jitter) {
        self.control = self.control.inherited(jitter);
        self.draws_seed = false;
        self.first_own_generation = self.control.generation();
    }

    /// Whether a permit belongs to the process that this one was forked from.
    pub(super) fn is_inherited(&self, stamp: Stamp) -> bool {
        stamp.is_before(self.first_own_generation)
    }

    /// Whether at `now` the circuit would open no sooner than a new one.
    pub(super) fn is_pristine(&self, now: Tick) -> bool {
        let window = self.window.counts(now);
        self.control.is_pristine_at(now) && window.failed == 0 && window.slow == 0
    }

    /// Replaces the value after a change, and updates history and window. No other place records transitions.
    fn replace(&mut self, next: Control, transition: Option<Transition>, now: Tick) {
        if let Some(transition) = transition {
            let closing_probe = u8::from(transition.cause == Cause::ProbesSucceeded);
            let probe_successes = self.control.probe_successes().saturating_add(closing_probe);
            self.history.append(transition, probe_successes, &next, now);
            if transition.to == State::Closed {
                self.window.clear();
            }
        }
        self.control = next;
    }

    /// Restarts the success streak of a closed circuit at `streak`; `successes` is the number of current successes.
    pub(super) fn begin_streak(&mut self, streak: u64, successes: u64) {
        self.streak_base = successes.wrapping_sub(streak);
    }

    /// Successes in a row; `successes` is the number of current successes.
    pub(super) fn consecutive_successes(&self, successes: u64) -> u64 {
        if !self.control.is_closed() {
            self.control.probe_successes().into()
        } else if self.control.consecutive_failures() > 0 || !self.control.accepts_settles() {
            // In mode `disabled` too: a success that was settled without the lock may be counted late.
            0
        } else {
            successes.wrapping_sub(self.streak_base)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_success_that_is_counted_only_after_a_failure_ends_no_streak() {
        // The success was settled without the lock, and its thread counted it late.
        let mut inner = Inner::new(*Config::default().rules(), None);
        inner.settle(Stamp::closed(0), Outcome::FAILURE, None, Tick::ZERO);
        inner.begin_streak(0, 7);
        assert_eq!((inner.control.consecutive_failures(), inner.consecutive_successes(8)), (1, 0));
        inner.settle(Stamp::closed(0), Outcome::Success, None, Tick::ZERO);
        assert_eq!((inner.control.consecutive_failures(), inner.consecutive_successes(8)), (0, 1));
    }

    #[test]
    fn a_success_that_is_counted_only_after_the_circuit_is_disabled_begins_no_streak() {
        let mut inner = Inner::new(*Config::default().rules(), None);
        inner.operate(|control, _, now| control.disable(now), Tick::ZERO);
        inner.begin_streak(0, 7);
        assert_eq!(inner.consecutive_successes(8), 0);
    }

    #[test]
    fn a_seed_is_drawn_with_the_first_rules_that_spread_waits_and_a_given_one_stays() {
        let plain = *Config::default().rules();
        let spread = *Config::builder().timeout_jitter(0.5).build().unwrap().rules();
        let (given, drawn) = (Jitter { seed: 7 }, Jitter { seed: 8 });
        let seed = |inner: &Inner| inner.control.to_words()[6];
        let after = |first, jitter| {
            let mut inner = Inner::new(first, jitter);
            inner.reconfigure(plain, Jitter { seed: 9 }, Tick::ZERO);
            inner.reconfigure(spread, drawn, Tick::ZERO);
            inner.reconfigure(spread, Jitter { seed: 10 }, Tick::ZERO);
            seed(&inner)
        };
        assert_eq!([after(plain, None), after(plain, Some(given)), after(spread, Some(given))], [8, 7, 7]);
        assert_ne!(after(spread, None), after(spread, None), "drawn at once");
        let mut child = Inner::new(plain, None);
        child.inherit(given);
        child.reconfigure(spread, drawn, Tick::ZERO);
        assert_eq!(seed(&child), 7);
    }
}
