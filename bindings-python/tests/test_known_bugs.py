"""Defects of other breakers that concern Python and no other test covers: see docs/known-bugs.md."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock, prometheus


async def test_wait_for_around_a_hang_opens_the_circuit(clock: ManualClock) -> None:
    config = CircuitBreakerConfig(failure_threshold=2, cancel_failure_after_seconds=5)
    breaker = CircuitBreaker(config, clock=clock)

    async def hang() -> None:
        clock.advance(5)
        await asyncio.Event().wait()

    for _ in range(2):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(breaker.call(hang), timeout=0.001)
    assert breaker.state == "open"
    assert (breaker.metrics.failed_calls, breaker.metrics.cancelled_calls) == (2, 0)


async def test_an_error_raised_repeatedly_does_not_grow() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))

    def frames(error: BaseException) -> int:
        trace, count = error.__traceback__, 0
        while trace is not None:
            trace, count = trace.tb_next, count + 1
        return count

    async def provider() -> None:
        raise OSError("a fresh one each time")

    lengths: list[int] = []
    for _ in range(50):
        with pytest.raises(OSError, match="fresh") as caught:
            await breaker.call(provider)
        lengths.append(frames(caught.value))
    assert len(set(lengths)) == 1
    assert caught.value.__context__ is None


def test_failing_metrics_affect_no_call() -> None:
    class Broken(Collector):
        def collect(self) -> list[object]:  # type: ignore[override]
            raise RuntimeError("the back-end is gone")

    registry = CollectorRegistry()
    prometheus.register(registry)
    registry.register(_without_describing(Broken()))
    breaker = CircuitBreaker()
    with pytest.raises(RuntimeError, match="gone"):
        generate_latest(registry)
    assert breaker.call_sync(lambda: "fine") == "fine"
    assert breaker.metrics.in_flight == 0


def _without_describing(collector: Collector) -> Collector:
    """Raises when it is collected. A registry collects once at registration, unless the collector has ``describe``."""
    collector.describe = list  # type: ignore[attr-defined]
    return collector
