//! Placeholder
use halfopen::{CircuitBreaker, Config, ManualClock};
use iai_callgrind::{library_benchmark, library_benchmark_group, main};
use std::hint::black_box;

fn breaker() -> &'static CircuitBreaker<ManualClock> {
    Box::leak(Box::new(CircuitBreaker::with_clock(Config::default(), ManualClock::new())))
}

#[library_benchmark(setup = breaker)]
#[bench::streak()]
fn success(breaker: &CircuitBreaker<ManualClock>) {
    for _ in 0..100 {
        let _ = black_box(breaker.call(|| black_box(Ok::<u64, u64>(1))));
    }
}
library_benchmark_group!(name = paths; benchmarks = success);
main!(library_benchmark_groups = paths);
