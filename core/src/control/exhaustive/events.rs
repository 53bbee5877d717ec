//! Everything that can happen next, and what the table of the text says of it.

use alloc::vec::Vec;
use core::time::Duration;

use super::situation::{Situation, Unsettled};
use super::{CALLS_IN_FLIGHT, NOW, nanos};
use crate::config::Rules;
use crate::control::backoff::{OpenStreak, Wait};
use crate::control::outcome::Judged;
use crate::control::{Admission, Cause, Control, FIRST_SLOT_EPOCH, Mode, Outcome, Phase, Probing, State, Transition};

pub(super) fn successors(situation: &Situation, family: &[Rules]) -> Vec<Situation> {
    let (control, rules) = (situation.control, &family[situation.in_force]);
    let mut next = Vec::new();
    if situation.unsettled.len() < CALLS_IN_FLIGHT {
        next.extend(acquired(situation, rules));
    }
    // Only a closed circuit evaluates a rate.
    let rates = [None, Some(Cause::FailureRate), Some(Cause::SlowCallRate)];
    let rates = if control.is_closed() { &rates[..] } else { &rates[..1] };
    for index in different(&situation.unsettled) {
        for call in ENDINGS {
            next.extend(rates.iter().map(|rate| settled(situation, rules, index, call, *rate)));
        }
    }
    if control.tracks_calls(rules) {
        next.extend(
            rates.iter().flatten().map(|cause| situation.with(opened_by_overdue_calls(control, rules, *cause))),
        );
    }
    for duration in [None, Some(nanos(1)), Some(nanos(3))] {
        next.push(situation.with(forced_open(control, duration)));
    }
    next.push(situation.with(started_afresh(control, control.reset(rules, NOW), rules.shadow, Cause::Reset)));
    next.push(situation.with(started_afresh(control, control.disable(NOW), false, Cause::Disabled)));
    next.push(situation.with(control.restored(&control.saved(rules, NOW), NOW)));
    next.push(situation.with(control.inherited(control.jitter)));
    for (in_force, _) in family.iter().enumerate() {
        next.push(Situation { in_force, ..situation.clone() });
    }
    // Time passes, and runs backwards.
    next.push(situation.with(control.shifted(-1)));
    next.push(situation.with(control.shifted(1)));
    next.iter().for_each(|next| nothing_comes_back(situation, next));
    next
}

/// One of each kind, because it makes no difference which of several equal permits settles.
fn different(unsettled: &[Unsettled]) -> impl Iterator<Item = usize> {
    (0..unsettled.len()).filter(|&index| index == 0 || unsettled[index] != unsettled[index - 1])
}

/// No generation and no slot epoch is used twice, because a permit of it might still be alive.
fn nothing_comes_back(before: &Situation, after: &Situation) {
    let (old, new) = (before.control, after.control);
    assert!(new.generation >= old.generation);
    assert!(new.generation > old.generation || new.phase.state() == old.phase.state(), "a state of its own generation");
    if let (Phase::HalfOpen(old), Phase::HalfOpen(new)) = (old.phase, new.phase) {
        assert!(new.slot_epoch >= old.slot_epoch);
    }
}

