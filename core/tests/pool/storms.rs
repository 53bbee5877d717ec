//! The budget under load stops storms of retries, but no call that a healthy provider could take.

use crate::crowd::{Behaviour, Crowd, Figures, Script, answers};

/// Between its 10th and its 30th second, it hangs.
fn hangs(now: f64) -> Behaviour {
    if (10.0..30.0).contains(&now) { answers(100.0) } else { answers(0.3) }
}

fn run(rate: u32, timeout: f64, failure_threshold: u16, scripts: &[Script]) -> Figures {
    let figures = Crowd { rate, timeout, failure_threshold, scripts: scripts.to_vec() }.run(60);
    println!("{figures:?}");
    figures
}

#[test]
fn no_call_is_lost_in_an_outage_while_the_backup_is_well() {
    for failure_threshold in [5, 50] {
        let figures = run(200, 2.0, failure_threshold, &[hangs, |_| answers(0.3)]);
        assert_eq!((figures.served, figures.calls), (12_000, 12_000), "{figures:?}");
        assert!(figures.most_in_flight > 350, "all of them hung at once: {figures:?}");
    }
}

#[test]
fn a_backup_that_fails_sometimes_takes_the_calls_of_an_outage() {
    let figures = run(200, 2.0, 5, &[hangs, |_| Behaviour { failing: 100, ..answers(0.3) }]);
    assert_eq!(figures.unpaid, 0, "{figures:?}");
    assert!(figures.free_moves > 350, "{figures:?}");
}

#[test]
fn no_call_is_lost_to_a_provider_that_fails_without_opening_its_circuit() {
    let figures = run(50, 30.0, 1000, &[|_| Behaviour { failing: 300, ..answers(1.0) }, |_| answers(3.0)]);
    assert_eq!((figures.served, figures.paid_failures), (3000, 0), "{figures:?}");
}

#[test]
fn where_all_fail_sometimes_few_further_attempts_fail() {
    for seconds in [1.0, 5.0] {
        let script: Script = if seconds > 1.0 {
            |_| Behaviour { failing: 500, ..answers(5.0) }
        } else {
            |_| Behaviour { failing: 500, ..answers(1.0) }
        };
        let figures = run(100, 30.0, 1000, &[script; 3]);
        let bound = (100 + figures.served) / 10 + figures.most_in_flight as u32;
        assert!(figures.paid_failures <= bound, "{figures:?}");
        assert!(f64::from(figures.attempts) < 1.2 * f64::from(figures.calls), "{figures:?}");
    }
}

#[test]
fn where_all_fail_or_hang_the_circuits_bound_the_free_moves() {
    let fails: Script = |_| Behaviour { failing: 1000, ..answers(1.0) };
    let hangs: Script = |_| answers(100.0);
    for script in [fails, hangs] {
        let figures = run(100, 2.0, 5, &[script; 3]);
        assert!((figures.free_moves as usize) < 3 * figures.most_in_flight, "{figures:?}");
        assert!(figures.attempts < figures.calls / 4, "{figures:?}");
    }
}

#[test]
fn an_overload_ends_when_its_cause_has_ended() {
    let script: Script =
        |now| Behaviour { capacity: if (10.0..15.0).contains(&now) { 20.0 } else { 150.0 }, ..answers(1.0) };
    for failure_threshold in [5, 1000] {
        let figures = run(100, 3.0, failure_threshold, &[script; 3]);
        let later = Crowd { rate: 100, timeout: 3.0, failure_threshold, scripts: vec![script; 3] }.run(120);
        assert_eq!(later.served - figures.served, 6000, "no call after the first minute is lost");
        assert_eq!(later.attempts - figures.attempts, 6000, "and none needs a second attempt");
    }
}
