//! Queries. They change nothing and take no permit.

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

use super::CircuitBreaker;
use super::inner::Inner;
use crate::clock::{Clock, Tick};
use crate::config::Config;
use crate::control::{Admission, Mode, State};
use crate::evidence::{CallDurations, Counts, Durations, Edge, Event, Listener, ListenerId, Status, Totals, edges_in};

impl<C: Clock> CircuitBreaker<C> {
    /// The circuit's name.
    pub fn name(&self) -> &str {
        &self.hot.name
    }

    pub(crate) fn shared_name(&self) -> Arc<str> {
        Arc::clone(&self.hot.name)
    }

    /// The configuration in force.
    pub fn config(&self) -> Config {
        Config::new(self.shared_name(), self.inner.lock().rules)
    }

    /// The clock that this breaker reads.
    pub fn clock(&self) -> &C {
        &self.hot.clock
    }

    /// The state now; `half_open` also if the wait is over and no call has come yet.
    pub fn state(&self) -> State {
        let now = self.hot.clock.now();
        self.inner.lock().control.state_at(now)
    }

    /// The mode now.
    pub fn mode(&self) -> Mode {
        let now = self.hot.clock.now();
        let inner = self.inner.lock();
        inner.control.mode_at(&inner.rules, now)
    }

    /// The machine's answer to a call at `now`; nothing changes.
    pub(crate) fn peek(&self, now: Tick) -> Admission {
        let inner = self.inner.lock();
        inner.control.acquire(&inner.rules, now).1
    }

    /// When the circuit closed; `None` if it is not closed, or was never open.
    pub fn closed_since(&self) -> Option<Tick> {
        let inner = self.inner.lock();
        inner.history.last_change().filter(|_| inner.control.is_closed())
    }

    /// A consistent reading of everything.
    pub fn status(&self) -> Status {
        let now = self.hot.clock.now();
        self.status_of(&self.inner.lock(), now)
    }

    pub(super) fn status_of(&self, inner: &Inner, now: Tick) -> Status {
        let control = &inner.control;
        Status {
            now,
            state: control.state_at(now),
            mode: control.mode_at(&inner.rules, now),
            retry_after: control.retry_after_at(now),
            generation: control.generation(),
            consecutive_failures: control.consecutive_failures().into(),
            consecutive_successes: inner.consecutive_successes(self.counters.current_successes()),
            window: inner.window.counts(now),
            counts: self.counters.read(),
            state_transitions: inner.history.total(),
            last_failure: self.counters.last_failure(),
            last_success: self.counters.last_success(),
            last_change: inner.history.last_change(),
        }
    }

    /// The lifetime counters; unlike [`status`](Self::status), this does not read the clock.
    pub fn counts(&self) -> Counts {
        self.counters.read()
    }

    /// The kept transitions with a sequence number above `sequence`, oldest first; at most [`EVENTS_KEPT`](crate::evidence::EVENTS_KEPT).
    pub fn events(&self, sequence: u64) -> Vec<Event> {
        self.inner.lock().history.after(sequence)
    }

    /// How often each change of state has happened. Those that never happened are left out.
    pub fn edges(&self) -> Vec<Edge> {
        edges_in(&self.inner.lock().history.edge_counts())
    }

    /// Calls `listener` with each further transition: after the change, in order and without a lock, in the thread that made
    /// the change or in one that is still delivering an earlier event. If listeners are so slow that more than
    /// [`EVENTS_WAITING`](crate::evidence::EVENTS_WAITING) events wait for them, they miss the oldest of these.
    pub fn subscribe(&self, listener: Arc<Listener>) -> ListenerId {
        self.listeners.add(listener, false)
    }

    /// Removes a listener; false if it was removed before.
    pub fn unsubscribe(&self, id: ListenerId) -> bool {
        self.listeners.remove(id)
    }

    /// How many transitions its listeners have missed because they were too slow.
    pub fn missed_events(&self) -> u64 {
        self.listeners.missed()
    }

    /// Whether replacing it with a new breaker would lose nothing: closed in mode `auto` or `shadow`, no failure streak, no
    /// failure and no slow call in the window, no opening that would make the next wait longer, no call in flight, no
    /// listener.
    pub fn is_idle(&self) -> bool {
        self.is_idle_at(self.hot.clock.now())
    }

    /// The same at `now`, for callers that hold a lock in which no clock may be read.
    pub fn is_idle_at(&self, now: Tick) -> bool {
        self.inner.lock().is_pristine(now) && self.counts().in_flight == 0 && self.listeners.is_empty()
    }

    /// The durations of calls.
    pub fn durations(&self) -> CallDurations {
        CallDurations { success: self.counters.success_durations(), failure: self.inner.lock().failure_durations() }
    }

    /// Adds a time to the first item of a stream, without the time of its consumer.
    pub fn record_first_item(&self, waited: Duration) {
        self.inner.lock().record_first_item(waited);
    }

    /// The times to the first item of streams.
    pub fn first_items(&self) -> Durations {
        self.inner.lock().first_items()
    }

    /// All lifetime counts in one consistent reading.
    pub fn totals(&self) -> Totals {
        self.totals_of(&self.inner.lock())
    }

    /// The same, with the state at `now`.
    pub(crate) fn totals_at(&self, now: Tick) -> (Totals, State) {
        let inner = self.inner.lock();
        (self.totals_of(&inner), inner.control.state_at(now))
    }

    fn totals_of(&self, inner: &Inner) -> Totals {
        let success = self.counters.success_durations();
        let (failure, first_items, edges) =
            (inner.failure_durations(), inner.first_items(), inner.history.edge_counts());
        // Read last, so that there are never more durations than calls.
        let (counts, rejections) = (self.counters.read(), self.counters.rejections());
        Totals {
            durations: CallDurations { success, failure },
            first_items,
            edges,
            counts: Counts { rejected_calls: rejections.iter().sum(), ..counts },
            rejections,
        }
    }
}
