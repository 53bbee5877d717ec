//! Reads a pool from a document: docs/pool.md, section 6.

use alloc::format;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Hedge, OnExhausted, Policy, Pool, Provider, Strategy};
use crate::config::{Fields, InvalidValue, Value};

impl Pool {
    /// A pool as a document describes it; without a `seed` in it, that one is used.
    ///
    /// # Errors
    /// [`InvalidValue`], naming the field.
    pub fn from_value(document: &Value, seed: u64) -> Result<Self, InvalidValue> {
        let known = &[
            "strategy",
            "min_health",
            "strict_pin",
            "slow_start_ms",
            "on_exhausted",
            "hedge_after_ms",
            "hedge_percentile",
            "seed",
            "providers",
        ];
        let fields = Fields::of("pool", document, known)?;
        let default = Policy::default();
        let policy = Policy {
            strategy: fields.named("strategy", Strategy::ALL, Strategy::NAMES, default.strategy)?,
            min_health: fields.number("min_health", 0.0..=1.0)?.unwrap_or(default.min_health),
            strict_pin: fields.flag("strict_pin", default.strict_pin)?,
            slow_start: fields.count("slow_start_ms")?.map_or(default.slow_start, Duration::from_millis),
            on_exhausted: fields.named("on_exhausted", OnExhausted::ALL, OnExhausted::NAMES, default.on_exhausted)?,
            hedge: hedge(&fields)?,
        };
        let seed = fields.count("seed")?.unwrap_or(seed);
        let providers: Result<Vec<_>, _> = fields.list("providers")?.iter().map(Provider::from_value).collect();
        Self::new(policy, providers?, seed)
    }
}

impl Provider {
    /// A provider as a document describes it.
    ///
    /// # Errors
    /// [`InvalidValue`], naming the field.
    pub fn from_value(document: &Value) -> Result<Self, InvalidValue> {
        let known = &[
            "id",
            "tier",
            "weight",
            "enabled",
            "capabilities",
            "limit",
            "key",
            "model",
            "max_concurrent_calls",
            "last_resort",
        ];
        let fields = Fields::of("providers", document, known)?;
        let id = fields.text("id")?.ok_or_else(|| InvalidValue::new("id", document, "a text"))?;
        let small = |name: &str| {
            let fits = fields.count(name)?.map(u32::try_from).transpose();
            fits.map_err(|_| InvalidValue::new(name, fields.get(name), &format!("at most {}", u32::MAX)))
        };
        let default = Self::new(id);
        Ok(Self {
            tier: small("tier")?.unwrap_or(default.tier),
            weight: small("weight")?.unwrap_or(default.weight),
            enabled: fields.flag("enabled", default.enabled)?,
            capabilities: fields.texts("capabilities")?,
            limit: fields.count("limit")?,
            key: fields.text("key")?.map(Into::into),
            model: fields.text("model")?.map(Into::into),
            max_concurrent_calls: small("max_concurrent_calls")?,
            last_resort: fields.flag("last_resort", default.last_resort)?,
            ..default
        })
    }
}

fn hedge(fields: &Fields<'_>) -> Result<Option<Hedge>, InvalidValue> {
    let after = fields.count("hedge_after_ms")?.map(Duration::from_millis);
    let Some(percentile) = fields.count("hedge_percentile")? else {
        return Ok(after.map(|after| Hedge { percentile: None, after }));
    };
    let allowed = || InvalidValue::new("hedge_percentile", &percentile.into(), "a whole number from 50 to 99");
    let percentile = u8::try_from(percentile).ok().filter(|it| (50..=99).contains(it)).ok_or_else(allowed)?;
    Ok(Some(Hedge { percentile: Some(percentile), after: after.unwrap_or(Hedge::SHORTEST) }))
}
