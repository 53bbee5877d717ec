//! The world outside the breaker: clients, providers, and what goes wrong when.

use alloc::string::String;
use alloc::vec::Vec;

use serde::Serialize;

/// The most requests that one run may have.
pub const MOST_REQUESTS: f64 = 1e7;

/// Clients, providers and faults. All times are in seconds from the start of the run.
#[derive(Clone, Debug, Serialize)]
pub struct Scenario {
    /// The question of the scenario, for people: `Will it open?`
    pub question: String,
    /// The seed of all random numbers. The same seed gives the same run, to the digit, on every platform.
    pub seed: u64,
    /// How long clients send requests; above 0, at most a day. Requests under way at the end are waited for.
    pub seconds: f64,
    /// The requests and how clients behave.
    pub clients: Clients,
    /// The providers in order of preference, 1 to 16.
    pub providers: Vec<SimulatedProvider>,
    /// The faults, in any order. Those that overlap add up.
    pub faults: Vec<Fault>,
    /// The worker processes, 1 to 64. Each has breakers of its own.
    pub workers: u32,
}

/// How requests arrive, and what their senders do when one fails.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Clients {
    /// Requests per second on average; above 0, at most 100,000.
    pub per_second: f64,
    /// How they are spread over time.
    pub arrivals: Arrivals,
    /// After this time a call is given up, which counts as a failure; above 0, at most an hour.
    pub timeout_seconds: f64,
    /// After this time a request is given up with its repetitions and failovers; above 0, at most an hour. `None` for
    /// requests that end when their calls do.
    pub deadline_seconds: Option<f64>,
    /// How often a client repeats a call that failed, 0 to 10. A rejected call is not repeated.
    pub retries: u32,
    /// The wait before a repetition, ± half of it at random; it doubles each time. 0 to 60.
    pub backoff_seconds: f64,
}

/// How requests are spread over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
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
#[derive(Clone, Debug, Serialize)]
pub struct SimulatedProvider {
    /// Its name, for people and for `faults`.
    pub name: String,
    /// How long a call takes.
    pub latency: Latency,
    /// The share of calls that fail in good times, 0 to 1.
    pub failure_rate: f64,
    /// The calls that it serves at once without becoming slower. With twice as many, each takes twice as long.
    pub capacity: Option<u32>,
}

/// A distribution of latencies. Seconds are above 0, at most an hour.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Latency {
    /// Every call takes the same time.
    Fixed {
        /// The duration of each call.
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
#[derive(Clone, Debug, Serialize)]
pub struct Fault {
    /// The provider's name.
    pub provider: String,
    /// When it begins.
    pub from_seconds: f64,
    /// When it ends; after the beginning.
    pub to_seconds: f64,
    /// The kind of fault.
    pub effect: Effect,
}

/// A kind of fault of a provider. Shares are from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Effect {
    /// Every call fails at once, as a refused connection does.
    Down,
    /// A share of the calls fails.
    BrownOut {
        /// 0 to 1.
        share: f64,
    },
    /// Calls take longer.
    Slow {
        /// How many times as long, 1 to 1,000.
        factor: f64,
    },
    /// A share of the calls never ends, so each of these takes the client's whole timeout.
    Hanging {
        /// 0 to 1.
        share: f64,
    },
    /// The first token comes late.
    SlowFirstToken {
        /// How much later, up to an hour.
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
        /// 0 to 1.
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
