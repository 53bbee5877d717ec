//! Many threads on one breaker: no count is lost, and never more probes than slots.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use halfopen::clock::{ManualClock, Tick};
use halfopen::{CircuitBreaker, Config, Outcome, State};

const THREADS: usize = 100;
const CALLS: usize = 2_000;

#[test]
fn a_hundred_threads_lose_no_count() {
    let config = Config::builder().failure_threshold(1).timeout(Duration::from_nanos(1)).build().unwrap();
    let ticks = AtomicU64::new(0);
    // Time passes with every reading, so that the circuit opens, probes and closes all the while.
    let breaker = CircuitBreaker::with_clock(config, || Tick::from_nanos(ticks.fetch_add(1, Ordering::Relaxed)));
    let start = &Barrier::new(THREADS);
    let tried: Vec<[u64; 5]> = thread::scope(|scope| {
        let breaker = &breaker;
        let workers: Vec<_> = (0..THREADS).map(|n| scope.spawn(move || work(breaker, start, n))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let sum = |column: usize| tried.iter().map(|row| row[column]).sum::<u64>();
    let counts = breaker.counts();
    assert_eq!(
        [counts.successful_calls, counts.failed_calls, counts.ignored_calls, counts.cancelled_calls],
        [sum(0), sum(1), sum(2), sum(3)]
    );
    assert_eq!(counts.rejected_calls, sum(4));
    assert_eq!(counts.total_calls + counts.rejected_calls, (THREADS * CALLS) as u64);
    assert_eq!(counts.in_flight, 0);
    let lasted = breaker.durations();
    assert_eq!((lasted.success.count(), lasted.failure.count()), (counts.successful_calls, counts.failed_calls));
    let edges: u64 = breaker.edges().iter().map(|edge| edge.count).sum();
    assert_eq!(edges, breaker.status().state_transitions);
    assert!(edges > 0, "the circuit never opened, so nothing was tried");
}

/// Settles in all four ways and says how often each, and how often it was rejected.
fn work<C: halfopen::clock::Clock>(breaker: &CircuitBreaker<C>, start: &Barrier, n: usize) -> [u64; 5] {
    start.wait();
    let mut row = [0; 5];
    for call in 0..CALLS {
        let column = match breaker.acquire() {
            Ok(permit) => {
                let column = (n + call) % Outcome::ALL.len();
                permit.settle(Outcome::ALL[column]);
                column
            }
            Err(_) => 4,
        };
        row[column] += 1;
    }
    row
}

#[test]
fn a_hundred_threads_never_take_more_probe_slots_than_there_are() {
    const SLOTS: u8 = 3;
    let clock = ManualClock::new();
    let config = Config::builder()
        .failure_threshold(1)
        .timeout(Duration::from_secs(1))
        .half_open_max_calls(SLOTS)
        .success_threshold(255)
        .build()
        .unwrap();
    let breaker = CircuitBreaker::with_clock(config, clock.clone());
    breaker.acquire().unwrap().failure();
    clock.set(Tick::from_nanos(1_000_000_000));
    let (probing, most) = (AtomicU64::new(0), AtomicU64::new(0));
    let start = &Barrier::new(THREADS);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                start.wait();
                for _ in 0..CALLS {
                    let Ok(permit) = breaker.acquire() else { continue };
                    most.fetch_max(probing.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    thread::yield_now();
                    probing.fetch_sub(1, Ordering::SeqCst);
                    permit.ignore();
                }
            });
        }
    });
    assert!((1..=u64::from(SLOTS)).contains(&most.load(Ordering::SeqCst)), "{most:?} probes at once");
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(breaker.counts().in_flight, 0);
}

#[test]
fn operators_and_callers_at_once_leave_the_numbers_whole() {
    let config = Config::builder().failure_threshold(2).build().unwrap();
    let breaker = CircuitBreaker::with_clock(config, ManualClock::new());
    let start = &Barrier::new(9);
    thread::scope(|scope| {
        let breaker = &breaker;
        for n in 0..8 {
            scope.spawn(move || work(breaker, start, n));
        }
        scope.spawn(move || {
            start.wait();
            for round in 0..CALLS {
                match round % 3 {
                    0 => breaker.force_open(None).unwrap(),
                    1 => breaker.disable(),
                    _ => breaker.reset(),
                }
            }
        });
    });
    let status = breaker.status();
    assert_eq!(status.counts.in_flight, 0);
    assert_eq!(status.counts.total_calls + status.counts.rejected_calls, (8 * CALLS) as u64);
    assert!(status.consecutive_successes == 0 || status.consecutive_failures == 0);
}
