//! The properties of a simulation.

use super::*;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::pool::Strategy;

mod runs;

fn scenario(faults: &str) -> Scenario {
    let text = alloc::format!(
        r#"{{"seed": 3, "seconds": 120, "clients": {{"per_second": 40, "timeout_seconds": 2}},
            "providers": [
                {{"name": "gemini", "latency": {{"kind": "log_normal", "median_seconds": 0.2, "sigma": 0.4}}}},
                {{"name": "openai", "latency": {{"kind": "fixed", "seconds": 0.5}}}}],
            "faults": [{faults}]}}"#
    );
    Scenario::from_json(&text).unwrap()
}

fn fault(effect: &str) -> String {
    alloc::format!(r#"{{"provider": "gemini", "from_seconds": 30, "to_seconds": 60, "effect": {effect}}}"#)
}

fn breaker() -> Setup {
    let config = Config::builder().failure_threshold(5).timeout(Duration::from_secs(5)).build().unwrap();
    Setup { breaker: Some(config), ..Setup::default() }
}

const EFFECTS: [&str; 9] = [
    r#"{"kind": "down"}"#,
    r#"{"kind": "brown_out", "share": 0.4}"#,
    r#"{"kind": "slow", "factor": 20}"#,
    r#"{"kind": "hanging", "share": 0.5}"#,
    r#"{"kind": "slow_first_token", "seconds": 5}"#,
    r#"{"kind": "flapping", "period_seconds": 4, "down_share": 0.5}"#,
    r#"{"kind": "rate_limited", "share": 0.9, "retry_after_seconds": 10}"#,
    r#"{"kind": "bad_shards", "shards": 4, "bad": 1}"#,
    r#"{"kind": "deploy", "every_seconds": 10, "cold_seconds": 3, "factor": 5, "share": 0.8}"#,
];

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    let scenario = scenario(&fault(EFFECTS[1]));
    let report = simulate(&scenario, &breaker());
    assert_eq!(simulate(&scenario, &breaker()), report);
    assert_ne!(simulate(&Scenario { seed: 4, ..scenario }, &breaker()).series, report.series);
}

#[test]
fn a_scenario_survives_its_json() {
    for effect in EFFECTS {
        let mut scenario = scenario(&fault(effect));
        scenario.clients.arrivals = Arrivals::Bursts { size: 3 };
        scenario.providers[0].capacity = Some(4);
        let text = serde_json::to_string(&scenario).unwrap();
        assert_eq!(serde_json::to_string(&Scenario::from_json(&text).unwrap()).unwrap(), text);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Scenario>(&text).unwrap()).unwrap(), text);
    }
}

#[test]
fn every_request_ends_in_one_way_and_the_series_holds_them_all() {
    for effect in EFFECTS {
        for failover in [None, Some(Strategy::PriorityList), Some(Strategy::RoundRobin)] {
            let mut scenario = scenario(&fault(effect));
            scenario.clients.retries = 2;
            scenario.clients.backoff_seconds = 0.1;
            scenario.workers = 3;
            let report = simulate(&scenario, &Setup { failover, ..breaker() });
            let summed = |of: fn(&Point) -> u32| report.series.iter().map(|point| u64::from(of(point))).sum::<u64>();
            assert_eq!(summed(|point| point.answered), report.answered, "{effect}");
            assert_eq!(summed(|point| point.failed), report.failed, "{effect}");
            assert_eq!(summed(|point| point.refused), report.refused, "{effect}");
            assert_eq!(report.answered + report.failed + report.refused, report.requests, "{effect}");
            assert_eq!(report.transition_count, report.transitions.len() as u64, "{effect}");
        }
    }
}

#[test]
fn configurations_see_the_same_requests_and_the_same_answers() {
    let scenario = scenario(&fault(EFFECTS[7]));
    let lenient = Config::builder().failure_threshold(1_000).build().unwrap();
    let never_opens = simulate(&scenario, &Setup { breaker: Some(lenient), ..Setup::default() });
    let without = simulate(&scenario, &Setup::default());
    assert_eq!(never_opens.transition_count, 0);
    assert_eq!((never_opens.answered, never_opens.failed), (without.answered, without.failed));
    assert_eq!(never_opens.series, without.series);
}

#[test]
fn an_outage_is_noticed_spared_and_recovered_from() {
    let report = simulate(&scenario(&fault(EFFECTS[0])), &breaker());
    let without = simulate(&scenario(&fault(EFFECTS[0])), &Setup::default());
    let score = &report.score;
    assert!(score.seconds_to_open.unwrap() < 1.0);
    assert!(score.seconds_to_recover.unwrap() <= 10.0);
    assert_eq!(score.not_closed_at_end, 0);
    assert!(score.wasted_calls < 30, "{}", score.wasted_calls);
    assert!(without.score.wasted_calls > 1_000);
    let states: Vec<_> =
        report.transitions.iter().map(|it| (it.from_state.to_string(), it.cause.to_string())).collect();
    assert_eq!(states[0], ("closed".into(), "consecutive_failures".into()));
    assert_eq!(states.last().unwrap().1, "probes_succeeded");
    let middle = &report.series[90];
    assert_eq!((middle.not_closed, middle.answered), (1, 0));
}

