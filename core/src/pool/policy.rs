//! How a pool chooses.

use core::time::Duration;

use super::Hedge;
use crate::clock::Tick;
use crate::names::named_enum;

/// The whole share of a provider. Shares are in thousandths of its weight, so that a tenth of a weight of 1 is a whole number.
pub(super) const WHOLE_SHARE: u32 = 1000;
/// The share with which a slow start begins.
const SLOW_START_FROM: u32 = 100;

named_enum! {
    /// The order within a tier.
    Strategy {
        /// The declared order.
        PriorityList = "priority_list",
        /// In turn, by weight.
        RoundRobin = "round_robin",
        /// At random, by weight.
        Random = "random",
        /// The shortest expected time first. Providers within a tenth of the best time are ordered by weight.
        BestPerformance = "best_performance",
        /// The highest success rate first, as far as the evidence supports it.
        HighestAvailability = "highest_availability",
    }
}

named_enum! {
    /// The behaviour when no provider is available.
    OnExhausted {
        /// The call fails at once, and the error says when a provider may be back.
        Fail = "fail",
        /// The call waits for the earliest provider, inside its deadline.
        Wait = "wait",
        /// The call goes to a provider that is declared as the last resort.
        LastResort = "last_resort",
    }
}

/// How a pool chooses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// The order within a tier.
    pub strategy: Strategy,
    /// From 0 to 1: a provider whose recent success rate is lower goes to the end of its tier.
    pub min_health: f64,
    /// Whether a pin comes even before a probe. If every session has a pin to a backup, no call probes the primary then.
    pub strict_pin: bool,
    /// How long a provider's share grows from a tenth to the whole after its circuit closed; zero for no slow
    /// start.
    pub slow_start: Duration,
    /// The behaviour when no provider is available.
    pub on_exhausted: OnExhausted,
    /// When a slow call gets a second attempt beside its first; none for never.
    pub hedge: Option<Hedge>,
}

/// How far the slow start of a provider has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlowStart {
    /// The share of its weight that it gets, in thousandths: from 100 to 999.
    pub share: u32,
    /// The rest of the slow start.
    pub left: Duration,
}

impl Policy {
    /// The slow start at `now` of a provider whose circuit has been closed since `closed_since`; none if it is over. A
    /// provider that is alone in its tier gets every call anyway.
    pub fn slow_start_at(&self, closed_since: Option<Tick>, now: Tick) -> Option<SlowStart> {
        let elapsed = now.since(closed_since?);
        let left = self.slow_start.checked_sub(elapsed).filter(|left| !left.is_zero())?;
        let grown = (WHOLE_SHARE - SLOW_START_FROM) as u128 * elapsed.as_nanos() / self.slow_start.as_nanos();
        Some(SlowStart { share: SLOW_START_FROM + grown as u32, left })
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            strategy: Strategy::PriorityList,
            min_health: 0.7,
            strict_pin: false,
            slow_start: Duration::from_secs(10),
            on_exhausted: OnExhausted::Fail,
            hedge: None,
        }
    }
}
