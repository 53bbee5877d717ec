//! The lifetime counters. Every call updates them, and no decision depends on them.

use core::time::Duration;

use crate::clock::Tick;
use crate::control::{Outcome, Reason};
use crate::evidence::{Durations, GroupNumber, Histogram};
use crate::sync::{AtomicU64, Ordering, STRIPES, stripe};

/// The counts since the breaker was created.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    stripes: [StripeCounters; STRIPES],
    cold: ColdCounters,
    success_durations: Histogram,
    /// The word of [`NewestGroup`](super::NewestGroup).
    pub(crate) joined: AtomicU64,
}

/// The counters of a busy circuit, one cache line for each stripe, so that threads do not slow each other down.
#[derive(Debug, Default)]
#[repr(align(64))]
struct StripeCounters {
    admitted: AtomicU64,
    /// Current successes; the success streak is derived from them.
    successes: AtomicU64,
    /// In the order of [`Reason::ALL`].
    rejected: [AtomicU64; Reason::ALL.len()],
    /// The recorded durations of successes, added up.
    success_nanos: AtomicU64,
    /// The tick after the last current success; 0 if there was none.
    after_last_success: AtomicU64,
}

/// Counters that a busy, healthy circuit does not touch share one cache line.
#[derive(Debug, Default)]
#[repr(align(64))]
struct ColdCounters {
    late_successes: AtomicU64,
    failures: AtomicU64,
    ignored: AtomicU64,
    cancelled: AtomicU64,
    shadow_rejected: AtomicU64,
    slow: AtomicU64,
    probe_timeouts: AtomicU64,
    /// The tick after the last current failure; 0 if there was none.
    after_last_failure: AtomicU64,
}

/// The stripe that counted a call's admission, and counts its success. Above it stands the number of the call's group, in
/// the same word, because a ticket with one more word would not stay in registers.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stripe(u64);

// Release pairs with the acquire of `get`: a reader that sees a settle also sees its admission.
fn add(counter: &AtomicU64, count: u64) {
    counter.fetch_add(count, Ordering::Release);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Acquire)
}

/// Stores a tick as the number after it, because 0 says that there was none.
#[inline]
fn store_tick(place: &AtomicU64, tick: Tick) {
    place.store(tick.as_nanos().saturating_add(1), Ordering::Relaxed);
}

fn load_tick(place: &AtomicU64) -> Option<Tick> {
    get(place).checked_sub(1).map(Tick::from_nanos)
}

impl Stripe {
    /// The stripe of a call that shares a permit, which is not counted.
    pub(crate) const SHARED: Self = Self(u64::MAX);

    pub(crate) fn shares_permit(self) -> bool {
        self.0 == Self::SHARED.0
    }

    /// The same stripe for a call of this group.
    #[inline]
    pub(crate) fn in_group(self, number: GroupNumber) -> Self {
        Self(self.index() as u64 + number * STRIPES as u64)
    }

    /// The number of the call's group; 0 if it is in none.
    pub(crate) fn group(self) -> GroupNumber {
        if self.shares_permit() { 0 } else { self.0 / STRIPES as u64 }
    }

    #[inline]
    fn index(self) -> usize {
        (self.0 % STRIPES as u64) as usize
    }
}

impl Counters {
    #[inline]
    pub(crate) fn admit(&self) -> Stripe {
        let stripe = Stripe(stripe() as u64);
        add(&self.at(stripe).admitted, 1);
        stripe
    }

    /// A current success.
    #[inline]
    pub(crate) fn succeed(&self, stripe: Stripe) {
        add(&self.at(stripe).successes, 1);
    }

    /// Adds the duration of a success; `now` if it was current.
    #[inline]
    pub(crate) fn record_success(&self, stripe: Stripe, nanos: u64, now: Option<Tick>) {
        self.success_durations.record(nanos);
        let stripe = self.at(stripe);
        stripe.success_nanos.fetch_add(nanos, Ordering::Relaxed);
        if let Some(now) = now {
            store_tick(&stripe.after_last_success, now);
        }
    }

    #[inline]
    pub(crate) fn reject(&self, reason: Reason) {
        add(&self.at(Stripe(stripe() as u64)).rejected[reason as usize], 1);
    }

    pub(crate) fn shadow_reject(&self) {
        add(&self.cold.shadow_rejected, 1);
    }

    pub(crate) fn take_back(&self, probes: u8) {
        add(&self.cold.probe_timeouts, probes.into());
    }

    /// Counts a call that ended under the lock, at `now` if it was current.
    pub(crate) fn settle(&self, stripe: Stripe, outcome: Outcome, slow: bool, now: Option<Tick>) {
        if slow {
            add(&self.cold.slow, 1);
        }
        match outcome {
            Outcome::Success if now.is_some() => self.succeed(stripe),
            Outcome::Success => add(&self.cold.late_successes, 1),
            Outcome::Failure { .. } => {
                add(&self.cold.failures, 1);
                if let Some(now) = now {
                    store_tick(&self.cold.after_last_failure, now);
                }
            }
            Outcome::Ignored => add(&self.cold.ignored, 1),
            Outcome::Cancelled => add(&self.cold.cancelled, 1),
        }
    }

    /// Counts the calls in flight as cancelled.
    pub(crate) fn cancel_in_flight(&self) {
        add(&self.cold.cancelled, self.read().in_flight);
    }

