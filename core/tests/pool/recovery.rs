//! A provider that heals carries traffic again within one wait, under every strategy.

use std::time::Duration;

use halfopen::clock::Tick;
use halfopen::pool::{Policy, Provider, Strategy};

use crate::world::{Behaviour, World};

const FAILS_FROM: u64 = 10;
const HEALS_AT: u64 = 31;
/// The wait of the breakers in the world.
const WAIT: u64 = 5;

fn outage(now: Tick) -> Behaviour {
    let seconds = now.as_nanos() / 1_000_000_000;
    let failing = if (FAILS_FROM..HEALS_AT).contains(&seconds) { 1000 } else { 0 };
    Behaviour { latency: Duration::from_millis(100), failing }
}

fn steady(_: Tick) -> Behaviour {
    Behaviour { latency: Duration::from_millis(105), failing: 0 }
}

fn at(seconds: f64) -> Tick {
    Tick::from_seconds(seconds).unwrap()
}

#[test]
fn a_healed_provider_carries_traffic_within_one_wait() {
    for strategy in Strategy::ALL {
        for (pin, tier) in [(None, 0), (Some("backup"), 0), (None, 1), (Some("backup"), 1)] {
            let policy = Policy { strategy: *strategy, ..Policy::default() };
            let backup = Provider { tier, ..Provider::new("backup") };
            let mut world = World::new(policy, 7, vec![(Provider::new("primary"), outage), (backup, steady)]);
            for call in 0..(50 * 60) {
                world.call(at(f64::from(call) / 50.0), pin.filter(|_| call > 50 * (FAILS_FROM as i32 + 3)));
            }
            let case = format!("{} pin {pin:?} tier {tier}", strategy.as_str());
            assert_eq!(world.lost, 0, "{case}: the backup takes every call");
            let primary = &world.members[0];
            let first = primary.calls.iter().find(|(time, succeeds)| *succeeds && *time >= at(HEALS_AT as f64));
            let (healed, _) = first.unwrap_or_else(|| panic!("{case}: it never came back"));
            assert!(*healed < at((HEALS_AT + WAIT) as f64 + 0.5), "{case}: {healed:?}");
            let during = |(time, _): &&(Tick, bool)| (at((FAILS_FROM + 3) as f64)..at(HEALS_AT as f64)).contains(time);
            let attempts = primary.calls.iter().filter(during).count();
            // One probe for each wait.
            assert!(attempts <= ((HEALS_AT - FAILS_FROM) / WAIT + 1) as usize, "{case}: {attempts} attempts");
            if pin.is_none() {
                let after = primary.calls.iter().filter(|(time, _)| *time > at(45.0)).count();
                assert!(after > 200, "{case}: {after} calls after its slow start");
            }
        }
    }
}

#[test]
fn nobody_is_called_while_everybody_is_down() {
    let down: fn(Tick) -> Behaviour = |_| Behaviour { latency: Duration::from_millis(10), failing: 1000 };
    for strategy in Strategy::ALL {
        let policy = Policy { strategy: *strategy, ..Policy::default() };
        let mut world = World::new(policy, 7, vec![(Provider::new("a"), down), (Provider::new("b"), down)]);
        for call in 0..(200 * 60) {
            world.call(at(f64::from(call) / 200.0), None);
        }
        for member in &world.members {
            // Five failures open it, and then there is one probe for each wait.
            assert!(member.calls.len() <= 5 + 12, "{strategy:?}: {} calls", member.calls.len());
            assert_eq!(member.calls.len() as u32, 5 + member.probes);
        }
    }
}
