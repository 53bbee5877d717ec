//! Reads a pool from a document: docs/pool.md, section 6.

use core::time::Duration;

use super::{Hedge, Policy, Pool, Provider};
use crate::config::document::{Fields, read_fields};
use crate::config::{InvalidValue, Value};

/// The fields of a policy.
const POLICY: [&str; 7] =
    ["strategy", "min_health", "strict_pin", "slow_start_ms", "on_exhausted", "hedge_after_ms", "hedge_percentile"];

impl Pool {
    /// A pool as a document describes it; without a `seed` in it, that one is used.
    ///
    /// # Errors
    /// [`InvalidValue`], naming the field.
    pub fn from_value(document: &Value, seed: u64) -> Result<Self, InvalidValue> {
        let fields = Fields::of("pool", document)?.only(&[&POLICY[..], &["seed", "providers"]].concat())?;
        let policy = policy(&fields)?;
        let seed = fields.get_or("seed", seed)?;
        let providers = fields.get::<&[Value]>("providers")?.iter().map(Provider::from_value);
        let providers: Result<_, _> = providers.collect();
        Self::new(policy, providers?, seed)
    }
}

impl Policy {
    /// A policy as a document of these fields alone describes it.
    ///
    /// # Errors
    /// [`InvalidValue`], naming the field.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        policy(&Fields::of("policy", document)?.only(&POLICY)?)
    }
}

impl Provider {
    /// A provider as a document describes it.
    ///
    /// # Errors
    /// [`InvalidValue`], naming the field.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        let default = Self::new("");
        read_fields!(
            Fields::of("providers", document)?,
            Self {
                id,
                tier = default.tier,
                weight = default.weight,
                enabled = default.enabled,
                capabilities,
                limit,
                key,
                model,
                max_concurrent_calls,
                last_resort = default.last_resort,
            }
        )
    }
}

/// A time in whole milliseconds.
pub(super) fn millis(fields: &Fields<'_, '_>, name: &str) -> Result<Option<Duration>, InvalidValue> {
    Ok(fields.get::<Option<u64>>(name)?.map(Duration::from_millis))
}

fn policy(fields: &Fields<'_, '_>) -> Result<Policy, InvalidValue> {
    let default = Policy::default();
    Ok(Policy {
        strategy: fields.get_or("strategy", default.strategy)?,
        min_health: min_health(fields)?.unwrap_or(default.min_health),
        strict_pin: fields.get_or("strict_pin", default.strict_pin)?,
        slow_start: millis(fields, "slow_start_ms")?.unwrap_or(default.slow_start),
        on_exhausted: fields.get_or("on_exhausted", default.on_exhausted)?,
        hedge: hedge(fields)?,
    })
}

fn min_health(fields: &Fields<'_, '_>) -> Result<Option<f64>, InvalidValue> {
    let health: Option<f64> = fields.get("min_health")?;
    let is_share = health.is_none_or(|health| (0.0..=1.0).contains(&health));
    is_share.then_some(health).ok_or_else(|| fields.refused("min_health", "a number from 0 to 1"))
}

fn hedge(fields: &Fields<'_, '_>) -> Result<Option<Hedge>, InvalidValue> {
    let after = millis(fields, "hedge_after_ms")?;
    let Some(percentile) = fields.get::<Option<u64>>("hedge_percentile")? else {
        return Ok(after.map(|after| Hedge { percentile: None, after }));
    };
    let allowed = || fields.refused("hedge_percentile", "a whole number from 50 to 99");
    let percentile = u8::try_from(percentile).ok().filter(|it| (50..=99).contains(it)).ok_or_else(allowed)?;
    Ok(Some(Hedge { percentile: Some(percentile), after: after.unwrap_or(Hedge::SHORTEST) }))
}