fn acquired(situation: &Situation, rules: &Rules) -> Option<Situation> {
    let before = situation.control;
    let (control, admission) = before.acquire(rules, NOW);
    let Admission::Admitted { stamp, taken_back, transition, shadow_rejected } = admission else { return None };
    let mut unsettled = situation.unsettled.clone();
    if shadow_rejected {
        assert!(before.mode == Mode::Shadow && control == before, "a call that is only counted changes nothing");
        assert!(transition.is_none() && taken_back == 0 && !control.is_current(stamp), "and has no vote");
    } else {
        let first = Transition { from: State::Open, to: State::HalfOpen, cause: Cause::TimeoutElapsed };
        let (wanted, taken) = match before.phase {
            Phase::Closed { .. } => (before, 0),
            Phase::Open { .. } => {
                let probing = Probing { successes: 0, slots: 1, slot_epoch: FIRST_SLOT_EPOCH, active: NOW };
                let mode = before.mode_at(rules, NOW);
                (Control { mode, generation: before.generation + 1, ..before.with(Phase::HalfOpen(probing)) }, 0)
            }
            Phase::HalfOpen(probing) => {
                let active = probing.active.max(NOW);
                let (slots, slot_epoch, taken) = if probing.slots < rules.half_open_max_calls {
                    (probing.slots + 1, probing.slot_epoch, 0)
                } else {
                    assert!(NOW.since(probing.active) >= rules.effective_probe_timeout(), "one of them gave a sign");
                    (1, probing.slot_epoch + 1, probing.slots)
                };
                (before.with(Phase::HalfOpen(Probing { slots, slot_epoch, active, ..probing })), taken)
            }
        };
        assert_eq!((control, taken_back), (wanted, taken));
        assert_eq!(transition, (before.phase.state() == State::Open).then_some(first));
        assert!(control.probe_slots() <= rules.half_open_max_calls, "never more than there are");
        assert!(stamp.generation == control.generation, "its permit is of this generation");
        assert_eq!(stamp.is_probe(), control.phase.state() == State::HalfOpen);
    }
    if taken_back > 0 {
        unsettled.iter_mut().for_each(|permit| permit.holds_slot = false);
    }
    unsettled.push(Unsettled { stamp, holds_slot: control.phase.state() == State::HalfOpen && !shadow_rejected });
    Some(Situation { unsettled, ..situation.with(control) })
}

/// Longer than any wait may be, so that it is cut.
const HINT: Option<Duration> = Some(Duration::from_nanos(9));
const SHORT_HINT: Option<Duration> = Some(Duration::from_nanos(3));

const ENDINGS: [Judged; 7] = [
    Judged { outcome: Outcome::Success, slow: false },
    Judged { outcome: Outcome::Success, slow: true },
    Judged { outcome: Outcome::FAILURE, slow: false },
    Judged { outcome: Outcome::Failure { retry_after: SHORT_HINT }, slow: false },
    Judged { outcome: Outcome::Failure { retry_after: HINT }, slow: true },
    Judged { outcome: Outcome::Ignored, slow: false },
    Judged { outcome: Outcome::Cancelled, slow: false },
];

fn settled(situation: &Situation, rules: &Rules, index: usize, call: Judged, rate: Option<Cause>) -> Situation {
    let mut unsettled = situation.unsettled.clone();
    let permit = unsettled.swap_remove(index);
    let before = situation.control;
    let (control, settlement) = before.settle(rules, permit.stamp, call, rate, NOW);
    let current = permit.stamp.generation == before.generation && matches!(before.mode, Mode::Auto | Mode::Shadow);
    assert_eq!(settlement.current, current);
    let wanted = match before.phase {
        _ if !current => (before, None),
        Phase::Closed { failures, .. } => closed_settle(before, rules, failures, call, rate),
        Phase::HalfOpen(probing) => {
            let slots = probing.slots - u8::from(permit.holds_slot);
            let left = Probing { slots, active: probing.active.max(NOW), ..probing };
            probe_settle(before, rules, left, call)
        }
        Phase::Open { .. } => panic!("no unsettled permit belongs to an open circuit: {situation:?}"),
    };
    assert_eq!((control, settlement.transition), wanted, "{call:?}, {rate:?} in {situation:?}");
    Situation { unsettled, ..situation.with(control) }
}

type Moved = (Control, Option<Transition>);

fn closed_settle(before: Control, rules: &Rules, failures: u32, call: Judged, rate: Option<Cause>) -> Moved {
    let failures = match call.outcome {
        Outcome::Ignored | Outcome::Cancelled => return (before, None),
        Outcome::Success => 0,
        Outcome::Failure { .. } => failures + 1,
    };
    let streak = rules.failure_threshold.is_some_and(|threshold| failures >= u32::from(threshold));
    match if streak { Some(Cause::ConsecutiveFailures) } else { rate } {
        Some(cause) => opened(before, rules, failures, call, cause),
        None => {
            let Phase::Closed { resets_at, .. } = before.phase else { panic!("it is closed") };
            (before.with(Phase::Closed { failures, resets_at }), None)
        }
    }
}

