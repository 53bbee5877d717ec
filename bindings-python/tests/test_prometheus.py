"""Metrics that are read from the core at each scrape."""

import gc
import threading
from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock, Registry, prometheus

NAMES = {
    "circuit_breaker_state",
    "circuit_breaker_calls",
    "circuit_breaker_state_transitions",
    "circuit_breaker_call_duration_seconds",
}


def calls(registry: CollectorRegistry, name: str, status: str) -> float | None:
    labels = {"name": name, "provider": "unknown", "status": status}
    return registry.get_sample_value("circuit_breaker_calls_total", labels)


def registry() -> CollectorRegistry:
    fresh = CollectorRegistry()
    prometheus.register(fresh)
    return fresh


def breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(name=name, failure_threshold=1))


def families(registry: CollectorRegistry) -> list[str]:
    return [family.name for family in registry.collect()]


def attempted(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Samples by name and provider."""
    return {
        (sample.labels["name"], sample.labels["provider"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "circuit_breaker_calls_total" and sample.labels["status"] == "attempted"
    }


def test_breakers_of_the_same_labels_add_up_and_show_the_worst_state() -> None:
    metrics, labels = registry(), {"name": "shared", "provider": "unknown"}
    first, second = breaker("shared"), breaker("shared")
    first.acquire().success()
    second.acquire().failure()
    assert calls(metrics, "shared", "attempted") == 2
    assert metrics.get_sample_value("circuit_breaker_state", labels) == 2
    del second
    gc.collect()
    assert metrics.get_sample_value("circuit_breaker_state", labels) == 0
    assert calls(metrics, "shared", "failure") == 1, "what a breaker has counted outlives it"
    first.acquire().success()
    assert calls(metrics, "shared", "success") == 2
    del first
    gc.collect()
    assert metrics.get_sample_value("circuit_breaker_state", labels) is None


def test_a_scrape_contains_all_counts(clock: ManualClock) -> None:
    metrics = registry()
    config = CircuitBreakerConfig(name="told", failure_threshold=1, timeout_seconds=30)
    breaker = CircuitBreaker(config, "p", clock=clock)
    permit = breaker.acquire()
    clock.advance(0.02)
    permit.success()
    permit = breaker.acquire()
    clock.advance(100)
    permit.failure()
    with pytest.raises(Exception, match="OPEN"):
        breaker.acquire()
    text = generate_latest(metrics).decode()
    lines = {line for line in text.splitlines() if 'name="told"' in line}
    duration = "circuit_breaker_call_duration_seconds"
    assert lines >= {
        'circuit_breaker_state{name="told",provider="p"} 2.0',
        'circuit_breaker_calls_total{name="told",provider="p",status="attempted"} 2.0',
        'circuit_breaker_calls_total{name="told",provider="p",status="success"} 1.0',
        'circuit_breaker_calls_total{name="told",provider="p",status="failure"} 1.0',
        'circuit_breaker_calls_total{name="told",provider="p",status="rejected"} 1.0',
        'circuit_breaker_state_transitions_total{from_state="closed",name="told",provider="p",to_state="open"} 1.0',
        duration + '_bucket{le="0.01",name="told",provider="p",status="success"} 0.0',
        duration + '_bucket{le="0.025",name="told",provider="p",status="success"} 1.0',
        duration + '_bucket{le="+Inf",name="told",provider="p",status="success"} 1.0',
        duration + '_bucket{le="10.0",name="told",provider="p",status="failure"} 0.0',
        duration + '_bucket{le="+Inf",name="told",provider="p",status="failure"} 1.0',
        duration + '_count{name="told",provider="p",status="failure"} 1.0',
        duration + '_sum{name="told",provider="p",status="failure"} 100.0',
        duration + '_sum{name="told",provider="p",status="success"} 0.02',
    }
    assert len(lines) == 1 + 4 + 1 + 2 * 17
    clock.advance(30)
    assert metrics.get_sample_value("circuit_breaker_state", {"name": "told", "provider": "p"}) == 1


def test_a_call_that_ends_after_its_breaker_is_dropped_counts() -> None:
    metrics = registry()
    permit = breaker("outlived").acquire()
    gc.collect()
    assert calls(metrics, "outlived", "attempted") == 1
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
        with pytest.raises(ValueError, match=r"(?s)circuit_breaker_.*Unregister that one first"):
            prometheus.register(metrics)
        assert families(metrics) == [taken]
    metrics.unregister(owner)
    prometheus.register(metrics)
    assert sorted(families(metrics)) == sorted(NAMES)


def test_unregistering_removes_all_four_from_one_registry() -> None:
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
    text = generate_latest(registry().restricted_registry(["circuit_breaker_state"])).decode()
    assert 'circuit_breaker_state{name="by name",provider="unknown"} 0.0' in text
    assert "circuit_breaker_calls" not in text
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
            family.samples = [it for it in family.samples if it.labels["name"] in ("garbage", "made in __del__")]
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
    names = {sample.labels.get("name") for family in families for sample in family.samples}
    assert name in names


def test_dynamic_names_fold_into_one_series_and_no_sum_falls() -> None:
    metrics, names = registry(), Registry(100)
    of_other_tests = attempted(metrics)
    before = sum(of_other_tests.values())
    folded: dict[tuple[str, str], float] = {}
    for number in range(5_000):
        names.get_or_create(CircuitBreakerConfig(name=f"dynamic {number}")).acquire().success()
        if number % 250 == 249:
            read = attempted(metrics)
            assert sum(read.values()) - before == number + 1
            assert len(read) <= len(of_other_tests) + 1_000 + 100 + 1
            for labels in [labels for labels in read if labels[0] == "(other)"]:
                # Prometheus would count growth as calls, but these calls belong to other series.
                assert folded.setdefault(labels, read[labels]) == read[labels]
    assert len(folded) > 5
    assert list(folded.values()) == sorted(folded.values()), "the last one holds all that was ever folded"
    assert sum(labels[0] == "(other)" for labels in attempted(metrics)) == 1
