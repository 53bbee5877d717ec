//! Runs that are stopped before their end, their calls, and the choice among providers.

use super::*;

#[test]
fn a_run_that_stops_on_its_way_gives_the_same_report() {
    for effect in EFFECTS {
        let scenario = scenario(&fault(effect));
        let mut run = Simulation::new(&scenario, &breaker()).traced();
        for stop in [0.0, 30.4, 30.4, 12.0, 31.0, 59.99, 120.0] {
            run.advance_to(stop);
            run.circuit(0, 0).unwrap();
        }
        assert_eq!(run.finish(), simulate(&scenario, &breaker()), "{effect}");
    }
}

#[test]
fn the_trace_holds_every_call_and_every_rejection() {
    for failover in [None, Some(Strategy::PriorityList), Some(Strategy::BestPerformance)] {
        for effect in EFFECTS {
            let (scenario, setup) = (scenario(&fault(effect)), Setup { failover, ..breaker() });
            let mut run = Simulation::new(&scenario, &setup).traced();
            run.advance_to(1e6);
            let with_fate = |fate| run.calls().iter().filter(|call| call.fate == fate).count() as u64;
            let report = simulate(&scenario, &setup);
            assert_eq!(with_fate(Fate::Answered), report.answered, "{effect}");
            assert_eq!(with_fate(Fate::RejectedInVain), report.score.refused_in_vain, "{effect}");
            let probes = run.calls().iter().filter(|call| call.is_probe).count();
            assert_eq!(probes > 0, report.transition_count > 0, "{effect}");
        }
    }
}

#[test]
fn a_view_shows_the_window_and_the_probe_slots() {
    let rates = |window| {
        let rates = Config::builder().failure_threshold(None).failure_rate_threshold(1.0).minimum_calls(1_000_000);
        Setup { breaker: Some(rates.window(window).build().unwrap()), ..Setup::default() }
    };
    let scenario = scenario(&fault(EFFECTS[0]));
    let view = |setup: &Setup, at| {
        let mut run = Simulation::new(&scenario, setup);
        run.advance_to(at);
        run.circuit(0, 0).unwrap()
    };
    let closed = view(&rates(crate::config::WindowShape::Time(Duration::from_secs(10))), 35.0);
    let seconds = closed.window;
    let summed = |index: usize| seconds.buckets.iter().map(|bucket| bucket[index]).sum::<u64>();
    assert_eq!((summed(0), summed(1), summed(2)), (seconds.calls, seconds.failed, seconds.slow));
    assert!(seconds.failed > 100 && seconds.calls > seconds.failed);

    let half_open = view(&breaker(), 60.5);
    assert_eq!((closed.probe_slots, half_open.probe_slots), (0, 3));
    assert_eq!(
        half_open.window,
        WindowView { calls: 0, failed: 0, slow: 0, cells: String::new(), buckets: Vec::new() }
    );
    let during = Simulation::new(&scenario, &breaker());
    assert_eq!(during.circuit(0, 2), None, "there are two providers");
    assert_eq!(during.circuit(1, 0), None, "there is one worker");
}

#[test]
fn strategies_share_the_requests() {
    let scenario = scenario("");
    let answered_by_first = |strategy| {
        let mut run = Simulation::new(&scenario, &Setup { failover: Some(strategy), ..Setup::default() }).traced();
        run.advance_to(1e6);
        run.calls().iter().filter(|call| call.provider == 0).count() as f64 / run.calls().len() as f64
    };
    assert_eq!(answered_by_first(Strategy::PriorityList), 1.0);
    assert!((answered_by_first(Strategy::RoundRobin) - 0.5).abs() < 0.01);
    assert!((answered_by_first(Strategy::Random) - 0.5).abs() < 0.03);
    assert!(answered_by_first(Strategy::BestPerformance) > 0.55, "gemini is faster");
}

#[test]
fn a_rate_limited_provider_cools_down_where_there_is_another() {
    let scenario = scenario(&fault(r#"{"kind": "rate_limited", "share": 1, "retry_after_seconds": 10}"#));
    let report = simulate(&scenario, &Setup { failover: Some(Strategy::PriorityList), ..breaker() });
    assert_eq!((report.score.failed_requests, report.transition_count), (0, 0));
    assert!(report.score.calls_per_request < 1.05, "{}", report.score.calls_per_request);
}

#[test]
fn no_request_outlives_its_deadline() {
    let mut hanging = scenario(&fault(r#"{"kind": "hanging", "share": 1}"#));
    hanging.clients.retries = 10;
    hanging.clients.deadline_seconds = Some(3.0);
    let mut run = Simulation::new(&hanging, &Setup::default()).traced();
    run.advance_to(1e6);
    let mut ends: Vec<(u64, f64, f64)> = Vec::new();
    for call in run.calls() {
        match ends.iter_mut().find(|(request, ..)| *request == call.request) {
            Some((_, from, to)) => (*from, *to) = (from.min(call.from_seconds), to.max(call.to_seconds)),
            None => ends.push((call.request, call.from_seconds, call.to_seconds)),
        }
    }
    let longest = ends.iter().map(|(_, from, to)| to - from).fold(0.0, f64::max);
    assert!((longest - 3.0).abs() < 1e-6, "{longest}");
}