fn probe_settle(before: Control, rules: &Rules, left: Probing, call: Judged) -> Moved {
    match call.outcome {
        Outcome::Ignored | Outcome::Cancelled => (before.with(Phase::HalfOpen(left)), None),
        Outcome::Failure { .. } => opened(before, rules, 1, call, Cause::ProbeFailed),
        Outcome::Success if call.slow && rules.slow_call_rate.is_some() => {
            opened(before, rules, 1, call, Cause::ProbeSlow)
        }
        Outcome::Success if left.successes + 1 >= rules.success_threshold => {
            let resets_at = NOW.after(before.openings.wait());
            let closed = before.with(Phase::Closed { failures: 0, resets_at });
            next_generation(before, closed, Cause::ProbesSucceeded)
        }
        Outcome::Success => {
            let successes = left.successes + 1;
            (before.with(Phase::HalfOpen(Probing { successes, ..left })), None)
        }
    }
}

/// An acquire finds overdue calls, and a rate is reached with them.
fn opened_by_overdue_calls(before: Control, rules: &Rules, cause: Cause) -> Control {
    assert!(rules.slow_call_rate.is_some() && matches!(before.mode, Mode::Auto | Mode::Shadow));
    let (control, transition) = before.open_overdue(rules, cause, NOW);
    let slow_success = Judged { outcome: Outcome::Success, slow: true };
    assert_eq!((control, transition), opened(before, rules, before.consecutive_failures(), slow_success, cause));
    control
}

fn opened(before: Control, rules: &Rules, failures: u32, call: Judged, cause: Cause) -> Moved {
    let before_it = open_streak_that_counts(before);
    let longest = rules.effective_max_timeout();
    let mut grown = rules.timeout;
    for _ in 0..before_it.count {
        grown = grown.mul_f64(rules.timeout_multiplier).min(longest);
    }
    let hint = if let Outcome::Failure { retry_after: Some(hint) } = call.outcome { hint } else { Duration::ZERO };
    let chosen = grown.max(hint).min(longest);
    let wait = Some(Wait::until(NOW.after(chosen), chosen));
    let openings = OpenStreak::of(before_it.count + 1, chosen);
    next_generation(before, Control { openings, ..before.with(Phase::Open { failures, wait }) }, cause)
}

/// The openings in a row that a further one continues: none if the circuit has been closed at least as long as its last
/// wait.
fn open_streak_that_counts(before: Control) -> OpenStreak {
    match before.phase {
        Phase::Closed { resets_at, .. } if resets_at <= NOW => OpenStreak::NONE,
        Phase::Closed { .. } | Phase::Open { .. } | Phase::HalfOpen(_) => before.openings,
    }
}

fn next_generation(before: Control, after: Control, cause: Cause) -> Moved {
    let (from, to) = (before.phase.state(), after.phase.state());
    let transition = (from != to).then_some(Transition { from, to, cause });
    (Control { generation: before.generation + 1, ..after }, transition)
}

fn forced_open(before: Control, duration: Option<Duration>) -> Control {
    let failures = match before.phase {
        Phase::Closed { failures, .. } | Phase::Open { failures, .. } => failures,
        Phase::HalfOpen(_) => 0,
    };
    let wait = duration.map(|chosen| Wait::until(NOW.after(chosen), chosen));
    let held = before.with(Phase::Open { failures, wait });
    let held = Control { mode: Mode::ForcedOpen, openings: open_streak_that_counts(before), ..held };
    let (control, transition) = before.force_open(duration, NOW);
    assert_eq!((control, transition), next_generation(before, held, Cause::Forced));
    control
}

fn started_afresh(before: Control, (control, transition): Moved, shadow: bool, cause: Cause) -> Control {
    let mode = if cause == Cause::Disabled {
        Mode::Disabled
    } else if shadow {
        Mode::Shadow
    } else {
        Mode::Auto
    };
    let closed = before.with(Phase::Closed { failures: 0, resets_at: NOW });
    let closed = Control { mode, openings: OpenStreak::NONE, ..closed };
    assert_eq!((control, transition), next_generation(before, closed, cause));
    control
}
