//! The promise on the door, checked without an example: every reachable control value of small configurations, under
//! every event and every interleaving of up to four calls in flight, with time moving tick by tick.
//!
//! A reachable situation is the control value together with the permits that are out. Moments are kept relative to
//! now, and of an older generation only that it is older, so there are finitely many; the search visits all of them.
//! `HALFOPEN_PROVE=1` widens the configurations.

use alloc::vec::Vec;
use core::time::Duration;
use std::collections::HashSet;
use std::println;

use super::settle::Judged;
use super::wait::Wait;
use super::{Admission, Cause, Control, Jitter, Mode, Openings, Outcome, Phase, Reason, Stamp, State};
use crate::clock::Tick;
use crate::config::{Config, Rules};

/// Now, in every situation: far enough from the origin for moments before it.
const NOW: u64 = 1_000;
const CALLS_IN_FLIGHT: usize = 4;

/// A permit that is out, and whether it holds a probe slot: kept here, by the rules of the text, not by the machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
struct Out {
    generation: u64,
    lap: u32,
    holds_slot: bool,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Situation {
    control: Control,
    out: Vec<Out>,
}

#[derive(Default)]
struct Visited {
    values: HashSet<Control>,
    situations: HashSet<Situation>,
    edges: u64,
}

fn tick(at: u64) -> Tick {
    Tick::from_nanos(at)
}

fn nanos(count: u64) -> Duration {
    Duration::from_nanos(count)
}

#[test]
fn every_reachable_value_keeps_every_promise() {
    let wide = std::env::var_os("HALFOPEN_PROVE").is_some();
    let (mut configurations, mut values, mut situations, mut edges) = (0, 0, 0, 0);
    for rules in configurations_to_check(wide) {
        let visited = explore(&rules);
        configurations += 1;
        values += visited.values.len();
        situations += visited.situations.len();
        edges += visited.edges;
    }
    println!("exhaustive: {configurations} configurations, {values} values, {situations} situations, {edges} edges");
    assert!(edges > 10_000, "the search went nowhere");
}

fn configurations_to_check(wide: bool) -> Vec<Rules> {
    let most = if wide { 3 } else { 2 };
    let mut all = Vec::new();
    for failures in 1..=most {
        for successes in 1..=most as u8 {
            for slots in 1..=most as u8 {
                for (timeout, probe_timeout, factor, shadow) in
                    [(2, 3, 1.0, false), (2, 1, 2.0, false), (3, 2, 1.0, true)]
                {
                    let second = 1e-9;
                    let config = Config::builder()
                        .failure_threshold(failures)
                        .success_threshold(successes)
                        .half_open_max_calls(slots)
                        .timeout_seconds(f64::from(timeout) * second)
                        .probe_timeout_seconds(f64::from(probe_timeout) * second)
                        .timeout_multiplier(factor)
                        .max_timeout_seconds(4.0 * second)
                        .shadow(shadow);
                    all.push(*config.build().unwrap().rules());
                }
            }
        }
    }
    all
}

fn explore(rules: &Rules) -> Visited {
    let mut visited = Visited::default();
    let start = Situation { control: Control::new(rules, Jitter { seed: 0 }), out: Vec::new() }.settled_in_time(rules);
    let mut open = Vec::from([start]);
    while let Some(situation) = open.pop() {
        if !visited.situations.insert(situation.clone()) {
            continue;
        }
        visited.values.insert(situation.control);
        check(&situation, rules);
        for next in successors(&situation, rules) {
            visited.edges += 1;
            open.push(next.settled_in_time(rules));
        }
    }
    visited
}

/// What holds in every situation, whatever led to it.
fn check(situation: &Situation, rules: &Rules) {
    let Situation { control, out } = situation;
    let held = out.iter().filter(|permit| permit.holds_slot && permit.generation == control.generation).count();
    assert_eq!(usize::from(control.probe_slots()), held, "slots taken are the slots held: {situation:?}");
    assert!(control.probe_slots() <= rules.half_open_max_calls, "never more than there are: {situation:?}");
    assert!(control.retry_after_at(tick(NOW)).is_none_or(|left| !left.is_zero()), "a wait that is told is not over");

    // Some finite passing of time admits a call, unless an operator holds the circuit open without end.
    let held_without_end = matches!(control.phase, Phase::Open { wait: None, .. });
    let long = tick(NOW + 1_000);
    let (_, later) = control.acquire(rules, long);
    assert_eq!(matches!(later, Admission::Admitted { .. }), !held_without_end, "stuck: {situation:?}");

    // A rejection tells the wait exactly: refused one tick before, admitted at it.
    if let (unchanged, Admission::Rejected(rejected)) = control.acquire(rules, tick(NOW)) {
        assert_eq!(unchanged, *control, "a rejection changes nothing");
        assert_eq!(rejected.retry_after.is_none(), held_without_end);
        // Where the clock stepped back behind the moment that the wait is counted from, it is told as it was chosen.
        let stepped_back = match control.phase {
            Phase::Open { wait: Some(wait), .. } => wait.until > tick(NOW).after(wait.chosen()),
            Phase::HalfOpen(probing) => probing.active > tick(NOW),
            Phase::Closed { .. } | Phase::Open { wait: None, .. } => false,
        };
        if let Some(wait) = rejected.retry_after.filter(|_| !stepped_back) {
            let at = |moment: Duration| control.acquire(rules, tick(NOW).after(moment)).1;
            assert!(matches!(at(wait), Admission::Admitted { .. }), "admitted at {wait:?}: {situation:?}");
            assert!(matches!(at(wait - nanos(1)), Admission::Rejected(_)), "refused before {wait:?}: {situation:?}");
            assert!(rejected.reason == Reason::ProbesBusy || wait <= rules.effective_max_timeout().max(nanos(3)));
        }
    }
    // A clock that steps back never shows more than was chosen, and decides nothing.
    let back = tick(NOW - 500);
    assert!(control.retry_after_at(back).is_none_or(|left| left <= rules.effective_max_timeout().max(nanos(3))));
    assert!(control.state_at(back) == control.phase.state() || control.state_at(back) == control.state_at(tick(NOW)));
}

fn successors(situation: &Situation, rules: &Rules) -> Vec<Situation> {
    let mut next = Vec::new();
    if situation.out.len() < CALLS_IN_FLIGHT {
        next.extend(acquired(situation, rules));
    }
    for index in 0..situation.out.len() {
        for outcome in Outcome::ALL {
            for rate in [None, Some(Cause::FailureRate), Some(Cause::SlowCallRate)] {
                next.push(settled(situation, rules, index, *outcome, rate));
            }
        }
    }
    let now = tick(NOW);
    let control = situation.control;
    for (ordered, _) in [
        control.force_open(None, now),
        control.force_open(Some(nanos(1)), now),
        control.force_open(Some(nanos(3)), now),
        control.reset(rules, now),
        control.disable(now),
    ] {
        assert_eq!(ordered.generation, control.generation + 1, "an order starts a generation");
        next.push(Situation { control: ordered, out: situation.out.clone() });
    }
    // Time passes, and runs backwards.
    next.push(Situation { control: control.shifted(-1), out: situation.out.clone() });
    next.push(Situation { control: control.shifted(1), out: situation.out.clone() });
    next
}

fn acquired(situation: &Situation, rules: &Rules) -> Option<Situation> {
    let now = tick(NOW);
    let before = situation.control;
    let (control, admission) = before.acquire(rules, now);
    let Admission::Admitted { stamp, taken_back, transition, shadow_rejected } = admission else { return None };
    let mut out = situation.out.clone();
    if shadow_rejected {
        assert!(before.mode == Mode::Shadow && control == before, "a call that is only counted changes nothing");
    }
    if taken_back > 0 {
        assert_eq!(taken_back, before.probe_slots(), "every slot is taken back");
        out.iter_mut().for_each(|permit| permit.holds_slot = false);
    }
    let moved = u64::from(transition.is_some());
    assert_eq!(control.generation, before.generation + moved, "each transition starts a generation");
    let probe = control.state_at(now) == State::HalfOpen && !shadow_rejected;
    out.push(Out { generation: stamp.generation, lap: stamp.lap, holds_slot: probe });
    Some(Situation { control, out })
}

fn settled(situation: &Situation, rules: &Rules, index: usize, outcome: Outcome, rate: Option<Cause>) -> Situation {
    let mut out = situation.out.clone();
    let permit = out.swap_remove(index);
    let before = situation.control;
    let stamp = Stamp { generation: permit.generation, lap: permit.lap };
    let call = Judged { outcome, slow: rate == Some(Cause::SlowCallRate), retry_after: None };
    let (control, settlement) = before.settle(rules, stamp, call, rate, tick(NOW));
    let current = permit.generation == before.generation && before.listens();
    assert_eq!(settlement.current, current);
    if !current {
        assert_eq!(control, before, "a settle that is not current changes nothing");
    }
    let moved = u64::from(settlement.transition.is_some());
    assert_eq!(control.generation, before.generation + moved, "each transition starts a generation");
    if let Some(transition) = settlement.transition {
        assert_ne!(transition.from, transition.to);
        assert!(before.state_at(tick(NOW)) == transition.from, "it leaves the state it was in");
    }
    if before.state_at(tick(NOW)) == State::HalfOpen && current && outcome == Outcome::Failure {
        assert_eq!(control.phase.state(), State::Open, "a probe that fails opens, whether or not it holds a slot");
    }
    Situation { control, out }
}

impl Situation {
    /// The same situation in the form that stands for all that behave alike.
    fn settled_in_time(mut self, rules: &Rules) -> Self {
        let current = self.control.generation;
        let lap = if let Phase::HalfOpen(probing) = self.control.phase { probing.lap } else { 0 };
        for permit in &mut self.out {
            assert!(permit.generation <= current || permit.generation == u64::MAX, "no generation comes back");
            // Older generations and laps are all alike: none of them is ever the current one again.
            let is_current = permit.generation == current;
            let of_this_lap = is_current && permit.lap == lap;
            permit.generation = if is_current { 1 } else { 0 };
            permit.lap = u32::from(of_this_lap);
            permit.holds_slot &= is_current;
        }
        self.out.sort_unstable();
        self.control.generation = 1;
        if let Phase::HalfOpen(probing) = &mut self.control.phase {
            probing.lap = 1;
        } else {
            self.out.iter_mut().filter(|permit| permit.generation == 1).for_each(|permit| permit.lap = 0);
        }
        self.control = self.control.within_reach(rules);
        self
    }
}

impl Control {
    /// Every moment moved by `by`, as if time had run the other way.
    fn shifted(self, by: i64) -> Self {
        let shift = |moment: Tick| tick(moment.as_nanos().saturating_add_signed(by));
        let phase = match self.phase {
            Phase::Closed { failures, clean_at } => Phase::Closed { failures, clean_at: shift(clean_at) },
            Phase::Open { failures, wait } => {
                Phase::Open { failures, wait: wait.map(|wait| Wait { until: shift(wait.until), ..wait }) }
            }
            Phase::HalfOpen(probing) => Phase::HalfOpen(super::Probing { active: shift(probing.active), ..probing }),
        };
        Self { phase, ..self }
    }

