"""Metrics that are read from the core when somebody scrapes."""

import gc

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from halfopen import CircuitBreaker, CircuitBreakerConfig, prometheus


def calls(registry: CollectorRegistry, name: str, status: str) -> float | None:
    labels = {"name": name, "provider": "unknown", "status": status}
    return registry.get_sample_value("circuit_breaker_calls_total", labels)


def registry() -> CollectorRegistry:
    fresh = CollectorRegistry()
    prometheus.register(fresh)
    return fresh


def breaker(name: str) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(name=name, failure_threshold=1))


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


def test_a_call_that_outlives_its_breaker_is_still_counted() -> None:
    metrics = registry()
    permit = breaker("outlived").acquire()
    gc.collect()
    assert calls(metrics, "outlived", "attempted") == 1
    permit.success()
    del permit
    gc.collect()
    assert calls(metrics, "outlived", "success") == 1


def test_any_name_is_exposed_so_that_it_can_be_read_back() -> None:
    name = 'a "name" with \\ and ünïcode ✓'
    guarded = breaker(name)
    guarded.acquire().success()
    families = text_string_to_metric_families(generate_latest(registry()).decode())
    names = {sample.labels.get("name") for family in families for sample in family.samples}
    assert name in names
