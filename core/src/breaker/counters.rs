//! The lifetime counters: evidence that every call adds to, and nothing is decided by.

use crate::control::Outcome;
use crate::sync::{AtomicU64, Ordering};

/// A counter in a cache line of its own, so that threads which count different things do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Counter(AtomicU64);

impl Counter {
    fn add(&self, count: u64) {
        // Release pairs with the acquire of `get`: who sees a settle also sees the admission before it.
        self.0.fetch_add(count, Ordering::Release);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// What has been counted since the breaker was made.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    admitted: Counter,
    /// Successes that were current in a closed circuit or a probe's: the success streak is cut from these.
    successes: Counter,
    seldom: Seldom,
}

/// Counters that no busy, healthy circuit touches share their lines.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Seldom {
    late_successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    cancelled: AtomicU64,
    rejected: AtomicU64,
    shadow_rejected: AtomicU64,
    slow: AtomicU64,
    probe_timeouts: AtomicU64,
}

impl Counters {
    pub(crate) fn admit(&self) {
        self.admitted.add(1);
    }

    pub(crate) fn reject(&self) {
        self.seldom.rejected.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn shadow_reject(&self) {
        self.seldom.shadow_rejected.fetch_add(1, Ordering::Release);
    }

    pub(crate) fn take_back(&self, probes: u8) {
        self.seldom.probe_timeouts.fetch_add(probes.into(), Ordering::Release);
    }

    pub(crate) fn settle(&self, outcome: Outcome, slow: bool, current: bool) {
        if slow {
            self.seldom.slow.fetch_add(1, Ordering::Release);
        }
        let counter = match outcome {
            Outcome::Success if current => return self.successes.add(1),
            Outcome::Success => &self.seldom.late_successes,
            Outcome::Failure => &self.seldom.failures,
            Outcome::Ignored => &self.seldom.ignored,
            Outcome::Cancelled => &self.seldom.cancelled,
        };
        counter.fetch_add(1, Ordering::Release);
    }

    /// Adds what a breaker has counted that this one goes on for; it has no calls in flight.
    pub(crate) fn restore(&self, counts: &Counts) {
        let seldom = &self.seldom;
        self.admitted.add(counts.total_calls);
        for (counter, count) in [
            (&seldom.late_successes, counts.successful_calls),
            (&seldom.failures, counts.failed_calls),
            (&seldom.ignored, counts.ignored_calls),
            (&seldom.cancelled, counts.cancelled_calls),
            (&seldom.rejected, counts.rejected_calls),
            (&seldom.shadow_rejected, counts.shadow_rejected),
            (&seldom.slow, counts.slow_calls),
            (&seldom.probe_timeouts, counts.probe_timeouts),
        ] {
            counter.fetch_add(count, Ordering::Release);
        }
    }

    pub(crate) fn current_successes(&self) -> u64 {
        self.successes.get()
    }

    /// Reads all of them so that the total is never less than the sum of what has ended.
    pub(crate) fn read(&self) -> Counts {
        let seldom = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        let successful_calls = self.successes.get() + seldom(&self.seldom.late_successes);
        let failed_calls = seldom(&self.seldom.failures);
        let ignored_calls = seldom(&self.seldom.ignored);
        let cancelled_calls = seldom(&self.seldom.cancelled);
        // Last: a call that was seen to end was admitted before.
        let total_calls = self.admitted.get();
        Counts {
            total_calls,
            successful_calls,
            failed_calls,
            ignored_calls,
            cancelled_calls,
            rejected_calls: seldom(&self.seldom.rejected),
            shadow_rejected: seldom(&self.seldom.shadow_rejected),
            slow_calls: seldom(&self.seldom.slow),
            probe_timeouts: seldom(&self.seldom.probe_timeouts),
            in_flight: total_calls - successful_calls - failed_calls - ignored_calls - cancelled_calls,
        }
    }
}

/// A reading of the lifetime counters.
///
/// `total_calls = successful_calls + failed_calls + ignored_calls + cancelled_calls + in_flight`, always.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Calls admitted.
    pub total_calls: u64,
    /// Calls that ended in success.
    pub successful_calls: u64,
    /// Calls that ended in failure.
    pub failed_calls: u64,
    /// Calls that ended without saying anything about the provider.
    pub ignored_calls: u64,
    /// Calls given up before they ended.
    pub cancelled_calls: u64,
    /// Calls that were not admitted.
    pub rejected_calls: u64,
    /// Calls that would not have been admitted in another mode than `shadow`.
    pub shadow_rejected: u64,
    /// Calls that ended in success or failure, and were slow.
    pub slow_calls: u64,
    /// Probe slots taken back from probes that hung.
    pub probe_timeouts: u64,
    /// Calls admitted that have not ended.
    pub in_flight: u64,
}
