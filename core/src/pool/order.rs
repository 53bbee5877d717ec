//! The result of a choice.

use alloc::vec::Vec;
use core::time::Duration;

use super::{OnExhausted, Policy};
use crate::clock::Tick;
use crate::control::Reason;
use crate::names::named_enum;

named_enum! {
    /// Why a provider has its place in the order.
    Role {
        /// It is available and healthy.
        Normal = "normal",
        /// Its circuit is half-open: the call would be a probe.
        Probe = "probe",
        /// It is available, and its recent success rate is below the minimum.
        Unhealthy = "unhealthy",
        /// It is for calls that no other provider takes.
        LastResort = "last_resort",
    }
}

named_enum! {
    /// Why a provider is passed over.
    PassReason {
        /// It is switched off.
        Disabled = "disabled",
        /// Its weight is zero.
        Draining = "draining",
        /// It lacks a capability that the call needs.
        MissingCapability = "missing_capability",
        /// The request is larger than it takes.
        TooSmall = "too_small",
        /// This call has tried it.
        Tried = "tried",
        /// Its circuit is open.
        Open = "open",
        /// Its circuit is half-open, and every probe slot is taken.
        ProbesBusy = "probes_busy",
        /// An operator holds its circuit open.
        ForcedOpen = "forced_open",
        /// A cooldown runs.
        CoolingDown = "cooling_down",
        /// It has as many calls in flight as it may have.
        Full = "full",
        /// It is a last resort, and the policy does not use one.
        Reserved = "reserved",
    }
}

impl From<Reason> for PassReason {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Open => Self::Open,
            Reason::ProbesBusy => Self::ProbesBusy,
            Reason::ForcedOpen => Self::ForcedOpen,
        }
    }
}

/// A provider to try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// Its index among the candidates.
    pub index: usize,
    /// Why it stands there.
    pub role: Role,
}

/// A provider that is passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Its index among the candidates.
    pub index: usize,
    /// Why.
    pub reason: PassReason,
    /// When it may be back, if that is known.
    pub until: Option<Tick>,
}

/// The providers to try, the first one first, and those passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// The providers to try. The host asks the first for a permit; after a failed attempt it chooses again with the
    /// provider among those tried.
    pub picks: Vec<Pick>,
    /// The rest, in the declared order.
    pub passed_over: Vec<PassedOver>,
    /// The earliest time at which one of those passed over may be back.
    pub earliest: Option<Tick>,
}

/// The next step when no pick is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// The call fails; a provider may be back after that time, if it is known.
    Fail {
        /// The time until then.
        retry_after: Option<Duration>,
    },
    /// Choose again at this time.
    WaitUntil(Tick),
}

impl Order {
    /// The next step at `now` if no pick is left, for a call that must end by `deadline`.
    pub fn exhausted(&self, policy: &Policy, now: Tick, deadline: Option<Tick>) -> Exhausted {
        match self.earliest {
            Some(back) if policy.on_exhausted == OnExhausted::Wait && deadline.is_none_or(|end| back < end) => {
                Exhausted::WaitUntil(back)
            }
            back => Exhausted::Fail { retry_after: back.map(|back| back.since(now)) },
        }
    }
}
