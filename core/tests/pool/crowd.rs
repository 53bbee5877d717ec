//! Many calls at a time, on a pool and real breakers: a host whose calls last, so that their attempts overlap.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::control::Jitter;
use halfopen::pool::{CallKind, Circuit, MoveAfter, Need, Policy, Pool, Price, Provider};
use halfopen::{CircuitBreaker, Config, Outcome, Permit};

use crate::world::Random;

/// How a provider behaves at a time.
#[derive(Clone, Copy)]
pub struct Behaviour {
    pub seconds: f64,
    /// Failures in 1000 calls.
    pub failing: u64,
    /// With more requests in flight, all get slower. Requests whose callers have given up count too.
    pub capacity: f64,
}

/// The behaviour of a provider over time, which is in seconds.
pub type Script = fn(f64) -> Behaviour;

/// A provider that answers after this time.
pub fn answers(seconds: f64) -> Behaviour {
    Behaviour { seconds, failing: 0, capacity: f64::INFINITY }
}

pub struct Crowd {
    /// Calls each second.
    pub rate: u32,
    pub timeout: f64,
    pub failure_threshold: u16,
    pub scripts: Vec<Script>,
}

/// How the calls of a run ended.
#[derive(Debug, Default)]
pub struct Figures {
    pub calls: u32,
    pub served: u32,
    /// Calls that ended because the budget did not pay.
    pub unpaid: u32,
    /// Calls without a provider left to try.
    pub exhausted: u32,
    pub attempts: u32,
    /// Further attempts that were paid and failed, and those that were free.
    pub paid_failures: u32,
    pub free_moves: u32,
    /// The most calls in flight at once.
    pub most_in_flight: usize,
}

struct Attempt<'b> {
    call: usize,
    provider: usize,
    permit: Permit<'b, ManualClock>,
    begun: Tick,
    outcome: Result<(), MoveAfter>,
    price: Option<Price>,
}

impl Crowd {
    /// Runs for this many seconds. Each provider is of a tier of its own.
    pub fn run(&self, seconds: u32) -> Figures {
        let clock = ManualClock::new();
        let declared = (0..self.scripts.len()).map(|at| Provider { tier: at as u32, ..Provider::new(format!("{at}")) });
        let mut pool = Pool::new(Policy { min_health: 0.0, ..Policy::default() }, declared.collect(), 7).unwrap();
        let breaker = |at| {
            let config = Config::builder().name(format!("{at}").as_str()).failure_threshold(self.failure_threshold);
            let config = config.timeout(Duration::from_secs(5)).half_open_max_calls(1).build().unwrap();
            CircuitBreaker::with_jitter(config, clock.clone(), Jitter { seed: 7 })
        };
        let breakers: Vec<_> = (0..self.scripts.len()).map(breaker).collect();
        let mut figures = Figures::default();
        let mut random = Random(7);
        let mut working: Vec<Vec<Tick>> = vec![Vec::new(); breakers.len()];
        let mut tried: Vec<Vec<String>> = Vec::new();
        let mut ends: BinaryHeap<Reverse<(Tick, usize)>> = BinaryHeap::new();
        let mut attempts: Vec<Option<Attempt<'_>>> = Vec::new();
        loop {
            let arrival = Tick::from_nanos(u64::from(figures.calls) * 1_000_000_000 / u64::from(self.rate));
            let arrives = figures.calls < self.rate * seconds;
            let next_end = ends.peek().map(|Reverse((at, _))| *at);
            let ended = next_end.filter(|at| !arrives || *at <= arrival);
            if !arrives && ended.is_none() {
                return figures;
            }
            let now = ended.unwrap_or(arrival);
            clock.set(now);
            let mut left = None;
            let call = if ended.is_some() {
                let Reverse((_, at)) = ends.pop().unwrap();
                let Attempt { call, provider, permit, begun, outcome, price } = attempts[at].take().unwrap();
                pool.leave(provider);
                if let Err(after) = outcome {
                    permit.failure();
                    pool.failed(provider, now);
                    pool.settle(price, Outcome::FAILURE);
                    figures.paid_failures += u32::from(price.is_some_and(|price| !price.is_free()));
                    left = Some((provider, after));
                    call
                } else {
                    permit.success();
                    pool.closed(provider, breakers[provider].closed_since());
                    pool.succeeded(provider, now, now.since(begun), CallKind::Unary);
                    pool.settle(price, Outcome::Success);
                    figures.served += 1;
                    continue;
                }
            } else {
                figures.calls += 1;
                tried.push(Vec::new());
                tried.len() - 1
            };
            let circuits: Vec<Circuit> = breakers.iter().map(|breaker| breaker.circuit_at(now)).collect();
            let need = Need { tried: &tried[call], replayable: true, ..Need::default() };
            let order = pool.choose(&circuits, &need, now);
            let price = left.map(|(from, after)| pool.price_of_move(from, circuits[from], after, now));
            if price == Some(None) && !order.picks.is_empty() {
                figures.unpaid += 1;
                continue;
            }
            // A rejection costs nothing: the next one is asked.
            let admitted = order.picks.iter().find_map(|pick| Some((pick.index, breakers[pick.index].acquire().ok()?)));
            let Some((provider, permit)) = admitted else {
                figures.exhausted += 1;
                continue;
            };
            pool.enter(provider);
            tried[call].push(pool.providers()[provider].id.clone());
            let behaviour = self.scripts[provider](now.as_seconds());
            working[provider].retain(|end| *end > now);
            let load = (working[provider].len() as f64 / behaviour.capacity).max(1.0);
            let takes = behaviour.seconds * load * (0.7 + 0.6 * random.below(1000) as f64 / 1000.0);
            working[provider].push(now.after(Duration::from_secs_f64(takes)));
            let outcome = if takes >= self.timeout {
                Err(MoveAfter::Timeout)
            } else if random.below(1000) < behaviour.failing {
                Err(MoveAfter::Failure)
            } else {
                Ok(())
            };
            figures.attempts += 1;
            figures.free_moves += u32::from(price.flatten().is_some_and(|price| price.is_free()));
            ends.push(Reverse((now.after(Duration::from_secs_f64(takes.min(self.timeout))), attempts.len())));
            attempts.push(Some(Attempt { call, provider, permit, begun: now, outcome, price: price.flatten() }));
            figures.most_in_flight = figures.most_in_flight.max(ends.len());
        }
    }
}
