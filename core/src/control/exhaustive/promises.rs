//! The properties that hold in every situation.

use super::situation::Situation;
use super::{LONG, NOW, nanos};
use crate::clock::Tick;
use crate::config::Rules;
use crate::control::outcome::Judged;
use crate::control::{Admission, Control, Mode, Outcome, Phase, Reason, Rejected, Stamp, State};

const WELL: Judged = Judged { outcome: Outcome::Success, slow: false };

pub(super) fn check(situation: &Situation, rules: &Rules) {
    let Situation { control, unsettled, .. } = situation;
    let held = unsettled.iter().filter(|permit| permit.holds_slot && control.is_current(permit.stamp)).count();
    assert_eq!(usize::from(control.probe_slots()), held, "slots taken are the slots held: {situation:?}");

    for permit in unsettled {
        // Only a probe of this round shares its permit. A call inside any other call asks the machine.
        let of_this_round = control.is_current(permit.stamp) && control.phase.state() == State::HalfOpen;
        assert_eq!(control.shares_permit(permit.stamp), of_this_round, "{situation:?}");
    }

    let held_without_end = matches!(control.phase, Phase::Open { wait: None, .. });
    is_never_stuck(control, rules, held_without_end);
    reads_as_it_acts(control, rules);
    survives_a_restart(control, rules);
    assert_eq!(Control::from_words(control.to_words()), Ok(*control), "its words restore it");
    if let (unchanged, Admission::Rejected(rejected)) = control.acquire(rules, NOW) {
        assert_eq!(unchanged, *control, "a rejection changes nothing");
        assert_eq!(rejected.retry_after.is_none(), held_without_end);
        tells_the_wait_exactly(control, rules, rejected);
    }
}

/// After a finite time a call is admitted, and then a healthy provider closes the circuit, whichever calls hang, unless
/// an operator holds it open without end.
fn is_never_stuck(control: &Control, rules: &Rules, held_without_end: bool) {
    let (mut control, mut now) = (*control, NOW);
    for call in 0..=rules.success_threshold {
        now = now.after(LONG);
        let (next, admission) = control.acquire(rules, now);
        let admitted = admitted_by_the_machine(&admission);
        assert_eq!(admitted.is_none(), held_without_end, "stuck: {control:?} after {call} calls");
        let Some(stamp) = admitted else { return };
        control = next.settle(rules, stamp, WELL, None, now).0;
    }
    assert_eq!(control.phase.state(), State::Closed, "a provider that is well closes it: {control:?}");
}

fn admitted_by_the_machine(admission: &Admission) -> Option<Stamp> {
    match *admission {
        Admission::Admitted { stamp, shadow_rejected: false, .. } => Some(stamp),
        Admission::Admitted { shadow_rejected: true, .. } | Admission::Rejected(_) => None,
    }
}

/// A call is rejected one tick before the end of the wait, and admitted at its end.
fn tells_the_wait_exactly(control: &Control, rules: &Rules, rejected: Rejected) {
    // If the clock stepped back before the start of the wait, the wait is shown as it was chosen.
    let stepped_back = match control.phase {
        Phase::Open { wait: Some(wait), .. } => wait.until > NOW.after(wait.chosen()),
        Phase::HalfOpen(probing) => probing.active > NOW,
        Phase::Closed { .. } | Phase::Open { wait: None, .. } => false,
    };
    if let Some(wait) = rejected.retry_after.filter(|_| !stepped_back) {
        let at = |moment| control.acquire(rules, NOW.after(moment)).1;
        assert!(matches!(at(wait), Admission::Admitted { .. }), "admitted at {wait:?}: {control:?}");
        assert!(matches!(at(wait - nanos(1)), Admission::Rejected(_)), "refused before {wait:?}: {control:?}");
    }
}

/// A reading at any time agrees with a call at that time; a reading at an earlier time changes nothing.
fn reads_as_it_acts(control: &Control, rules: &Rules) {
    for moment in (0..=12).map(|nanos| Tick::from_nanos(NOW.as_nanos() - 6 + nanos)) {
        let (state, mode, left) =
            (control.state_at(moment), control.mode_at(rules, moment), control.retry_after_at(moment));
        let (next, admission) = control.acquire(rules, moment);
        let is_rejected = admitted_by_the_machine(&admission).is_none();
        match control.phase {
            Phase::Closed { .. } => assert!(state == State::Closed && !is_rejected && left.is_none()),
            Phase::HalfOpen(_) => assert!(state == State::HalfOpen && left.is_none()),
            Phase::Open { wait, .. } => {
                assert_eq!(is_rejected, wait.is_none_or(|wait| moment < wait.until), "{control:?}");
                assert_eq!(state == State::Open, is_rejected, "{control:?}");
                assert_eq!(left.is_some(), is_rejected && wait.is_some(), "{control:?}");
                assert!(
                    left.is_none_or(|left| !left.is_zero() && left <= wait.unwrap().chosen()),
                    "no more than chosen"
                );
            }
        }
        assert!(mode == Mode::ForcedOpen || next.mode == mode, "the mode that is shown is the one that decides");
        let wanted = match (mode, control.phase) {
            (Mode::ForcedOpen, _) => Reason::ForcedOpen,
            (_, Phase::Open { .. }) => Reason::Open,
            (_, Phase::Closed { .. } | Phase::HalfOpen(_)) => Reason::ProbesBusy,
        };
        let rejected = if let Admission::Rejected(rejected) = admission { Some(rejected) } else { None };
        assert!(rejected.is_none_or(|rejected| rejected.reason == wanted));
        assert!(rejected.is_none() || mode != Mode::Shadow, "shadow rejects nothing");
        assert!(matches!(mode, Mode::Auto | Mode::Shadow) == control.accepts_settles() || state == State::HalfOpen);
        // The breaker rejects by the gate alone.
        let shown = control.open_gate().and_then(|gate| gate.rejection_at(moment));
        assert_eq!(shown, rejected.filter(|rejected| rejected.reason != Reason::ProbesBusy));
    }
}

/// A saved value is consistent, and the restored one reads the same in a new generation.
fn survives_a_restart(control: &Control, rules: &Rules) {
    let saved = control.saved(rules, NOW);
    assert_eq!(saved.contradiction(), None, "{saved:?}");
    let restored = control.restored(&saved, NOW);
    assert_eq!(restored.saved(rules, NOW), crate::control::Saved { generation: restored.generation, ..saved });
    assert!(restored.generation > control.generation, "no earlier permit has a vote");
    let shown = |it: &Control| {
        (
            it.state_at(NOW),
            it.mode_at(rules, NOW),
            it.retry_after_at(NOW),
            it.consecutive_failures(),
            it.open_streak_at(NOW),
        )
    };
    assert_eq!(shown(&restored), shown(control));
}
