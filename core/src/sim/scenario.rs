//! The world outside the breaker: clients, providers, and what goes wrong when.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::config::{InvalidValue, Value};

/// The most requests that one run may have.
pub const MOST_REQUESTS: f64 = 1e7;

/// Clients, providers and faults. All times are in seconds from the start of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// What the scenario asks, for people: `Will it open?`
    #[serde(default)]
    pub question: String,
    /// The seed of all random numbers. The same seed gives the same run, to the digit, on every platform.
    #[serde(default)]
    pub seed: u64,
    /// How long clients send requests; above 0, at most a day. Requests under way at the end are waited for.
    pub seconds: f64,
    /// The requests and how clients behave.
    pub clients: Clients,
    /// The providers in order of preference, 1 to 16.
    pub providers: Vec<Provider>,
    /// The faults, in any order. Those that overlap add up.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// The worker processes, 1 to 64. Each has breakers of its own.
    #[serde(default = "one")]
    pub workers: u32,
}

/// How requests arrive, and what their senders do when one fails.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clients {
    /// Requests per second on average; above 0, at most 100,000.
    pub per_second: f64,
    /// How they are spread over time.
    #[serde(default)]
    pub arrivals: Arrivals,
    /// After this time a call is given up, which counts as a failure; above 0, at most an hour.
    #[serde(default = "thirty")]
    pub timeout_seconds: f64,
    /// How often a client repeats a call that failed, 0 to 10. A rejected call is not repeated.
    #[serde(default)]
    pub retries: u32,
    /// The wait before a repetition, ± half of it at random; it doubles each time. 0 to 60.
    #[serde(default)]
    pub backoff_seconds: f64,
}

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Arrivals {
    /// At equal distances.
    Steady,
    /// Independent of each other.
    #[default]
    Poisson,
    /// So many at once, at equal distances.
    Bursts {
        /// The requests of one burst, 1 to 10,000.
        size: u32,
    },
}

/// A provider while nothing is wrong.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// Its name, for people and for `faults`.
    pub name: String,
    /// How long a call takes.
    pub latency: Latency,
    /// The share of calls that fail in good times, 0 to 1.
    #[serde(default)]
    pub failure_rate: f64,
    /// The calls that it serves at once without becoming slower. With twice as many, each takes twice as long.
    #[serde(default)]
    pub capacity: Option<u32>,
}

/// A distribution of latencies. Seconds are above 0, at most an hour.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Latency {
    /// Every call takes the same time.
    Fixed {
        /// That time.
        seconds: f64,
    },
    /// The logarithm is normally distributed, as latencies of services roughly are.
    LogNormal {
        /// Half of the calls take at most this long.
        median_seconds: f64,
        /// The standard deviation of the logarithm, 0 to 3; 0.5 puts one call in twenty above 2.3 medians.
        sigma: f64,
    },
    /// Two kinds of call, such as hits and misses of a cache.
    Bimodal {
        /// How long most calls take.
        fast_seconds: f64,
        /// How long the others take.
        slow_seconds: f64,
        /// The share of the others, 0 to 1.
        slow_share: f64,
    },
}

/// Something that is wrong with a provider for a while.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// The provider's name.
    pub provider: String,
    /// When it begins.
    pub from_seconds: f64,
    /// When it ends; after the beginning.
    pub to_seconds: f64,
    /// What is wrong.
    pub effect: Effect,
}

/// What is wrong with a provider. Shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Effect {
    /// Every call fails at once, as a refused connection does.
    Down,
    /// A share of the calls fails.
    BrownOut {
        /// That share.
        share: f64,
    },
    /// Calls take longer.
    Slow {
        /// So many times as long, 1 to 1,000.
        factor: f64,
    },
    /// A share of the calls never ends, so each of these takes the client's whole timeout.
    Hanging {
        /// That share.
        share: f64,
    },
    /// The first token comes late.
    SlowFirstToken {
        /// So much later, up to an hour.
        seconds: f64,
    },
    /// It is down and up in turn.
    Flapping {
        /// The length of one turn, down and up together.
        period_seconds: f64,
        /// The share of a turn in which it is down.
        down_share: f64,
    },
    /// A share of the calls is answered by 429 with `Retry-After`.
    RateLimited {
        /// That share.
        share: f64,
        /// The wait that the answer asks for, 0 to a day.
        retry_after_seconds: f64,
    },
    /// Calls of one shard fail; which shard a request belongs to stays the same at each attempt.
    BadShards {
        /// How many shards there are, 1 to 1,000.
        shards: u32,
        /// How many of them fail, at most all.
        bad: u32,
    },
    /// Instances are replaced one after the other. Each is cold for a while: its calls are slow, and a share fails.
    Deploy {
        /// From one replacement to the next.
        every_seconds: f64,
        /// How long an instance is cold.
        cold_seconds: f64,
        /// How many times as long a call takes meanwhile, 1 to 1,000.
        factor: f64,
        /// The share that fails meanwhile.
        share: f64,
    },
}

const fn one() -> u32 {
    1
}

const fn thirty() -> f64 {
    30.0
}

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

impl Provider {
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

impl Scenario {
    /// Reads a scenario from JSON and checks it.
    ///
    /// # Errors
    /// [`InvalidValue`] names the field, or `scenario` for a text that is no scenario.
    pub fn from_json(text: &str) -> Result<Self, InvalidValue> {
        let scenario: Self = serde_json::from_str(text)
            .map_err(|error| InvalidValue::new("scenario", &Value::from(text), &error.to_string()))?;
        scenario.check()?;
        Ok(scenario)
    }
}
