//! The explanation for an operator: why the circuit is in its state, and what would change it.

use std::time::Duration;

use halfopen::clock::ManualClock;
use halfopen::config::{ConfigBuilder, WindowShape};
use halfopen::{CircuitBreaker, Config, Outcome};

type Breaker = CircuitBreaker<ManualClock>;

fn breaker(config: ConfigBuilder) -> Breaker {
    let config = config.timeout(Duration::from_secs(30)).build().unwrap();
    CircuitBreaker::with_clock(config, ManualClock::new())
}

fn on_a_streak_of(failures: u16) -> Breaker {
    breaker(Config::builder().failure_threshold(failures))
}

/// Opens at half of two calls that failed, or that took a second.
fn on_rates() -> Breaker {
    let rates =
        Config::builder().failure_rate_threshold(0.5).slow_call(Duration::from_secs(1)).slow_call_rate_threshold(0.5);
    breaker(rates.window(WindowShape::Calls(2)).minimum_calls(2))
}

fn wait_is_over(breaker: &Breaker) {
    breaker.clock().advance(Duration::from_secs(30));
}

#[test]
fn a_closed_circuit_tells_how_near_it_is_to_opening() {
    let streak = on_a_streak_of(3);
    end(&streak, Outcome::FAILURE);
    assert_eq!(streak.explain(), "closed: 1 failure in a row, and 3 open it");

    let both = on_rates();
    end_slowly(&both, Outcome::FAILURE);
    assert_eq!(
        both.explain(),
        "closed: 1 failure in a row, and 5 open it; \
         1 failed and 1 slow of 1 call in its window, and 50 % failed or 50 % slow of at least 2 open it"
    );

    let rate = breaker(Config::builder().failure_threshold(None).failure_rate_threshold(0.625));
    assert_eq!(
        rate.explain(),
        "closed: 0 failed and 0 slow of 0 calls in its window, and 62.5 % failed of at least 10 open it"
    );

    let slow =
        Config::builder().failure_threshold(None).slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0);
    assert_eq!(
        breaker(slow).explain(),
        "closed: 0 failed and 0 slow of 0 calls in its window, and 100 % slow of at least 10 open it"
    );
}

#[test]
fn a_streak_beyond_a_lowered_threshold_opens_with_the_next_failure() {
    let breaker = on_a_streak_of(3);
    end(&breaker, Outcome::FAILURE);
    end(&breaker, Outcome::FAILURE);
    assert_eq!(breaker.explain(), "closed: 2 failures in a row, and 3 open it");
    for lowered in [2, 1] {
        breaker.reconfigure(Config::builder().failure_threshold(lowered).build().unwrap());
        let opening = if lowered == 1 { "1 opens it" } else { "2 open it" };
        assert_eq!(breaker.explain(), format!("closed: 2 failures in a row, and {opening}, so the next failure does"));
    }
}

#[test]
fn a_half_open_circuit_without_a_free_slot_tells_when_there_is_one() {
    let breaker =
        breaker(Config::builder().failure_threshold(1).half_open_max_calls(2).probe_timeout(Duration::from_secs(10)));
    end(&breaker, Outcome::FAILURE);
    wait_is_over(&breaker);
    let probing = "half-open: 0 successes in a row, and 2 close it; a failure opens it";
    let first = breaker.acquire().unwrap();
    assert_eq!(breaker.explain(), probing, "a slot is free");
    let second = breaker.acquire().unwrap();
    breaker.clock().advance(Duration::from_secs(4));
    let busy = "; all probe slots are taken: the next call is let through when one is free, \
                or after 6.0 s without a sign of any probe";
    assert_eq!(breaker.explain(), format!("{probing}{busy}"));
    breaker.clock().advance(Duration::from_secs(6));
    assert_eq!(breaker.explain(), format!("{probing}; its probes hang, and the next call takes their slots"));
    let third = breaker.acquire().unwrap();
    assert_eq!(breaker.explain(), probing);
    for permit in [first, second, third] {
        permit.ignore();
    }
}

#[test]
fn an_open_circuit_tells_what_opened_it_and_what_is_left_of_its_wait() {
    let streak = on_a_streak_of(2);
    end(&streak, Outcome::FAILURE);
    end(&streak, Outcome::FAILURE);
    streak.clock().advance(Duration::from_millis(2_500));
    assert_eq!(streak.explain(), "open after 2 failures in a row: in 27.5 s the next call is let through as a probe");
    wait_is_over(&streak);
    end(&streak, Outcome::FAILURE);
    assert_eq!(streak.explain(), "open because a probe failed: in 30.0 s the next call is let through as a probe");

    let failed = on_rates();
    end(&failed, Outcome::Success);
    end(&failed, Outcome::FAILURE);
    assert_eq!(
        failed.explain(),
        "open because too many calls in its window failed: in 30.0 s the next call is let through as a probe"
    );

    let slow = on_rates();
    end(&slow, Outcome::Success);
    end_slowly(&slow, Outcome::Success);
    assert_eq!(
        slow.explain(),
        "open because too many calls were slow: in 30.0 s the next call is let through as a probe"
    );
    wait_is_over(&slow);
    end_slowly(&slow, Outcome::Success);
    assert_eq!(slow.explain(), "open because a probe was slow: in 30.0 s the next call is let through as a probe");
}

#[test]
fn a_half_open_circuit_tells_what_its_probes_have_to_do() {
    let breaker = on_a_streak_of(1);
    end(&breaker, Outcome::FAILURE);
    wait_is_over(&breaker);
    assert_eq!(breaker.explain(), "half-open after 1 failure in a row: its wait is over, and the next call is a probe");
    end(&breaker, Outcome::Success);
    assert_eq!(breaker.explain(), "half-open: 1 success in a row, and 2 close it; a failure opens it");
}

