//! Choosing among five providers, by strategy.

use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::pool::{CallKind, Candidate, Meter, Need, Policy, PoolState, Provider, Strategy, choose};

use crate::harness::Contender;

const NOW: Tick = Tick::from_nanos(60_000_000_000);

/// One contender for each strategy. All providers are available and have a record.
pub fn strategies() -> Vec<Contender> {
    let providers = ["gemini", "openai", "deepgram", "anthropic", "mistral"].map(Provider::new);
    let providers: &'static [Provider] = Box::leak(Box::new(providers));
    Strategy::ALL.iter().map(|strategy| contender(*strategy, providers)).collect()
}

fn contender(strategy: Strategy, providers: &'static [Provider]) -> Contender {
    let policy = Policy { strategy, ..Policy::default() };
    Contender::unguarded(strategy.as_str(), move || {
        let candidates: Vec<Candidate<'static>> = providers.iter().enumerate().map(recorded).collect();
        let mut state = PoolState::new(7);
        move |_| {
            let before = std::mem::replace(&mut state, PoolState::new(0));
            let (after, order) = choose(&policy, before, &candidates, &Need::default(), NOW);
            state = after;
            order
        }
    })
}

/// A candidate with ten successes, each a little slower than the one before it.
fn recorded((at, provider): (usize, &'static Provider)) -> Candidate<'static> {
    let latency = Duration::from_millis(400 + 20 * at as u64);
    let meter = (0..10).fold(Meter::default(), |meter, _| meter.success(NOW, latency, CallKind::Unary));
    Candidate { meter, ..Candidate::new(provider) }
}
