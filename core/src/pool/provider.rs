//! Providers, candidates and needs: the inputs of a choice.

use alloc::string::String;
use alloc::vec::Vec;

use super::{CallKind, Meter};
use crate::clock::Tick;
use crate::control::Reason;

/// A provider as the user declares it.
#[derive(Clone, Debug, PartialEq)]
pub struct Provider {
    /// Its name, unique in the pool.
    pub id: String,
    /// Providers of a lower tier come first.
    pub tier: u32,
    /// Its share beside the others of its tier; zero drains it.
    pub weight: u32,
    /// Whether calls may go to it.
    pub enabled: bool,
    /// Its abilities, in the user's own words.
    pub capabilities: Vec<String>,
    /// The largest request that it takes, in the user's own unit (tokens, say); none for no limit.
    pub limit: Option<u64>,
    /// The user's name for the account or key of its calls. A cooldown of the key concerns every provider with the same
    /// name. None for a key of its own.
    pub key: Option<String>,
    /// The user's name for the model that its calls ask for. A cooldown of the model concerns every provider with the
    /// same name. None for a model of its own.
    pub model: Option<String>,
    /// The most calls in flight; none for no limit.
    pub max_concurrent_calls: Option<u32>,
    /// Whether it is used only when no other is available, and only if the policy says so.
    pub last_resort: bool,
}

impl Provider {
    /// A provider with weight 1 in tier 0 and no limits.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            tier: 0,
            weight: 1,
            enabled: true,
            capabilities: Vec::new(),
            limit: None,
            key: None,
            model: None,
            max_concurrent_calls: None,
            last_resort: false,
        }
    }
}

/// The answer that a provider's circuit would give to a call now, read without changing anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// The call would be admitted.
    Closed,
    /// The call would be admitted as a probe.
    Probe,
    /// The call would be rejected.
    Rejected {
        /// Which rule would reject it.
        reason: Reason,
        /// When to try again; none if the circuit is held open without an end.
        until: Option<Tick>,
    },
}

/// A provider in its present situation.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'p> {
    /// The provider.
    pub provider: &'p Provider,
    /// The answer that its circuit would give.
    pub readiness: Readiness,
    /// When the last of its cooldowns ends, if one runs.
    pub cooling_until: Option<Tick>,
    /// Its calls in flight.
    pub in_flight: u32,
    /// Its recent record. Replace it with `Meter::default()` when the circuit closes: one from before counts as no
    /// record.
    pub meter: Meter,
    /// When its circuit closed; none if it never opened.
    pub closed_since: Option<Tick>,
}

impl<'p> Candidate<'p> {
    /// A provider of which nothing is known yet.
    pub fn new(provider: &'p Provider) -> Self {
        Self {
            provider,
            readiness: Readiness::Closed,
            cooling_until: None,
            in_flight: 0,
            meter: Meter::default(),
            closed_since: None,
        }
    }

    /// Whether the record says nothing: too little, too old, or from before the circuit closed.
    pub(super) fn is_cold(&self, now: Tick) -> bool {
        let is_older = self.closed_since.is_some_and(|closed| self.meter.began() < closed);
        is_older || self.meter.is_cold(now)
    }
}

/// The needs of a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Need<'n> {
    /// The abilities that its provider must have.
    pub capabilities: &'n [String],
    /// The size of the request: providers with a lower limit are left out.
    pub size: u64,
    /// After a provider refused the request as too large: only providers with a larger limit than this.
    pub larger_than: Option<u64>,
    /// The providers that this call has tried.
    pub tried: &'n [String],
    /// The provider to which the session is pinned.
    pub pin: Option<&'n str>,
    /// Whether the call may be made again if it fails. Only such a call may go to a probe while another provider
    /// takes ordinary calls.
    pub replayable: bool,
    /// The latency by which providers are compared.
    pub kind: CallKind,
}