#[test]
fn a_slow_probe_opens_it_where_a_rate_of_slow_calls_is_set() {
    let slow = Config::builder().slow_call(Duration::from_secs(1)).slow_call_rate_threshold(1.0);
    let breaker = breaker(slow.failure_threshold(1).success_threshold(1));
    end(&breaker, Outcome::FAILURE);
    wait_is_over(&breaker);
    end(&breaker, Outcome::Ignored);
    assert_eq!(
        breaker.explain(),
        "half-open: 0 successes in a row, and 1 closes it; a failure or a slow call opens it"
    );
}

#[test]
fn a_rate_beyond_a_lowered_threshold_may_open_with_the_next_call() {
    let rates = |rate| Config::builder().failure_threshold(None).failure_rate_threshold(rate).minimum_calls(2);
    let breaker = breaker(rates(1.0));
    for outcome in [Outcome::Success, Outcome::FAILURE] {
        end(&breaker, outcome);
    }
    breaker.reconfigure(rates(0.5).build().unwrap());
    assert_eq!(
        breaker.explain(),
        "closed: 1 failed and 0 slow of 2 calls in its window, and 50 % failed of at least 2 open it, \
         so the next call may"
    );
}

#[test]
fn an_operation_is_told_as_the_operators() {
    let breaker = on_a_streak_of(1);
    breaker.force_open(None).unwrap();
    assert_eq!(breaker.explain(), "forced open by an operator: it stays so until it is reset");
    breaker.disable();
    assert_eq!(breaker.explain(), "closed because it is disabled: every call passes until it is reset");
    breaker.force_open(Some(Duration::from_secs(30))).unwrap();
    assert_eq!(breaker.explain(), "forced open by an operator: in 30.0 s the next call is let through as a probe");
    wait_is_over(&breaker);
    assert_eq!(
        breaker.explain(),
        "half-open because an operator had forced it open: its wait is over, and the next call is a probe"
    );
}

#[test]
fn a_circuit_in_shadow_mode_says_so_first() {
    let breaker = breaker(Config::builder().failure_threshold(1).shadow(true));
    end(&breaker, Outcome::FAILURE);
    assert_eq!(
        breaker.explain(),
        "in shadow mode, so no call is rejected; open after 1 failure in a row: \
         in 30.0 s the next call is let through as a probe"
    );
}

#[test]
fn a_restored_circuit_does_not_know_what_opened_it() {
    let before = on_a_streak_of(1);
    end(&before, Outcome::FAILURE);
    let [unused, forced, probing] = [(); 3].map(|()| on_a_streak_of(1));
    forced.force_open(None).unwrap();
    end(&probing, Outcome::FAILURE);
    wait_is_over(&probing);
    end(&probing, Outcome::Success);
    for after in [unused, forced, probing] {
        after.restore(&before.snapshot()).unwrap();
        assert_eq!(after.explain(), "open: in 30.0 s the next call is let through as a probe");
        wait_is_over(&after);
        assert_eq!(after.explain(), "half-open: its wait is over, and the next call is a probe");
    }
}

#[test]
fn a_forced_circuit_is_explained_without_the_cause_before() {
    let breaker = on_a_streak_of(1);
    end(&breaker, Outcome::FAILURE);
    breaker.force_open(Some(Duration::from_secs(30))).unwrap();
    wait_is_over(&breaker);
    assert_eq!(breaker.explain(), "half-open: its wait is over, and the next call is a probe");
}

/// Makes a call that ends at once.
fn end(breaker: &CircuitBreaker<ManualClock>, outcome: Outcome) {
    breaker.acquire().unwrap().settle(outcome);
}

/// Makes a call that takes a second.
fn end_slowly(breaker: &CircuitBreaker<ManualClock>, outcome: Outcome) {
    let permit = breaker.acquire().unwrap();
    breaker.clock().advance(Duration::from_secs(1));
    permit.settle(outcome);
}

#[test]
fn a_configuration_is_explained_with_all_that_is_set() {
    let config = Config::builder()
        .failure_threshold(None)
        .failure_rate_threshold(0.07)
        .slow_call(Duration::from_millis(1500))
        .slow_call_rate_threshold(1.0)
        .window(WindowShape::Time(Duration::from_secs(30)))
        .minimum_calls(1)
        .success_threshold(1)
        .half_open_max_calls(1)
        .timeout(Duration::from_secs(10))
        .timeout_multiplier(2.5)
        .timeout_jitter(0.2)
        .max_timeout(Duration::from_secs(600))
        .probe_timeout(Duration::from_secs(20))
        .cancel_failure_after(Duration::from_secs(5))
        .shadow(true)
        .record_durations(false)
        .build()
        .unwrap();
    assert_eq!(
        config.explain(),
        [
            "The circuit opens as soon as 7 % of the calls of the last 30 s failed, or as soon as 100 % of the calls of the \
             last 30 s were slow. A call that takes 1.5 s or longer is slow. Shares are computed from 1 call on.",
            "It then rejects calls for 10 s ± 20 %, chosen at random, and 2.5 times longer for each further opening in a row, \
             up to 600 s. A provider that asks for a longer wait gets it, up to 600 s.",
            "After the wait, calls are let through as probes, at most 1 at a time. 1 success closes the circuit; a failure or \
             a slow call opens it again.",
            "If the probe shows no sign of life for 20 s, the next call takes its place.",
            "A call that is cancelled after 5 s or more counts as a failure.",
            "In shadow mode, all of this is decided and counted, but no call is rejected.",
            "The durations of calls are not recorded.",
        ]
    );
}
