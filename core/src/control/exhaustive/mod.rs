//! Exhaustive check that the circuit cannot get stuck: every reachable control value of small configurations, under
//! every event and every interleaving of up to four calls in flight, with time moving tick by tick.
//!
//! - `families`: the configurations, alone and in pairs between which an operator switches.
//! - `situation`: a control value together with the unsettled permits. Moments are relative to now, and all older
//!   generations count as one, so there are finitely many situations; the search visits all of them.
//! - `events`: everything that can happen next, each compared with what the table of the text says of it.
//! - `promises`: the properties that hold in every situation.
//!
//! `HALFOPEN_PROVE=1` widens the configurations.

mod events;
mod families;
mod promises;
mod situation;

use alloc::vec::Vec;
use core::time::Duration;
use std::collections::HashSet;
use std::println;

use super::{Control, Jitter, Phase, Probing};
use crate::clock::Tick;
use crate::config::{Config, Rules};
use situation::Situation;

/// Now, in every situation: far enough from the origin for moments before it.
const NOW: Tick = Tick::from_nanos(1_000);
/// Longer than any wait and any probe timeout of these configurations.
const LONG: Duration = Duration::from_nanos(1_000);
const CALLS_IN_FLIGHT: usize = 4;

fn nanos(count: u64) -> Duration {
    Duration::from_nanos(count)
}

#[derive(Default)]
struct Visited {
    values: HashSet<Control>,
    situations: HashSet<Situation>,
    edges: u64,
}

#[test]
fn every_reachable_value_keeps_every_promise() {
    let wide = std::env::var_os("HALFOPEN_PROVE").is_some();
    let (mut configurations, mut values, mut situations, mut edges) = (0, 0, 0, 0);
    for family in families::all(wide) {
        let visited = explore(&family);
        configurations += family.len();
        values += visited.values.len();
        situations += visited.situations.len();
        edges += visited.edges;
    }
    println!("exhaustive: {configurations} configurations, {values} values, {situations} situations, {edges} edges");
    assert!(edges > 1_000_000, "the search ended early");
}

fn explore(family: &[Rules]) -> Visited {
    let mut visited = Visited::default();
    let mut open = Vec::from([Situation::first(family)]);
    while let Some(situation) = open.pop() {
        if !visited.situations.insert(situation.clone()) {
            continue;
        }
        visited.values.insert(situation.control);
        promises::check(&situation, &family[situation.in_force]);
        for next in events::successors(&situation, family) {
            visited.edges += 1;
            open.push(next.canonical(family));
        }
    }
    visited
}

#[test]
fn the_search_finds_a_circuit_that_is_stuck() {
    // A negative control: a slot without a holder must be noticed.
    let rules = *Config::default().rules();
    let probing = Probing { successes: 0, slots: 1, slot_epoch: 1, active: NOW };
    let control = Control { phase: Phase::HalfOpen(probing), ..Control::new(&rules, Jitter { seed: 0 }) };
    let leaked = Situation { control, in_force: 0, unsettled: Vec::new() };
    assert!(std::panic::catch_unwind(|| promises::check(&leaked, &rules)).is_err());
}