    /// Adds the counts of a snapshot, which has no calls in flight. It does not say why calls were rejected, so they count
    /// as rejected by an open circuit, as nearly all are.
    pub(crate) fn restore(&self, counts: &Counts) {
        let (stripe, cold) = (&self.stripes[0], &self.cold);
        for (counter, count) in [
            (&stripe.admitted, counts.total_calls),
            (&stripe.rejected[Reason::Open as usize], counts.rejected_calls),
            (&cold.late_successes, counts.successful_calls),
            (&cold.failures, counts.failed_calls),
            (&cold.ignored, counts.ignored_calls),
            (&cold.cancelled, counts.cancelled_calls),
            (&cold.shadow_rejected, counts.shadow_rejected),
            (&cold.slow, counts.slow_calls),
            (&cold.probe_timeouts, counts.probe_timeouts),
        ] {
            add(counter, count);
        }
    }

    pub(crate) fn current_successes(&self) -> u64 {
        self.sum(|stripe| &stripe.successes)
    }

    /// The recorded durations of successes.
    pub(crate) fn success_durations(&self) -> Durations {
        self.success_durations.read(Duration::from_nanos(self.sum(|stripe| &stripe.success_nanos)))
    }

    pub(crate) fn last_success(&self) -> Option<Tick> {
        self.stripes.iter().filter_map(|stripe| load_tick(&stripe.after_last_success)).max()
    }

    /// When the last current failure ended.
    pub(crate) fn last_failure(&self) -> Option<Tick> {
        load_tick(&self.cold.after_last_failure)
    }

    /// Reads all counters so that the total is never less than the sum of ended calls.
    pub(crate) fn read(&self) -> Counts {
        let cold = &self.cold;
        let successful_calls = self.current_successes() + get(&cold.late_successes);
        let failed_calls = get(&cold.failures);
        let ignored_calls = get(&cold.ignored);
        let cancelled_calls = get(&cold.cancelled);
        // Read last: every call that was seen to end has been admitted before.
        let total_calls = self.sum(|stripe| &stripe.admitted);
        Counts {
            total_calls,
            successful_calls,
            failed_calls,
            ignored_calls,
            cancelled_calls,
            rejected_calls: self.rejections().iter().sum(),
            shadow_rejected: get(&cold.shadow_rejected),
            slow_calls: get(&cold.slow),
            probe_timeouts: get(&cold.probe_timeouts),
            in_flight: total_calls - successful_calls - failed_calls - ignored_calls - cancelled_calls,
        }
    }

    /// The rejected calls by reason, in the order of [`Reason::ALL`].
    pub(crate) fn rejections(&self) -> Rejections {
        let mut read = Rejections::default();
        for stripe in &self.stripes {
            for (sum, counter) in read.iter_mut().zip(&stripe.rejected) {
                *sum += get(counter);
            }
        }
        read
    }

    fn at(&self, stripe: Stripe) -> &StripeCounters {
        &self.stripes[stripe.index()]
    }

    fn sum(&self, counter: fn(&StripeCounters) -> &AtomicU64) -> u64 {
        self.stripes.iter().map(|stripe| get(counter(stripe))).sum()
    }
}

/// Declares the reading, and the names of the counters that a snapshot keeps: all but the calls in flight.
macro_rules! counts {
    ($($(#[$text:meta])+ $name:ident,)+) => {
        /// A reading of the lifetime counters.
        ///
        /// `total_calls = successful_calls + failed_calls + ignored_calls + cancelled_calls + in_flight`, always.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Counts {
            $($(#[$text])+ pub $name: u64,)+
            /// Calls admitted that have not ended.
            pub in_flight: u64,
        }

        impl Counts {
            /// The counters that a snapshot keeps, by name.
            pub(crate) const LASTING: [(&'static str, Place); [$(stringify!($name)),+].len()] =
                [$((stringify!($name), |counts| &mut counts.$name)),+];
        }
    };
}

counts! {
    /// Calls admitted.
    total_calls,
    /// Calls that ended in success.
    successful_calls,
    /// Calls that ended in failure.
    failed_calls,
    /// Calls that ended without saying anything about the provider.
    ignored_calls,
    /// Calls given up before they ended.
    cancelled_calls,
    /// Calls that were not admitted.
    rejected_calls,
    /// Calls that were admitted only because the mode is `shadow`.
    shadow_rejected,
    /// Calls that ended in success or failure, and were slow.
    slow_calls,
    /// Probe slots taken back from probes that hung.
    probe_timeouts,
}

/// Rejected calls, in the order of [`Reason::ALL`].
pub(crate) type Rejections = [u64; Reason::ALL.len()];

/// Access to one counter.
type Place = fn(&mut Counts) -> &mut u64;

impl Counts {
    /// The counters that a snapshot keeps, with their names.
    pub(crate) fn lasting(mut self) -> impl Iterator<Item = (&'static str, u64)> {
        Self::LASTING.into_iter().map(move |(name, place)| (name, *place(&mut self)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stripe_counts_in_a_cache_line_of_its_own() {
        let counters = Counters::default();
        for stripe in 0..STRIPES as u64 {
            counters.succeed(Stripe(stripe));
        }
        assert_eq!(counters.stripes.each_ref().map(|stripe| get(&stripe.successes)), [1; STRIPES]);
        assert_eq!(counters.current_successes(), STRIPES as u64);
    }
}
