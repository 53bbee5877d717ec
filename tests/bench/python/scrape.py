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
    labels = ["name", "provider"]
    state = Gauge("circuit_breaker_state", "State", labels, registry=registry)
    calls = Counter("circuit_breaker_calls", "Calls", [*labels, "status"], registry=registry)
    edges = ["from_state", "to_state"]
    transitions = Counter("circuit_breaker_state_transitions", "Transitions", [*labels, *edges], registry=registry)
    durations = Histogram("circuit_breaker_call_duration_seconds", "Durations", [*labels, "status"], registry=registry)
    for number in range(names):
        own = (f"name {number}", "provider")
        state.labels(*own).set(2)
        transitions.labels(*own, "closed", "open").inc()
        for status in ("attempted", "success", "failure", "rejected"):
            calls.labels(*own, status).inc()
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
