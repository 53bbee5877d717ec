//! Every sequence of events of a whole breaker up to a length, with up to three calls in flight, on a clock that goes
//! forward and back. After each event the numbers are compared with separate counts.
//!
//! The machine alone is searched without a bound on the length (`control::exhaustive`, in the crate). Here the search
//! includes its evidence: the counters, the window, the history, the snapshot. Of several sequences that lead to the same
//! readings, only one is continued. `HALFOPEN_PROVE=1` makes them longer.

mod world;

use std::collections::HashSet;
use std::time::Duration;

use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::{Config, Outcome};
use world::{Event, World};

const CALLS_IN_FLIGHT: usize = 3;
/// A tenth of a second, so that it is a bucket of the shortest window of seconds.
const UNIT: Duration = Duration::from_millis(100);

#[test]
fn every_short_sequence_adds_up() {
    let length = if std::env::var_os("HALFOPEN_PROVE").is_some() { 12 } else { 8 };
    let (mut situations, mut events) = (0, 0);
    for pair in pairs() {
        let (reached, happened) = explore(&pair, length);
        situations += reached;
        events += happened;
    }
    println!("sequences: {length} events long, {situations} situations, {events} events");
    assert!(events > 10_000, "the search ended early");
}

/// The configuration that a breaker begins with, and the one that an operator switches to.
fn pairs() -> Vec<[Config; 2]> {
    let streak = || builder().failure_threshold(2);
    let calls = || builder().failure_threshold(None).failure_rate_threshold(0.5).window(WindowShape::Calls(3));
    let slow = || builder().failure_threshold(3).slow_call(UNIT).slow_call_rate_threshold(1.0);
    let pairs = [
        [streak(), calls()],
        [calls().timeout_multiplier(2.0), streak().half_open_max_calls(1).shadow(true)],
        [
            slow().window(WindowShape::Time(Duration::from_secs(1))),
            slow().window(WindowShape::Calls(2)).record_durations(false),
        ],
        [streak().shadow(true).cancel_failure_after(2 * UNIT), streak().record_durations(false)],
    ];
    pairs.map(|pair| pair.map(|builder| builder.build().unwrap())).into()
}

fn builder() -> ConfigBuilder {
    Config::builder().success_threshold(2).half_open_max_calls(2).timeout(2 * UNIT).probe_timeout(UNIT).minimum_calls(2)
}

/// How many situations there are within `length` events, and how many events lead from one to another.
fn explore(pair: &[Config; 2], length: usize) -> (usize, usize) {
    let mut known = HashSet::from([World::new(pair).key()]);
    let mut sequences = vec![Vec::new()];
    let mut events = 0;
    for _ in 0..length {
        let mut longer = Vec::new();
        for sequence in sequences {
            for event in possible(&World::after(pair, &sequence)) {
                let mut world = World::after(pair, &sequence);
                world.apply(event);
                events += 1;
                if known.insert(world.key()) {
                    longer.push([sequence.as_slice(), &[event]].concat());
                }
            }
        }
        sequences = longer;
    }
    (known.len(), events)
}

fn possible(world: &World<'_>) -> Vec<Event> {
    let mut events = vec![
        Event::Pass,
        Event::StepBack,
        Event::ForceOpen(None),
        Event::ForceOpen(Some(1)),
        Event::Disable,
        Event::Reset,
    ];
    events.extend([Event::Switch, Event::Restart]);
    if world.calls() < CALLS_IN_FLIGHT {
        events.push(Event::Acquire);
    }
    events.extend((0..world.calls()).flat_map(|call| Outcome::ALL.iter().map(move |how| Event::Settle(call, *how))));
    events
}
