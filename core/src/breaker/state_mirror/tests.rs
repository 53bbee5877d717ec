//! The mirror answers as the state machine would.

use alloc::vec::Vec;
use core::time::Duration;

use super::*;
use crate::config::{Config, ConfigBuilder};
use crate::control::{Admission, Jitter, Outcome};

const WAIT: Duration = Duration::from_secs(1);

/// Opens with the first failure, for as long as [`WAIT`].
fn rules(config: ConfigBuilder) -> Rules {
    let config = config.failure_threshold(1).timeout(Duration::from_secs(1)).half_open_max_calls(1).build();
    *config.unwrap().rules()
}

fn closed(rules: &Rules) -> Control {
    Control::new(rules, Jitter { seed: 0 })
}

fn failed(control: Control, rules: &Rules, now: Tick) -> Control {
    let (control, admission) = control.acquire(rules, now);
    let Admission::Admitted { stamp, .. } = admission else { panic!("it is not closed") };
    control.settle(rules, stamp, Outcome::FAILURE.judged(rules, None), None, now).0
}

/// A circuit in each situation, on a clock that starts at zero.
fn each(rules: &Rules) -> Vec<Control> {
    let open = failed(closed(rules), rules, Tick::ZERO);
    let probing = open.acquire(rules, Tick::ZERO.after(WAIT)).0;
    let forced = [None, Some(WAIT), Some(2 * WAIT)].map(|wait| closed(rules).force_open(wait, Tick::ZERO).0);
    [closed(rules), open, probing, open.disable(Tick::ZERO).0].into_iter().chain(forced).collect()
}

fn machines_rejection(control: Control, rules: &Rules, now: Tick) -> Option<Rejected> {
    match control.acquire(rules, now).1 {
        Admission::Rejected(rejected) => Some(rejected),
        Admission::Admitted { .. } => None,
    }
}

#[test]
fn the_mirror_rejects_what_an_open_circuit_rejects() {
    let nanosecond = Duration::from_nanos(1);
    for rules in [rules(Config::builder()), rules(Config::builder().shadow(true))] {
        for control in each(&rules) {
            let mirror = StateMirror::new(&control, &rules);
            for now in [Duration::ZERO, WAIT - nanosecond, WAIT, 2 * WAIT].map(|since| Tick::ZERO.after(since)) {
                let wanted = machines_rejection(control, &rules, now);
                let wanted = wanted.filter(|rejected| rejected.reason != Reason::ProbesBusy);
                assert_eq!(mirror.rejection_at(now), wanted, "{control:?} at {now:?}");
            }
        }
    }
}

#[test]
fn the_mirror_follows_each_change() {
    let rules = rules(Config::builder());
    let mirror = StateMirror::new(&closed(&rules), &rules);
    let follows = |control: Control, now| {
        mirror.publish(&control, &rules);
        assert_eq!(mirror.rejection_at(now), machines_rejection(control, &rules, now), "{control:?}");
        assert_eq!(mirror.mirrored().admits().is_some(), control.is_closed());
    };
    let open = failed(closed(&rules), &rules, Tick::ZERO);
    follows(open, Tick::ZERO);
    let later = Tick::ZERO.after(WAIT);
    let again = failed(open, &rules, later);
    follows(again, later);
    let held = again.force_open(None, later).0;
    follows(held, later);
    let renewed = held.force_open(Some(3 * WAIT), later).0;
    follows(renewed, later);
    follows(renewed.reset(&rules, later).0, later);
}

#[test]
fn a_closed_circuit_admits_with_the_stamp_of_its_generation() {
    let rules = rules(Config::builder());
    let renewed = closed(&rules).reset(&rules, Tick::ZERO).0;
    assert_eq!(StateMirror::new(&renewed, &rules).mirrored().admits(), Some(Stamp::closed(1)));
    assert!(!renewed.is_current(Stamp::closed(0)));
}

#[test]
fn a_success_that_changes_nothing_needs_no_lock() {
    let stamp = Stamp::closed(0);
    let passes = |control: Control, rules: &Rules| {
        let mirrored = StateMirror::new(&control, rules).mirrored();
        (mirrored.unmoved_by_success(stamp), mirrored.counts_calls())
    };
    let untimed = || Config::builder().record_durations(false);
    let plain = rules(untimed());
    assert_eq!(passes(closed(&plain), &plain), (true, false));
    let of = |shape| rules(untimed().failure_rate_threshold(0.5).window(shape));
    let (calls, seconds) = (of(WindowShape::Calls(10)), of(WindowShape::Time(Duration::from_secs(10))));
    assert_eq!(passes(closed(&calls), &calls), (false, true), "but the window counts it");
    assert_eq!(passes(closed(&seconds), &seconds), (false, false), "the window also counts the time");
    let slow = rules(untimed().slow_call(Duration::from_secs(1)));
    assert_eq!(passes(closed(&slow), &slow), (false, false), "it may be slow");

    let streak = Rules { failure_threshold: Some(2), ..plain };
    assert_eq!(passes(failed(closed(&streak), &streak, Tick::ZERO), &streak), (false, false), "it ends a streak");
    for control in each(&plain).into_iter().skip(1) {
        assert_eq!(passes(control, &plain), (false, false), "{control:?}");
    }
    let renewed = closed(&plain).reset(&plain, Tick::ZERO).0;
    assert_eq!(passes(renewed, &plain), (false, false), "its permit is of an older generation");
}

#[test]
fn a_call_is_timed_if_a_rule_needs_its_duration() {
    let timed = |config: ConfigBuilder| {
        let rules = rules(config);
        let mirror = StateMirror::new(&closed(&rules), &rules);
        let open = failed(closed(&rules), &rules, Tick::ZERO);
        mirror.publish(&open, &rules);
        (mirror.mirrored().is_timed(), mirror.mirrored().is_recording())
    };
    let untimed = || Config::builder().record_durations(false);
    assert_eq!(timed(untimed()), (false, false));
    assert_eq!(timed(Config::builder()), (true, true));
    assert_eq!(timed(untimed().slow_call(Duration::from_secs(1))), (true, false));
    assert_eq!(timed(untimed().cancel_failure_after(Duration::from_secs(1))), (true, false));
}

#[test]
fn during_a_change_the_mirror_tells_only_what_is_measured() {
    for recorded in [false, true] {
        let rules = rules(Config::builder().record_durations(recorded));
        for control in each(&rules) {
            let mirrored = StateMirror::new(&control, &rules).mirrored();
            let changing = mirrored.changing();
            assert_eq!((changing.is_timed(), changing.is_recording()), (mirrored.is_timed(), mirrored.is_recording()));
            assert_eq!(changing.admits(), None);
            assert!(!changing.unmoved_by_success(Stamp::closed(0)) && !changing.counts_calls());
            assert_eq!(changing.0 & (REJECTING | FORCED), 0);
        }
    }
}
