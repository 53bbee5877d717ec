//! Every interleaving of two and three threads on one breaker, as far as the memory model allows it.
//!
//! `RUSTFLAGS="--cfg loom" cargo test --package halfopen --release --test loom --target-dir target/loom`
#![cfg(loom)]

mod calls;
mod clock;
mod operator;

use core::time::Duration;
use std::sync::Arc as Shared;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread as real;

use halfopen::clock::ManualClock;
use halfopen::config::ConfigBuilder;
use halfopen::{CircuitBreaker, Config, Outcome};
use loom::sync::Arc;
use loom::thread;

type Breaker = CircuitBreaker<ManualClock>;

/// Durations are recorded only where a test asks for them, because their histogram decides nothing.
fn config() -> ConfigBuilder {
    Config::builder().failure_threshold(1).success_threshold(1).half_open_max_calls(1).record_durations(false)
}

fn breaker(config: ConfigBuilder) -> Arc<Breaker> {
    Arc::new(CircuitBreaker::with_clock(config.build().unwrap(), ManualClock::new()))
}

/// Open, with its wait over.
fn about_to_probe(config: ConfigBuilder) -> Arc<Breaker> {
    let breaker = breaker(config.timeout(Duration::from_secs(1)));
    breaker.acquire().unwrap().failure();
    breaker.clock().advance(Duration::from_secs(1));
    breaker
}

fn call(breaker: &Breaker, outcome: Outcome) -> bool {
    breaker.acquire().map(|permit| permit.settle(outcome)).is_ok()
}

/// The number of preemptions, where searching all of them would take too long. Two show nearly all known concurrency
/// defects (Musuvathi and Qadeer: Iterative context bounding, 2007). With `HALFOPEN_PROVE` it is one more, which takes
/// minutes.
fn bounded() -> Option<usize> {
    Some(if std::env::var_os("HALFOPEN_PROVE").is_some() { 3 } else { 2 })
}

fn three_threads(check: impl Fn() + Sync + Send + 'static) {
    search(bounded(), check);
}

/// The pair is searched in both orders. loom remembers only the last access to each place when it looks for another
/// order of two accesses, so its findings depend on which thread ran first.
fn two_threads(preemptions: Option<usize>, check: impl Fn(Turn) + Sync + Send + Copy + 'static) {
    search(preemptions, move || check(Turn::FirstSpawned));
    search(preemptions, move || check(Turn::SecondSpawned));
}

fn search(preemptions: Option<usize>, check: impl Fn() + Sync + Send + 'static) {
    let executions = Shared::new(AtomicU64::new(0));
    let counted = Shared::clone(&executions);
    let mut search = loom::model::Builder::new();
    search.preemption_bound = preemptions;
    search.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        check();
    });
    println!(
        "loom: {} executions of {}",
        executions.load(Ordering::Relaxed),
        real::current().name().unwrap_or_default()
    );
}

#[derive(Clone, Copy)]
enum Turn {
    FirstSpawned,
    SecondSpawned,
}

impl Turn {
    /// Runs both at once, on the same breaker.
    fn race<A: 'static, B: 'static>(
        self,
        breaker: &Arc<Breaker>,
        first: impl FnOnce(&Breaker) -> A + 'static,
        second: impl FnOnce(&Breaker) -> B + 'static,
    ) -> (A, B) {
        let shared = Arc::clone(breaker);
        match self {
            Self::FirstSpawned => {
                let spawned = thread::spawn(move || first(&shared));
                let second = second(breaker);
                (spawned.join().unwrap(), second)
            }
            Self::SecondSpawned => {
                let spawned = thread::spawn(move || second(&shared));
                (first(breaker), spawned.join().unwrap())
            }
        }
    }
}

fn counts_add_up(breaker: &Breaker, asked: u64) {
    let counts = breaker.counts();
    assert_eq!(counts.in_flight, 0);
    assert_eq!(counts.total_calls + counts.rejected_calls, asked);
}
