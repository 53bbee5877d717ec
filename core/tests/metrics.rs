//! Totals by label: what is added up, and what is kept of breakers that are gone.

mod documents;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use documents::part;
use halfopen::clock::ManualClock;
use halfopen::control::Reason;
use halfopen::host::Value;
use halfopen::metrics::{ENDED_KEPT, Membership, Metrics, Reading};
use halfopen::{CircuitBreaker, Config, Snapshot, State};

type Breaker = Arc<CircuitBreaker<ManualClock>>;

fn breaker(name: &str) -> Breaker {
    let config = Config::builder().name(name).failure_threshold(1).timeout(Duration::from_secs(30)).build().unwrap();
    Arc::new(CircuitBreaker::with_clock(config, ManualClock::new()))
}

/// A breaker that has made one call.
fn used(name: &str) -> Breaker {
    let breaker = breaker(name);
    breaker.acquire().unwrap().success();
    breaker
}

/// Makes a breaker that makes a call and is removed.
fn passes_by(metrics: &Metrics<ManualClock>, name: &str) {
    let membership = metrics.add(used(name), "p");
    metrics.remove(&membership);
}

fn labels(reading: &Reading) -> (&str, &str) {
    (&reading.labels.name, &reading.labels.provider)
}

fn calls(readings: &[Reading]) -> u64 {
    readings.iter().map(|reading| reading.totals.counts.total_calls).sum()
}

#[test]
fn breakers_of_the_same_labels_add_up_and_show_the_worst_state() {
    let metrics = Metrics::new();
    let (first, second) = (breaker("a"), breaker("a"));
    let memberships = [("p", &first), ("p", &second), ("q", &first)].map(|(p, it)| metrics.add(Arc::clone(it), p));
    first.acquire().unwrap().success();
    second.acquire().unwrap().failure();
    let _in_flight = first.acquire().unwrap();
    let readings = metrics.read();
    assert_eq!(readings.iter().map(labels).collect::<Vec<_>>(), [("a", "p"), ("a", "q")]);
    let Reading { state, totals, .. } = &readings[0];
    assert_eq!(*state, Some(State::Open));
    let counts = totals.counts;
    assert_eq!((counts.total_calls, counts.successful_calls, counts.failed_calls, counts.in_flight), (3, 1, 1, 1));
    assert_eq!((totals.durations.success.count(), totals.durations.failure.count()), (1, 1));
    assert_eq!(totals.edges(), second.edges());
    assert_eq!(totals.edges().len(), 1);
    assert_eq!(readings[1].totals, first.totals());

    let last = breaker("a");
    metrics.add(Arc::clone(&last), "p");
    assert_eq!(metrics.read()[0].state, Some(State::Open));
    second.clock().advance(Duration::from_secs(30));
    assert_eq!(metrics.read()[0].state, Some(State::HalfOpen));
    first.force_open(None).unwrap();
    assert_eq!(metrics.read()[0].state, Some(State::Open));
    metrics.remove(&memberships[0]);
    assert_eq!(metrics.read()[0].state, Some(State::HalfOpen));
    metrics.remove(&memberships[1]);
    assert_eq!(metrics.read()[0].state, Some(State::Closed));
}

#[test]
fn label_sets_are_kept_up_to_the_bound_and_one_more_folds_the_oldest_half() {
    let metrics = Metrics::default();
    metrics.keep_ended();
    for number in 0..ENDED_KEPT {
        passes_by(&metrics, &number.to_string());
    }
    assert_eq!(metrics.read().len(), ENDED_KEPT);
    passes_by(&metrics, "one more");
    assert_eq!(metrics.read().len(), ENDED_KEPT / 2 + 1);
}

#[test]
fn nothing_is_kept_of_those_that_are_gone_until_it_is_asked_for() {
    let metrics = Metrics::new();
    let stays = metrics.add(used("a"), "p");
    passes_by(&metrics, "a");
    passes_by(&metrics, "b");
    assert_eq!(calls(&metrics.read()), 1);
    metrics.keep_ended();
    passes_by(&metrics, "a");
    passes_by(&metrics, "b");
    metrics.remove(&stays);
    let readings = metrics.read();
    assert_eq!(readings.iter().map(labels).collect::<Vec<_>>(), [("a", "p"), ("b", "p")]);
    assert_eq!((readings[0].totals.counts.total_calls, readings[0].state), (2, None));
    metrics.remove(&stays);
    assert_eq!(metrics.read(), readings, "a breaker goes once");
}

#[test]
fn labels_that_come_back_go_on_counting() {
    let metrics = Metrics::new();
    metrics.keep_ended();
    passes_by(&metrics, "a");
    let again = metrics.add(used("a"), "p");
    let [reading] = &metrics.read()[..] else { panic!("one series") };
    assert_eq!((reading.totals.counts.total_calls, reading.state), (2, Some(State::Closed)));
    // Its breaker has not ended, so it is never folded.
    for number in 0..3 * ENDED_KEPT {
        passes_by(&metrics, &number.to_string());
    }
    assert!(metrics.read().iter().any(|reading| labels(reading) == ("a", "p")));
    metrics.remove(&again);
    assert!(metrics.read().iter().any(|reading| labels(reading) == ("a", "p")));
}

#[test]
fn a_series_of_zeros_ends_with_its_breaker() {
    let metrics = Metrics::new();
    metrics.keep_ended();
    let membership = metrics.add(breaker("a"), "p");
    assert_eq!(metrics.read().len(), 1);
    metrics.remove(&membership);
    assert!(metrics.read().is_empty());
}

