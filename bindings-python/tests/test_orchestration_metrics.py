"""The metrics of orchestrators, through Prometheus and OpenTelemetry."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from prometheus_client import CollectorRegistry

from halfopen import CircuitBreakerConfig, otel, prometheus
from halfopen._label_sets import MAX_LABEL_SETS
from halfopen._pool_totals import PoolTotals
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider


class RateLimited(Exception):
    status_code = 429


def sample(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(f"halfopen_{name}_total", labels) or 0.0


async def use(first: str, second: str) -> None:
    """The first one fails, then is limited; the second one answers, then fails as well."""
    orchestrator = Orchestrator(
        [
            Provider(name, tier=tier, breaker=CircuitBreakerConfig(name=name, failure_threshold=10))
            for tier, name in enumerate((first, second))
        ]
    )
    errors: list[Exception | None] = [ConnectionError(), None, RateLimited(), ConnectionError()]

    async def ask(_: Provider) -> str:
        error = errors.pop(0)
        if error is not None:
            raise error
        return "hello"

    assert await orchestrator.call(ask) == "hello"
    with pytest.raises(AllProvidersFailed):
        await orchestrator.call(ask)


async def test_prometheus_shows_choices_switches_cooldowns_and_the_budget() -> None:
    registry = CollectorRegistry()
    prometheus.register(registry)
    paid = sample(registry, "extra_attempts", result="paid")
    await use("seen-1", "seen-2")
    assert sample(registry, "choices", provider="seen-1", role="normal") == 2
    assert sample(registry, "choices", provider="seen-2", role="normal") == 2
    switched = {"from_provider": "seen-1", "to_provider": "seen-2"}
    assert sample(registry, "switches", **switched, cause="failure") == 2
    cooled = [
        it
        for family in registry.collect()
        for it in family.samples
        if it.name == "halfopen_cooldowns_total" and it.labels["provider"] == "seen-1"
    ]
    assert [it.value for it in cooled] == [1]
    assert sample(registry, "extra_attempts", result="paid") - paid == 1, "a move away from a cooldown is free"


async def test_the_time_to_the_first_content_of_a_stream_is_recorded() -> None:
    registry = CollectorRegistry()
    prometheus.register(registry)
    orchestrator = Orchestrator([Provider("first-item")])

    async def tokens(_: Provider) -> AsyncIterator[str]:
        yield "one"
        yield "two"

    assert [item async for item in orchestrator.stream(tokens)] == ["one", "two"]
    labels = {"circuit": "first-item", "provider": "first-item"}
    assert registry.get_sample_value("halfopen_first_item_seconds_count", labels) == 1


async def test_opentelemetry_shows_the_same() -> None:
    reader = InMemoryMetricReader()
    otel.instrument(meter_provider=MeterProvider([reader]))
    try:
        await use("told-1", "told-2")
        data = reader.get_metrics_data()
    finally:
        otel.uninstrument()
    assert data is not None
    points = {
        (metric.name, (point.attributes or {}).get("halfopen.provider")): getattr(point, "value", None)
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
    }
    assert points["halfopen.choices", "told-1"] == 2
    assert points["halfopen.cooldowns", "told-1"] == 1


PROGRAM = """
import asyncio, os
from prometheus_client import CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from halfopen import prometheus
from halfopen.orchestration import Orchestrator, Provider

prometheus.register()

async def ask(provider):
    return provider.id

def use(times):
    orchestrator = Orchestrator([Provider("a"), Provider("b")])
    for _ in range(times):
        asyncio.run(orchestrator.call(ask))
        prometheus.flush()

use(2)
child = os.fork()
if child == 0:
    use(3)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
registry = CollectorRegistry()
MultiProcessCollector(registry)
assert registry.get_sample_value("halfopen_choices_total", {"provider": "a", "role": "normal"}) == 5
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")
def test_processes_add_up(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_label_sets_are_bounded() -> None:
    totals = PoolTotals()
    for number in range(MAX_LABEL_SETS + 10):
        totals.count("halfopen_choices", f"provider {number}", "normal")
    counts = totals.read()
    assert len(counts) == MAX_LABEL_SETS + 1
    assert ("halfopen_choices", ("(other)", "(other)"), 10) in counts
