//! The values that a scenario may have.

use alloc::string::String;
use alloc::vec::Vec;

use super::Setup;
use super::scenario::{Arrivals, Effect, Fault, Latency, MOST_REQUESTS, Scenario, SimulatedProvider};
use crate::config::{InvalidValue, Value};
use crate::names::Named;
use crate::pool::Strategy;

const DAY: f64 = 86_400.0;
const HOUR: f64 = 3_600.0;

impl Scenario {
    /// Checks every value.
    ///
    /// # Errors
    /// [`InvalidValue`] names the first field that is not allowed: `faults[2].share`.
    pub fn check(&self) -> Result<(), InvalidValue> {
        positive("seconds", self.seconds, DAY)?;
        positive("clients.per_second", self.clients.per_second, 100_000.0)?;
        let expected = self.seconds * self.clients.per_second;
        range("seconds * clients.per_second", expected, 0.0, MOST_REQUESTS)?;
        if let Arrivals::Bursts { size } = self.clients.arrivals {
            range("clients.arrivals.size", size.into(), 1.0, 10_000.0)?;
        }
        positive("clients.timeout_seconds", self.clients.timeout_seconds, HOUR)?;
        positive("clients.deadline_seconds", self.clients.deadline_seconds.unwrap_or(HOUR), HOUR)?;
        range("clients.retries", self.clients.retries.into(), 0.0, 10.0)?;
        range("clients.backoff_seconds", self.clients.backoff_seconds, 0.0, 60.0)?;
        range("workers", self.workers.into(), 1.0, 64.0)?;
        range("the number of providers", self.providers.len() as f64, 1.0, 16.0)?;
        for (index, provider) in self.providers.iter().enumerate() {
            provider.check(&alloc::format!("providers[{index}]"), &self.providers[..index])?;
        }
        for (index, fault) in self.faults.iter().enumerate() {
            self.check_fault(&alloc::format!("faults[{index}]"), fault)?;
        }
        Ok(())
    }

    fn check_fault(&self, at: &str, fault: &Fault) -> Result<(), InvalidValue> {
        if !self.providers.iter().any(|provider| provider.name == fault.provider) {
            let names: Vec<_> = self.providers.iter().map(|provider| provider.name.as_str()).collect();
            let value = Value::from(fault.provider.as_str());
            return Err(InvalidValue::new(&field(at, "provider"), &value, &names.join(" or ")));
        }
        range(&field(at, "from_seconds"), fault.from_seconds, 0.0, DAY)?;
        range(&field(at, "to_seconds"), fault.to_seconds, fault.from_seconds, DAY)?;
        fault.effect.check(at)
    }
}

impl SimulatedProvider {
    fn check(&self, at: &str, before: &[Self]) -> Result<(), InvalidValue> {
        if self.name.is_empty() || before.iter().any(|other| other.name == self.name) {
            let value = Value::from(self.name.as_str());
            return Err(InvalidValue::new(&field(at, "name"), &value, "a name that no other provider has"));
        }
        range(&field(at, "failure_rate"), self.failure_rate, 0.0, 1.0)?;
        range(&field(at, "capacity"), self.capacity.unwrap_or(1).into(), 1.0, 1e6)?;
        let at = field(at, "latency");
        match self.latency {
            Latency::Fixed { seconds } => positive(&field(&at, "seconds"), seconds, HOUR),
            Latency::LogNormal { median_seconds, sigma } => {
                positive(&field(&at, "median_seconds"), median_seconds, HOUR)?;
                range(&field(&at, "sigma"), sigma, 0.0, 3.0)
            }
            Latency::Bimodal { fast_seconds, slow_seconds, slow_share } => {
                positive(&field(&at, "fast_seconds"), fast_seconds, HOUR)?;
                positive(&field(&at, "slow_seconds"), slow_seconds, HOUR)?;
                range(&field(&at, "slow_share"), slow_share, 0.0, 1.0)
            }
        }
    }
}

impl Effect {
    fn check(self, at: &str) -> Result<(), InvalidValue> {
        let at = field(at, "effect");
        let share = |share| range(&field(&at, "share"), share, 0.0, 1.0);
        let factor = |factor| range(&field(&at, "factor"), factor, 1.0, 1_000.0);
        match self {
            Self::Down => Ok(()),
            Self::BrownOut { share: of } | Self::Hanging { share: of } => share(of),
            Self::Slow { factor: times } => factor(times),
            Self::SlowFirstToken { seconds } => range(&field(&at, "seconds"), seconds, 0.0, HOUR),
            Self::Flapping { period_seconds, down_share } => {
                positive(&field(&at, "period_seconds"), period_seconds, DAY)?;
                range(&field(&at, "down_share"), down_share, 0.0, 1.0)
            }
            Self::RateLimited { share: of, retry_after_seconds } => {
                range(&field(&at, "retry_after_seconds"), retry_after_seconds, 0.0, DAY)?;
                share(of)
            }
            Self::BadShards { shards, bad } => {
                range(&field(&at, "shards"), shards.into(), 1.0, 1_000.0)?;
                range(&field(&at, "bad"), bad.into(), 0.0, shards.into())
            }
            Self::Deploy { every_seconds, cold_seconds, factor: times, share: of } => {
                positive(&field(&at, "every_seconds"), every_seconds, DAY)?;
                range(&field(&at, "cold_seconds"), cold_seconds, 0.0, every_seconds)?;
                factor(times)?;
                share(of)
            }
        }
    }
}

fn field(at: &str, name: &str) -> String {
    alloc::format!("{at}.{name}")
}

fn range(field: &str, value: f64, least: f64, most: f64) -> Result<(), InvalidValue> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(InvalidValue::new(field, &Value::Number(value), &alloc::format!("a number from {least} to {most}")))
}

fn positive(field: &str, value: f64, most: f64) -> Result<(), InvalidValue> {
    if value > 0.0 && value <= most {
        return Ok(());
    }
    Err(InvalidValue::new(field, &Value::Number(value), &alloc::format!("a number above 0, at most {most}")))
}

impl Setup {
    /// The strategy of this name, for `failover`.
    ///
    /// # Errors
    /// [`InvalidValue`] names `failover` for any other text.
    pub fn strategy(name: &str) -> Result<Strategy, InvalidValue> {
        Strategy::from_name(name)
            .ok_or_else(|| InvalidValue::new("failover", &Value::from(name), &Strategy::NAMES.join(", ")))
    }
}
