//! The anchor of a fast counter, renewed while other threads read it.

use core::time::Duration;
use std::sync::Arc as Shared;
use std::sync::atomic::{AtomicU64, Ordering};

use halfopen::clock::{Clock, CounterClock, Tick};
use loom::sync::Arc;
use loom::thread;

use crate::{Turn, bounded, two_threads};

/// Four counts to a nanosecond: a reading from one anchor is exact, and a reading that mixes two is not.
const COUNTS: u64 = 4;
const MILLISECOND: Duration = Duration::from_millis(1);

#[derive(Clone, Default)]
struct Machine(Shared<AtomicU64>);

impl Machine {
    fn now(&self) -> Tick {
        Tick::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn passes(&self, time: Duration) {
        self.0.fetch_add(time.as_nanos() as u64, Ordering::Relaxed);
    }

    /// A clock whose counter's rate is known, and whose anchor has just become too old.
    fn clock(&self) -> CounterClock<impl Fn() -> u64 + use<>, impl Clock + use<>> {
        let (counter, clock) = (self.clone(), self.clone());
        let clock = CounterClock::new(move || counter.now().as_nanos() * COUNTS, move || clock.now());
        for _ in 0..4 {
            self.passes(20 * MILLISECOND);
            clock.now();
        }
        self.passes(5 * MILLISECOND);
        clock
    }
}

/// Renews the anchor twice.
fn renew(machine: &Machine, clock: &impl Clock) {
    for _ in 0..2 {
        clock.now();
        machine.passes(5 * MILLISECOND);
    }
}

/// A reading lies between two of the machine's own.
fn read(machine: &Machine, clock: &impl Clock) {
    let before = machine.now();
    let now = clock.now();
    let after = machine.now();
    assert!((before..=after).contains(&now), "{before:?} {now:?} {after:?}");
}

#[test]
fn readings_while_the_anchor_is_renewed() {
    two_threads(bounded(), |turn| {
        let machine = Machine::default();
        let clock = Arc::new(machine.clock());
        let spawned = (machine.clone(), Arc::clone(&clock));
        match turn {
            Turn::FirstSpawned => {
                let renewing = thread::spawn(move || renew(&spawned.0, &*spawned.1));
                read(&machine, &*clock);
                renewing.join().unwrap();
            }
            Turn::SecondSpawned => {
                let reading = thread::spawn(move || read(&spawned.0, &*spawned.1));
                renew(&machine, &*clock);
                reading.join().unwrap();
            }
        }
    });
}
