//! A scenario from a document. Ranges are checked by [`Scenario::check`].

use alloc::vec::Vec;

use serde::{Deserialize, Deserializer};

use super::document::Object;
use super::scenario::{Arrivals, Clients, Effect, Fault, Latency, Scenario, SimulatedProvider};
use crate::config::{InvalidValue, Value};

impl Scenario {
    /// Reads a scenario from JSON and checks it.
    ///
    /// # Errors
    /// [`InvalidValue`] names the field, such as `faults[2].effect.share`, or `scenario` for a text that is not an
    /// object.
    pub fn from_json(text: &str) -> Result<Self, InvalidValue> {
        let scenario = Self::read(&Value::from_json("scenario", text)?)?;
        scenario.check()?;
        Ok(scenario)
    }

    fn read(document: &Value) -> Result<Self, InvalidValue> {
        let known = &["question", "seed", "seconds", "clients", "providers", "faults", "workers"];
        let scenario = Object::of("", "scenario", document)?.only(known)?;
        let mut providers = Vec::new();
        for provider in scenario.objects("providers")? {
            providers.push(read_provider(provider)?);
        }
        let mut faults = Vec::new();
        for fault in scenario.objects("faults")? {
            faults.push(read_fault(fault)?);
        }
        Ok(Self {
            question: scenario.text_or("question", "")?.into(),
            seed: scenario.whole_or("seed", 0)?,
            seconds: scenario.number("seconds")?,
            clients: read_clients(scenario.object("clients")?)?,
            providers,
            faults,
            workers: scenario.count_or("workers", 1)?,
        })
    }
}

/// As [`Scenario::from_json`], from any self-describing format, and without the check of its ranges.
impl<'de> Deserialize<'de> for Scenario {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

fn read_clients(clients: Object<'_>) -> Result<Clients, InvalidValue> {
    let clients = clients.only(&[
        "per_second",
        "arrivals",
        "timeout_seconds",
        "deadline_seconds",
        "retries",
        "backoff_seconds",
    ])?;
    let arrivals =
        if clients.has("arrivals") { read_arrivals(clients.object("arrivals")?)? } else { Arrivals::default() };
    Ok(Clients {
        per_second: clients.number("per_second")?,
        arrivals,
        timeout_seconds: clients.number_or("timeout_seconds", 30.0)?,
        deadline_seconds: clients.optional("deadline_seconds")?,
        retries: clients.count_or("retries", 0)?,
        backoff_seconds: clients.number_or("backoff_seconds", 0.0)?,
    })
}

fn read_arrivals(arrivals: Object<'_>) -> Result<Arrivals, InvalidValue> {
    Ok(match arrivals.named("kind", &["steady", "poisson", "bursts"])? {
        0 => arrivals.only(&["kind"]).map(|_| Arrivals::Steady)?,
        1 => arrivals.only(&["kind"]).map(|_| Arrivals::Poisson)?,
        _ => Arrivals::Bursts { size: arrivals.only(&["kind", "size"])?.count("size")? },
    })
}

fn read_provider(provider: Object<'_>) -> Result<SimulatedProvider, InvalidValue> {
    let provider = provider.only(&["name", "latency", "failure_rate", "capacity"])?;
    Ok(SimulatedProvider {
        name: provider.text("name")?.into(),
        latency: read_latency(provider.object("latency")?)?,
        failure_rate: provider.number_or("failure_rate", 0.0)?,
        capacity: if provider.has("capacity") { Some(provider.count("capacity")?) } else { None },
    })
}

fn read_latency(latency: Object<'_>) -> Result<Latency, InvalidValue> {
    Ok(match latency.named("kind", &["fixed", "log_normal", "bimodal"])? {
        0 => Latency::Fixed { seconds: latency.only(&["kind", "seconds"])?.number("seconds")? },
        1 => {
            let latency = latency.only(&["kind", "median_seconds", "sigma"])?;
            Latency::LogNormal { median_seconds: latency.number("median_seconds")?, sigma: latency.number("sigma")? }
        }
        _ => {
            let latency = latency.only(&["kind", "fast_seconds", "slow_seconds", "slow_share"])?;
            Latency::Bimodal {
                fast_seconds: latency.number("fast_seconds")?,
                slow_seconds: latency.number("slow_seconds")?,
                slow_share: latency.number("slow_share")?,
            }
        }
    })
}

fn read_fault(fault: Object<'_>) -> Result<Fault, InvalidValue> {
    let fault = fault.only(&["provider", "from_seconds", "to_seconds", "effect"])?;
    Ok(Fault {
        provider: fault.text("provider")?.into(),
        from_seconds: fault.number("from_seconds")?,
        to_seconds: fault.number("to_seconds")?,
        effect: read_effect(fault.object("effect")?)?,
    })
}

/// The kinds of fault, each with its parameters.
const EFFECTS: &[(&str, &[&str])] = &[
    ("down", &["kind"]),
    ("brown_out", &["kind", "share"]),
    ("slow", &["kind", "factor"]),
    ("hanging", &["kind", "share"]),
    ("slow_first_token", &["kind", "seconds"]),
    ("flapping", &["kind", "period_seconds", "down_share"]),
    ("rate_limited", &["kind", "share", "retry_after_seconds"]),
    ("bad_shards", &["kind", "shards", "bad"]),
    ("deploy", &["kind", "every_seconds", "cold_seconds", "factor", "share"]),
];

fn read_effect(effect: Object<'_>) -> Result<Effect, InvalidValue> {
    let names = EFFECTS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
    let (name, parameters) = EFFECTS[effect.named("kind", &names)?];
    let effect = effect.only(parameters)?;
    Ok(match name {
        "down" => Effect::Down,
        "brown_out" => Effect::BrownOut { share: effect.number("share")? },
        "slow" => Effect::Slow { factor: effect.number("factor")? },
        "hanging" => Effect::Hanging { share: effect.number("share")? },
        "slow_first_token" => Effect::SlowFirstToken { seconds: effect.number("seconds")? },
        "flapping" => Effect::Flapping {
            period_seconds: effect.number("period_seconds")?,
            down_share: effect.number("down_share")?,
        },
        "rate_limited" => Effect::RateLimited {
            share: effect.number("share")?,
            retry_after_seconds: effect.number("retry_after_seconds")?,
        },
        "bad_shards" => Effect::BadShards { shards: effect.count("shards")?, bad: effect.count("bad")? },
        _ => Effect::Deploy {
            every_seconds: effect.number("every_seconds")?,
            cold_seconds: effect.number("cold_seconds")?,
            factor: effect.number("factor")?,
            share: effect.number("share")?,
        },
    })
}
