"""Metrics that are read from the core at each scrape."""

import gc
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock, Registry, prometheus
from halfopen._metric_families import CIRCUIT_FAMILIES, POOL_FAMILIES

NAMES = {family.name for family in (*CIRCUIT_FAMILIES, *POOL_FAMILIES)}


def calls(registry: CollectorRegistry, circuit: str, outcome: str) -> float | None:
    labels = {"circuit": circuit, "provider": "unknown", "outcome": outcome}
    return registry.get_sample_value("halfopen_calls_total", labels)


def state(registry: CollectorRegistry, circuit: str, provider: str = "unknown") -> list[str]:
    """The states whose series are 1."""
    labels = {"circuit": circuit, "provider": provider}
    series = {
        name: registry.get_sample_value("halfopen_state", {**labels, "state": name})
        for name in ("closed", "half_open", "open")
    }
    assert set(series.values()) in ({0.0, 1.0}, {None}), "one series for each state, or none"
    return [name for name, value in series.items() if value]


def registry() -> CollectorRegistry:
    fresh = CollectorRegistry()
    prometheus.register(fresh)
    return fresh


def breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(name=name, failure_threshold=1))


def families(registry: CollectorRegistry) -> list[str]:
    return [family.name for family in registry.collect()]


def successes(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Successful calls by circuit and provider."""
    return {
        (sample.labels["circuit"], sample.labels["provider"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "halfopen_calls_total" and sample.labels["outcome"] == "success"
    }


def test_breakers_of_the_same_labels_add_up_and_show_the_worst_state() -> None:
    metrics = registry()
    first, second = breaker("shared"), breaker("shared")
    first.acquire().success()
    second.acquire().failure()
    assert state(metrics, "shared") == ["open"]
    del second
    gc.collect()
    assert state(metrics, "shared") == ["closed"]
    assert calls(metrics, "shared", "failure") == 1, "what a breaker has counted outlives it"
    first.acquire().success()
    assert calls(metrics, "shared", "success") == 2
    del first
    gc.collect()
    assert state(metrics, "shared") == []


def test_a_scrape_contains_all_counts(clock: ManualClock) -> None:
    metrics = registry()
    config = CircuitBreakerConfig(name="listed", failure_threshold=1, timeout_seconds=30)
    breaker = CircuitBreaker(config, "p", clock=clock)
    permit = breaker.acquire()
    clock.advance(0.02)
    permit.success()

    def tokens() -> Iterator[str]:
        clock.advance(0.2)
        yield "a"
        yield "b"

    stream = breaker.stream(tokens())
    assert next(stream) == "a"
    with breaker.acquire():
        permit = breaker.acquire()
        clock.advance(100)
        permit.failure()
        with pytest.raises(Exception, match="OPEN"):
            breaker.acquire()
        text = generate_latest(metrics).decode()
    lines = {line for line in text.splitlines() if 'circuit="listed"' in line}
    assert lines >= {
        'halfopen_state{circuit="listed",provider="p",state="closed"} 0.0',
        'halfopen_state{circuit="listed",provider="p",state="half_open"} 0.0',
        'halfopen_state{circuit="listed",provider="p",state="open"} 1.0',
        'halfopen_calls_in_flight{circuit="listed",provider="p"} 2.0',
        'halfopen_calls_total{circuit="listed",outcome="success",provider="p"} 1.0',
        'halfopen_calls_total{circuit="listed",outcome="failure",provider="p"} 1.0',
        'halfopen_calls_total{circuit="listed",outcome="ignored",provider="p"} 0.0',
        'halfopen_calls_total{circuit="listed",outcome="cancelled",provider="p"} 0.0',
        'halfopen_rejections_total{circuit="listed",provider="p",reason="open"} 1.0',
        'halfopen_rejections_total{circuit="listed",provider="p",reason="probes_busy"} 0.0',
        'halfopen_rejections_total{circuit="listed",provider="p",reason="forced_open"} 0.0',
        'halfopen_shadow_rejections_total{circuit="listed",provider="p"} 0.0',
        'halfopen_slow_calls_total{circuit="listed",provider="p"} 0.0',
        'halfopen_probe_timeouts_total{circuit="listed",provider="p"} 0.0',
        'halfopen_transitions_total{circuit="listed",from_state="closed",provider="p",to_state="open"} 1.0',
        'halfopen_call_duration_seconds_bucket{circuit="listed",le="0.01",outcome="success",provider="p"} 0.0',
        'halfopen_call_duration_seconds_bucket{circuit="listed",le="0.025",outcome="success",provider="p"} 1.0',
        'halfopen_call_duration_seconds_bucket{circuit="listed",le="+Inf",outcome="success",provider="p"} 1.0',
        'halfopen_call_duration_seconds_bucket{circuit="listed",le="10.0",outcome="failure",provider="p"} 0.0',
        'halfopen_call_duration_seconds_bucket{circuit="listed",le="+Inf",outcome="failure",provider="p"} 1.0',
        'halfopen_call_duration_seconds_count{circuit="listed",outcome="failure",provider="p"} 1.0',
        'halfopen_call_duration_seconds_sum{circuit="listed",outcome="failure",provider="p"} 100.0',
        'halfopen_call_duration_seconds_sum{circuit="listed",outcome="success",provider="p"} 0.02',
        'halfopen_first_item_seconds_bucket{circuit="listed",le="0.1",provider="p"} 0.0',
        'halfopen_first_item_seconds_bucket{circuit="listed",le="0.25",provider="p"} 1.0',
        'halfopen_first_item_seconds_count{circuit="listed",provider="p"} 1.0',
    }
    assert len(lines) == 3 + 1 + 4 + 3 + 3 + 1 + 3 * 17
    del stream
    clock.advance(30)
    assert state(metrics, "listed", "p") == ["half_open"]


def test_a_call_that_ends_after_its_breaker_is_dropped_counts() -> None:
    metrics = registry()
    permit = breaker("outlived").acquire()
    gc.collect()
    in_flight = {"circuit": "outlived", "provider": "unknown"}
    assert metrics.get_sample_value("halfopen_calls_in_flight", in_flight) == 1
    permit.success()
    del permit
    gc.collect()
    assert calls(metrics, "outlived", "success") == 1


@pytest.mark.parametrize("describes", [False, True])
def test_registering_twice_has_no_effect(describes: bool) -> None:
    metrics = CollectorRegistry(auto_describe=describes)
    for _ in range(3):
        prometheus.register(metrics)
    assert sorted(families(metrics)) == sorted(NAMES)
    other = registry()
    assert sorted(families(other)) == sorted(NAMES), "any number of registries may have them"


def test_threads_may_register_at_once() -> None:
    def register(metrics: CollectorRegistry, start: threading.Barrier, faults: list[ValueError]) -> None:
        start.wait()
        try:
            prometheus.register(metrics)
        except ValueError as fault:
            faults.append(fault)

    for _ in range(50):
        metrics, start = CollectorRegistry(), threading.Barrier(8)
        faults: list[ValueError] = []
        threads = [threading.Thread(target=register, args=(metrics, start, faults)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert faults == []
        assert sorted(families(metrics)) == sorted(NAMES)


@pytest.mark.parametrize("taken", sorted(NAMES))
def test_a_name_collision_registers_nothing(taken: str) -> None:
    metrics = CollectorRegistry()
    owner = Counter(taken, "Somebody else's.", registry=metrics)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"(?s)halfopen_.*Unregister that one first"):
            prometheus.register(metrics)
        assert families(metrics) == [taken]
    metrics.unregister(owner)
    prometheus.register(metrics)
    assert sorted(families(metrics)) == sorted(NAMES)


def test_unregistering_removes_all_from_one_registry() -> None:
    first, second = registry(), registry()
    prometheus.unregister(first)
    prometheus.unregister(first)
    assert families(first) == []
    assert sorted(families(second)) == sorted(NAMES)
    prometheus.register(first)
    assert sorted(families(first)) == sorted(NAMES)
    first.unregister(prometheus.COLLECTOR)
    prometheus.unregister(first)
    prometheus.register(first)
    assert sorted(families(first)) == sorted(NAMES)


def test_a_restricted_registry_selects_one_by_name() -> None:
    kept = breaker("by name")
    text = generate_latest(registry().restricted_registry(["halfopen_state"])).decode()
    assert 'halfopen_state{circuit="by name",provider="unknown",state="open"} 0.0' in text
    assert "halfopen_calls" not in text
    assert kept.state == "closed"


def test_constructors_and_calls_do_not_wait_for_a_scrape() -> None:
    metrics = registry()
    scraping, go_on = threading.Event(), threading.Event()
    scraper: list[threading.Thread] = []

    def slow() -> float:
        if scraper and threading.current_thread() is scraper[0]:
            scraping.set()
            assert go_on.wait(30)
        return 0.0

    others = [CircuitBreaker(CircuitBreakerConfig(name="slow", failure_threshold=1), clock=slow) for _ in range(2)]
    scraper.append(threading.Thread(target=generate_latest, args=(metrics,)))
    scraper[0].start()
    assert scraping.wait(30)
    made: list[CircuitBreaker] = []

    def work() -> None:
        made.append(breaker("made meanwhile"))
        made[0].acquire().failure()
        others.pop().acquire().failure()
        breaker("slow")
        gc.collect()
        generate_latest(metrics.restricted_registry(["none of ours"]))

    worker = threading.Thread(target=work)
    worker.start()
    worker.join(30)
    ended = not worker.is_alive()
    go_on.set()
    scraper[0].join(30)
    assert ended
    assert made[0].state == "open"
    assert calls(metrics, "slow", "failure") == 1
    assert calls(metrics, "made meanwhile", "failure") == 1


def test_a_clock_that_makes_and_drops_breakers_and_scrapes_may_be_scraped() -> None:
    metrics = registry()
    inside: list[bytes] = []

    def busy() -> float:
        if not inside:
            inside.append(b"")
            breaker("made by a clock").acquire().success()
            inside[0] = generate_latest(metrics)
        return 0.0

    kept = CircuitBreaker(CircuitBreakerConfig(name="busy"), clock=busy)
    generate_latest(metrics)
    assert b"made by a clock" in inside[0]
    assert calls(metrics, "made by a clock", "success") == 1
    assert kept.metrics.in_flight == 0


@pytest.fixture
def collecting_always() -> Iterator[None]:
    before = gc.get_threshold()
    gc.set_threshold(20)
    try:
        yield
    finally:
        gc.set_threshold(*before)


class Owner:
    """Is collected together with its breaker."""

    def __init__(self, metrics: CollectorRegistry, name: str) -> None:
        self.metrics, self.owner, self.breaker = metrics, self, breaker(name)
        self.breaker.subscribe(lambda _: self.scraped())

    def scraped(self) -> bytes:
        return generate_latest(self.metrics)

    def __del__(self) -> None:
        self.scraped()
        breaker("made in __del__").acquire().success()


@pytest.mark.usefixtures("collecting_always")
def test_garbage_collected_during_a_scrape_is_counted_once() -> None:
    metrics = CollectorRegistry()
    metrics.register(_Only(prometheus.COLLECTOR))
    prometheus.register(CollectorRegistry())
    for number in range(10):
        Owner(metrics, "garbage").breaker.acquire().failure()
        read = calls(metrics, "garbage", "failure")
        assert read == number + 1
    gc.collect()
    assert calls(metrics, "garbage", "failure") == 10
    assert calls(metrics, "made in __del__", "success") == 10


class _Only(Collector):
    """A collector without series from other tests, for a quick scrape."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector

    def collect(self) -> Iterator[object]:  # type: ignore[override]
        for family in self._collector.collect():
            family.samples = [it for it in family.samples if it.labels.get("circuit") in ("garbage", "made in __del__")]
            yield family


def test_threads_that_make_and_drop_breakers_lose_no_count_during_scrapes() -> None:
    metrics, threads, rounds = registry(), 4, 200
    start = threading.Barrier(threads + 1)

    def work() -> None:
        start.wait()
        for _ in range(rounds):
            breaker("threads").acquire().success()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    start.wait()
    read: list[float] = []
    while any(worker.is_alive() for worker in workers):
        read.append(calls(metrics, "threads", "success") or 0.0)
    for worker in workers:
        worker.join()
    assert read == sorted(read), "a counter never runs backwards"
    assert calls(metrics, "threads", "success") == threads * rounds


def test_any_name_survives_the_exposition_format() -> None:
    name = 'a "name" with \\ and ünïcode ✓'
    guarded = breaker(name)
    guarded.acquire().success()
    families = text_string_to_metric_families(generate_latest(registry()).decode())
    names = {sample.labels.get("circuit") for family in families for sample in family.samples}
    assert name in names


def test_dynamic_names_fold_into_one_series_and_no_sum_falls() -> None:
    metrics, names = registry(), Registry(100)
    of_other_tests = successes(metrics)
    before = sum(of_other_tests.values())
    folded: dict[tuple[str, str], float] = {}
    for number in range(5_000):
        names.get_or_create(CircuitBreakerConfig(name=f"dynamic {number}")).acquire().success()
        if number % 250 == 249:
            read = successes(metrics)
            assert sum(read.values()) - before == number + 1
            assert len(read) <= len(of_other_tests) + 1_000 + 100 + 1
            for labels in [labels for labels in read if labels[0] == "(other)"]:
                # Prometheus would count growth as calls, but these calls belong to other series.
                assert folded.setdefault(labels, read[labels]) == read[labels]
    assert len(folded) > 5
    assert list(folded.values()) == sorted(folded.values()), "the last one holds all that was ever folded"
    assert sum(labels[0] == "(other)" for labels in successes(metrics)) == 1