#[test]
fn failover_answers_through_the_second_provider() {
    let report =
        simulate(&scenario(&fault(EFFECTS[0])), &Setup { failover: Some(Strategy::PriorityList), ..breaker() });
    assert_eq!(report.score.failed_requests, 0);
    assert!(report.score.calls_per_request < 1.01, "{}", report.score.calls_per_request);
}

/// A scenario in which a breaker does harm: one of four shards is bad, and the breaker rejects calls to all four.
#[test]
fn a_breaker_can_make_a_partial_outage_worse() {
    let faults = fault(EFFECTS[7]);
    let config = Config::builder().failure_threshold(2).timeout(Duration::from_secs(5)).build().unwrap();
    let with = simulate(&scenario(&faults), &Setup { breaker: Some(config), ..Setup::default() });
    let without = simulate(&scenario(&faults), &Setup::default());
    assert!(with.score.failed_requests > 2 * without.score.failed_requests);
    assert!(with.score.refused_in_vain > without.score.failed_requests);
}

#[test]
fn rate_limits_open_nothing_unless_they_are_counted() {
    let scenario = scenario(&fault(EFFECTS[6]));
    assert_eq!(simulate(&scenario, &breaker()).transition_count, 0);
    let counted = simulate(&scenario, &Setup { count_rate_limits: true, ..breaker() });
    assert!(counted.transitions[0].explanation.contains("10.0 s"), "the hint: {}", counted.transitions[0].explanation);
}

#[test]
fn a_full_provider_becomes_slower() {
    let mut crowded = scenario("");
    crowded.providers[0].capacity = Some(2);
    crowded.clients.timeout_seconds = 60.0;
    let [half, ..] = simulate(&crowded, &Setup::default()).score.latency_seconds.unwrap();
    let [usual, ..] = simulate(&scenario(""), &Setup::default()).score.latency_seconds.unwrap();
    assert!(half > 2.0 * usual, "{half} {usual}");
}

#[test]
fn arrivals_keep_their_rate() {
    for (arrivals, tolerance) in [(Arrivals::Steady, 1), (Arrivals::Poisson, 300), (Arrivals::Bursts { size: 20 }, 20)]
    {
        let mut scenario = scenario("");
        scenario.clients.arrivals = arrivals;
        let requests = simulate(&scenario, &Setup::default()).requests;
        assert!(requests.abs_diff(4_800) <= tolerance, "{arrivals:?}: {requests}");
    }
}

#[test]
fn wrong_values_are_refused_with_their_place() {
    let mut wrong = scenario(&fault(EFFECTS[1]));
    wrong.faults[0].effect = Effect::BrownOut { share: 1.5 };
    let refused = wrong.check().unwrap_err();
    assert_eq!(refused.to_string(), "faults[0].effect.share = 1.5 is refused: allowed is a number from 0 to 1");
    let mut unknown = scenario(&fault(EFFECTS[0]));
    unknown.faults[0].provider = "nobody".into();
    assert_eq!(unknown.check().unwrap_err().allowed(), "gemini or openai");
    let mut endless = scenario("");
    endless.seconds = f64::NAN;
    assert_eq!(endless.check().unwrap_err().field(), "seconds");
    assert_eq!(Scenario::from_json("[]").unwrap_err().field(), "scenario");
    for (from, to, message) in [
        (r#""seconds": 120"#, r#""seconds": "long""#, r#"seconds = "long" is refused: allowed is a number"#),
        (
            r#""sigma": 0.4"#,
            r#""sigma": 0.4, "x": 1"#,
            "providers[0].latency.x = 1 is refused: allowed is one of these fields: kind, median_seconds, sigma",
        ),
        (
            r#""kind": "down""#,
            r#""kind": "up""#,
            "faults[0].effect.kind = \"up\" is refused: allowed is one of: down, brown_out, slow, hanging, slow_first_token, flapping, rate_limited, bad_shards, deploy",
        ),
        (r#""seed": 3"#, r#""seed": -3"#, "seed = -3 is refused: allowed is a whole number, at least 0"),
    ] {
        let text = serde_json::to_string(&scenario(&fault(EFFECTS[0]))).unwrap();
        let text = text.replace(':', ": ").replace(": 120.0", ": 120").replace(from, to);
        assert_eq!(Scenario::from_json(&text).unwrap_err().to_string(), message);
    }
}
