//! Times loops of calls. The contenders take turns in each round, so that a temporary slowdown of the machine affects
//! all of them.

use std::hint::black_box;
use std::sync::Barrier;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use core_affinity::CoreId;
use serde_json::{Value, json};

const ROUNDS: usize = 21;
/// The time of one contender's turn in a round.
const TURN: Duration = Duration::from_millis(4);

/// One way to make a call.
pub struct Contender {
    pub name: &'static str,
    /// The contender that makes the same call without a breaker; the report subtracts its time.
    pub bare: Option<&'static str>,
    pub calls: Box<dyn Calls>,
    /// Makes calls, and panics if their outcomes are not those of the path.
    pub check: Box<dyn Fn()>,
}

/// The threads that call at the same time.
#[derive(Clone, Copy, PartialEq)]
pub enum Threads {
    One,
    Two,
    /// The first and the fifth of five. A breaker counts in four stripes, assigned to threads in turn.
    FirstAndFifth,
}

impl Threads {
    fn count(self) -> usize {
        if self == Self::One { 1 } else { 2 }
    }

    /// The number of threads that start and end between the two.
    fn between(self) -> usize {
        if self == Self::FirstAndFifth { 3 } else { 0 }
    }
}

/// Calls that several threads can make at the same time.
pub trait Calls: Sync {
    /// Makes the given number of calls and returns the elapsed time.
    fn time(&self, calls: u64) -> Duration;
}

/// A factory that creates, for each thread, a function that makes one call with a given number.
impl<M, F, R> Calls for M
where
    M: Fn() -> F + Sync,
    F: FnMut(u64) -> R,
{
    fn time(&self, calls: u64) -> Duration {
        let mut call = self();
        let start = Instant::now();
        for number in 0..calls {
            // Keep the compiler from using the value of the number and from removing the unused result.
            black_box(call(black_box(number)));
        }
        start.elapsed()
    }
}

/// The cores that this process may use.
pub struct Cores(Vec<CoreId>);

impl Cores {
    pub fn available() -> Self {
        let mut cores = core_affinity::get_core_ids().expect("the cores can be listed");
        // The last cores first, because the operating system does most of its own work on the first.
        cores.reverse();
        Self(cores)
    }

    /// Nanoseconds per call and thread, for each contender and each round.
    pub fn measure(&self, path: &str, threads: Threads, contenders: &[Contender]) -> Vec<Value> {
        eprintln!("{path}");
        contenders.iter().for_each(|contender| (contender.check)());
        let calls: Vec<u64> = contenders.iter().map(|contender| self.calls_per_turn(threads, contender)).collect();
        let mut readings = vec![Vec::with_capacity(ROUNDS); contenders.len()];
        for _ in 0..ROUNDS {
            for ((contender, calls), readings) in contenders.iter().zip(&calls).zip(&mut readings) {
                readings.push(self.turn(threads, contender, *calls).as_nanos() as f64 / *calls as f64);
            }
        }
        contenders.iter().for_each(|contender| (contender.check)());
        let named = contenders.iter().zip(readings);
        named.map(|(it, ns)| json!({ "path": path, "contender": it.name, "bare": it.bare, "ns": ns })).collect()
    }

    fn calls_per_turn(&self, threads: Threads, contender: &Contender) -> u64 {
        let mut calls = 1_000;
        loop {
            let taken = self.turn(threads, contender, calls);
            if taken > TURN / 4 {
                return (calls as f64 * TURN.as_secs_f64() / taken.as_secs_f64()) as u64;
            }
            calls *= 2;
        }
    }

    /// All threads make the calls at the same time, each on its own core; the time of the slowest one counts.
    fn turn(&self, threads: Threads, contender: &Contender, calls: u64) -> Duration {
        let start = &Barrier::new(threads.count());
        let run = |core, ready: Sender<()>| {
            core_affinity::set_for_current(core);
            contender.calls.time(1);
            ready.send(()).expect("the other end waits");
            start.wait();
            contender.calls.time(calls)
        };
        thread::scope(|scope| {
            let cores = self.0.iter().cycle().take(threads.count());
            let running: Vec<_> = cores
                .map(|core| {
                    let (ready, is_ready) = channel();
                    let running = scope.spawn(move || run(*core, ready));
                    is_ready.recv().expect("no call panics");
                    for _ in 0..threads.between() {
                        scope.spawn(|| contender.calls.time(1)).join().expect("no call panics");
                    }
                    running
                })
                .collect();
            running.into_iter().map(|thread| thread.join().expect("no call panics")).max().unwrap_or_default()
        })
    }
}
