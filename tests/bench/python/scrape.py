"""Measures a scrape of many breakers and writes the result to the given file.

It compares three registries: halfopen's; one with precomputed samples, which measures only the text output; and one
with the same series as metrics of the client library.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from halfopen import CircuitBreaker, CircuitBreakerConfig, prometheus

BREAKERS = 5_000
ROUNDS = 5


@dataclass
class Scrape:
    """CPU nanoseconds for each breaker, minimum of the rounds."""

    labels: str
    halfopen: float
    precomputed: float
    client_library: float


class Precomputed(Collector):
    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def main(file: str) -> None:
    ours = CollectorRegistry()
    prometheus.register(ours)
    results: list[Scrape] = []
    for labels, names in (("the same", 1), ("5,000 different", BREAKERS)):
        kept = [breaker(f"name {number % names}") for number in range(BREAKERS)]
        precomputed = CollectorRegistry()
        precomputed.register(Precomputed(list(ours.collect())))
        contenders = (ours, precomputed, client_library(names))
        results.append(Scrape(labels, *(fastest(registry) for registry in contenders)))
        del kept
    Path(file).write_text(json.dumps({"breakers": BREAKERS, "scrapes": [asdict(it) for it in results]}))


def breaker(name: str) -> CircuitBreaker:
    """A breaker that has made one successful and one failed call."""
    created = CircuitBreaker(CircuitBreakerConfig(name=name, failure_threshold=1), "provider")
    created.acquire().success()
    created.acquire().failure()
    return created


def client_library(names: int) -> CollectorRegistry:
    """The same series, counted with the client library."""
    registry = CollectorRegistry()
    labels = ["circuit", "provider"]
    state = Gauge("halfopen_state", "State", [*labels, "state"], registry=registry)
    in_flight = Gauge("halfopen_calls_in_flight", "In flight", labels, registry=registry)
    calls = Counter("halfopen_calls", "Calls", [*labels, "outcome"], registry=registry)
    rejections = Counter("halfopen_rejections", "Rejections", [*labels, "reason"], registry=registry)
    others = [
        Counter(f"halfopen_{name}", name, labels, registry=registry)
        for name in ("shadow_rejections", "slow_calls", "probe_timeouts")
    ]
    edges = ["from_state", "to_state"]
    transitions = Counter("halfopen_transitions", "Transitions", [*labels, *edges], registry=registry)
    durations = Histogram("halfopen_call_duration_seconds", "Durations", [*labels, "outcome"], registry=registry)
    for number in range(names):
        own = (f"name {number}", "provider")
        for entered in ("closed", "half_open", "open"):
            state.labels(*own, entered).set(entered == "open")
        in_flight.labels(*own)
        for outcome in ("success", "failure", "ignored", "cancelled"):
            calls.labels(*own, outcome).inc()
        for reason in ("open", "probes_busy", "forced_open"):
            rejections.labels(*own, reason).inc()
        for other in others:
            other.labels(*own).inc()
        transitions.labels(*own, "closed", "open").inc()
        for outcome in ("success", "failure"):
            durations.labels(*own, outcome).observe(0.001)
    return registry


def fastest(registry: CollectorRegistry) -> float:
    return min(timed(lambda: generate_latest(registry)) for _ in range(ROUNDS)) / BREAKERS


def timed(scrape: Callable[[], bytes]) -> float:
    start = time.process_time_ns()
    scrape()
    return time.process_time_ns() - start


if __name__ == "__main__":
    main(sys.argv[1])
