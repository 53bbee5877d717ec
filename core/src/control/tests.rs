//! Properties of the value itself, which the shared vectors cannot see.

use core::time::Duration;

use super::{Admission, Control, Jitter, Outcome, Stamp, State};
use crate::clock::Tick;
use crate::config::Config;

#[test]
fn the_value_stays_small() {
    assert!(size_of::<Control>() <= 96, "{} bytes", size_of::<Control>());
}

#[test]
fn a_stamp_tells_its_generation() {
    assert_eq!(Stamp::closed(7).generation(), 7);
}

#[test]
fn refused_just_before_the_wait_is_over_and_admitted_at_it() {
    let config = Config::builder().failure_threshold(1).timeout(Duration::from_secs(1)).build().unwrap();
    let rules = config.rules();
    let (closed, admission) = Control::new(rules, Jitter { seed: 0 }).acquire(rules, Tick::ZERO);
    let Admission::Admitted { stamp, .. } = admission else { panic!("a closed circuit admits") };
    let failed = Outcome::FAILURE.judged(rules, None);
    let (open, _) = closed.settle(rules, stamp, failed, None, Tick::from_nanos(7));

    let just_before = Tick::from_nanos(1_000_000_006);
    let (unchanged, admission) = open.acquire(rules, just_before);
    let Admission::Rejected(rejected) = admission else { panic!("one nanosecond is left") };
    assert_eq!(rejected.retry_after, Some(Duration::from_nanos(1)));
    assert_eq!(unchanged, open);

    let (probing, admission) = open.acquire(rules, Tick::from_nanos(1_000_000_007));
    assert!(matches!(admission, Admission::Admitted { .. }));
    assert_eq!(probing.state_at(just_before), State::HalfOpen);
}
