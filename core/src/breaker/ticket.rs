//! A permit as plain data.

use core::time::Duration;

use crate::clock::Tick;
use crate::control::{Outcome, Stamp};
use crate::evidence::Stripe;

/// A permit as plain data, for bindings whose own objects decide when it is settled.
///
/// [`host::settle`](crate::host::settle) consumes it. A dropped ticket leaves its call in flight for ever; Rust code uses
/// [`Permit`](crate::Permit).
#[derive(Debug)]
#[must_use = "a ticket that is dropped leaves its call in flight for ever"]
pub struct Ticket {
    pub(super) stamp: Stamp,
    pub(super) stripe: Stripe,
    pub(super) start: Start,
}

impl Ticket {
    /// The stamp that a nested call passes to [`host::admit`](crate::host::admit).
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Whether the call was admitted as a probe, so that calls made inside it may share its permit.
    pub fn is_probe(&self) -> bool {
        self.stamp.is_probe()
    }

    /// Whether the call shares another one's permit, so that it is not counted.
    pub fn shares_permit(&self) -> bool {
        self.stripe.shares_permit()
    }

    /// Excludes a time from the call's duration, for example the time that the consumer of a stream took.
    pub fn exclude(&mut self, time: Duration) {
        self.start = self.start.later_by(time);
    }

    /// The duration of the call until now, without excluded times; `None` if it is not timed.
    pub fn lasted(&self, now: Tick) -> Option<Duration> {
        self.start.lasted(now).map(Duration::from_nanos)
    }
}

/// How the breaker counted a call that has been settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SettledCall {
    /// The outcome that was counted: a call that was cancelled late may count as a failure.
    pub outcome: Outcome,
    /// How long it took; `None` where durations are not recorded.
    pub duration: Option<Duration>,
}

/// When a call began; [`UNTIMED`](Self::UNTIMED) if no rule needs its duration.
///
/// Half the size of an `Option<Tick>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Start(Tick);

impl Start {
    pub(super) const UNTIMED: Self = Self(Tick::from_nanos(u64::MAX));

    pub(super) const fn at(now: Tick) -> Self {
        Self(now)
    }

    fn later_by(self, time: Duration) -> Self {
        if self == Self::UNTIMED { self } else { Self(self.0.after(time)) }
    }

    /// The duration of the call in nanoseconds; `None` if it is not timed.
    #[inline]
    pub(super) fn lasted(self, now: Tick) -> Option<u64> {
        (self != Self::UNTIMED).then(|| now.nanos_since(self.0))
    }
}