    /// Moments so far off that nothing depends on how far, and counts beyond every threshold, brought to one value.
    fn within_reach(self, rules: &Rules) -> Self {
        let near = |moment: Tick, past: u64| tick(moment.as_nanos().clamp(NOW - past, NOW + 8));
        let probe_timeout = rules.effective_probe_timeout().as_nanos() as u64;
        let phase = match self.phase {
            Phase::Closed { failures, clean_at } => Phase::Closed { failures, clean_at: near(clean_at, 0) },
            Phase::Open { failures, wait } => Phase::Open {
                // The streak is only told while open, and starts anew after.
                failures: failures.min(1),
                wait: wait.map(|wait| Wait { until: near(wait.until, 0), ..wait }),
            },
            Phase::HalfOpen(probing) => {
                Phase::HalfOpen(super::Probing { active: near(probing.active, probe_timeout), ..probing })
            }
        };
        let openings = Openings { count: self.openings.count.min(3), ..self.openings };
        Self { phase, openings, ..self }
    }
}

#[test]
fn the_search_finds_a_circuit_that_is_stuck() {
    // A negative control: a slot that nobody holds must be noticed.
    let rules = *Config::default().rules();
    let probing = super::Probing { successes: 0, slots: 1, lap: 1, active: tick(NOW) };
    let control = Control { phase: Phase::HalfOpen(probing), ..Control::new(&rules, Jitter { seed: 0 }) };
    let leaked = Situation { control, out: Vec::new() };
    assert!(std::panic::catch_unwind(|| check(&leaked, &rules)).is_err());
}