#[test]
fn the_oldest_of_too_many_that_ended_are_folded_so_that_no_sum_falls_and_no_series_jumps() {
    let metrics = Metrics::new();
    metrics.keep_ended();
    let mut known: BTreeMap<(String, String), u64> = BTreeMap::new();
    for number in 0..ENDED_KEPT * 4 {
        passes_by(&metrics, &format!("name {number:06}"));
        if number % 97 != 0 {
            continue;
        }
        let readings = metrics.read();
        assert!(readings.len() <= ENDED_KEPT + 1);
        assert_eq!(calls(&readings), number as u64 + 1, "nothing is lost, and nothing is counted twice");
        for reading in &readings {
            let (name, provider) = labels(reading);
            let count = reading.totals.counts.total_calls;
            let first = *known.entry((name.into(), provider.into())).or_insert(count);
            assert_eq!(count, first, "no series of those that are gone grows: {name} {provider}");
        }
    }
    let readings = metrics.read();
    let folded: Vec<_> = readings.iter().filter(|reading| &*reading.labels.name == "(other)").collect();
    assert_eq!(folded.len(), 1);
    assert_eq!(labels(folded[0]), ("(other)", "(fold 6)"));
    assert_eq!(folded[0].state, None);
    let newest = format!("name {:06}", ENDED_KEPT * 4 - 1);
    assert!(readings.iter().any(|reading| *reading.labels.name == *newest), "the oldest are folded first");
}

#[test]
fn a_breaker_with_the_labels_of_the_folded_shares_their_series() {
    let metrics = Metrics::new();
    metrics.keep_ended();
    for number in 0..=ENDED_KEPT {
        passes_by(&metrics, &number.to_string());
    }
    let folded = metrics.read().into_iter().find(|reading| labels(reading) == ("(other)", "(fold 1)")).unwrap();
    let _stays = metrics.add(used("(other)"), "(fold 1)");
    let found: Vec<_> = metrics.read().into_iter().filter(|it| labels(it) == ("(other)", "(fold 1)")).collect();
    let [shared] = &found[..] else { panic!("no labels twice") };
    assert_eq!(shared.totals.counts.total_calls, folded.totals.counts.total_calls + 1);
}

#[test]
fn sums_too_large_to_tell_stay_at_the_largest() {
    let most = 1_u64 << 51;
    let mut document = used("a").snapshot().to_value();
    for count in ["total_calls", "successful_calls"] {
        *part(&mut document, &format!("counters.{count}")) = Value::Uint(most);
    }
    let document = Snapshot::from_value(&document).unwrap();
    let metrics = Metrics::new();
    let memberships: Vec<Membership> = (0..10_000)
        .map(|_| {
            let restored = breaker("a");
            restored.restore(&document).unwrap();
            metrics.add(restored, "p")
        })
        .collect();
    assert_eq!(metrics.read()[0].totals.counts.total_calls, u64::MAX);
    drop(memberships);
}

#[test]
fn rejections_are_counted_by_reason() {
    let breaker = breaker("a");
    breaker.acquire().unwrap().failure();
    breaker.acquire().unwrap_err();
    breaker.clock().advance(Duration::from_secs(30));
    let probes = [0; 3].map(|_| breaker.acquire().unwrap());
    for _ in 0..2 {
        breaker.acquire().unwrap_err();
    }
    drop(probes);
    breaker.force_open(None).unwrap();
    for _ in 0..3 {
        breaker.acquire().unwrap_err();
    }
    let totals = breaker.totals();
    assert!(totals.rejections().eq([(Reason::Open, 1), (Reason::ProbesBusy, 2), (Reason::ForcedOpen, 3)]));
    assert_eq!(totals.counts.rejected_calls, 6);
}

#[test]
fn times_to_the_first_item_add_up() {
    let metrics = Metrics::new();
    for waited in [Duration::from_millis(1), Duration::from_secs(60)] {
        let breaker = breaker("a");
        let _ = metrics.add(Arc::clone(&breaker), "p");
        breaker.record_first_item(waited);
        assert_eq!(breaker.first_items().count(), 1);
    }
    let first_items = metrics.read()[0].totals.first_items;
    assert_eq!((first_items.count(), first_items.total), (2, Duration::from_millis(60_001)));
}

#[test]
fn after_a_new_beginning_only_what_follows_counts() {
    let metrics = Metrics::new();
    metrics.keep_ended();
    let present = used("present");
    let membership = metrics.add(Arc::clone(&present), "p");
    for number in 0..=ENDED_KEPT {
        passes_by(&metrics, &number.to_string());
    }
    passes_by(&metrics, "present");
    metrics.begin_anew();
    let nothing = metrics.read();
    assert_eq!(nothing.iter().map(labels).collect::<Vec<_>>(), [("present", "p")]);
    assert_eq!((calls(&nothing), nothing[0].state), (0, Some(State::Closed)));

    present.acquire().unwrap().failure();
    present.acquire().unwrap_err();
    passes_by(&metrics, "present");
    let (read, edges) = (metrics.read(), present.edges());
    assert_eq!((calls(&read), read[0].totals.counts.failed_calls, read[0].totals.edges()), (2, 1, edges));
    assert_eq!(read[0].totals.counts.rejected_calls, 1);
    metrics.remove(&membership);
    assert_eq!(calls(&metrics.read()), 2, "the counts of a removed breaker are kept, also without the forgotten ones");
    assert_eq!(present.counts().total_calls, 2, "the breaker itself has forgotten nothing");
}
