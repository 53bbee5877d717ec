"""Dropped objects end their calls, and nothing leaks."""

import asyncio
import gc
import subprocess
import sys
import weakref
from collections import Counter
from collections.abc import Coroutine, Generator
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig
from halfopen._core import Call, keep_ended_metrics, read_metrics


def counts_of(name: str) -> Counter[str]:
    """The counters of the breakers of that name, also of those that are gone."""
    return Counter(next((dict(row[3]) for row in read_metrics() if row[0] == name), {}))


class Pause:
    """Suspends its awaiter."""

    def __await__(self) -> Generator[None, None, str]:
        yield
        return "resumed"


async def paused() -> str:
    return await Pause()


class Owner:
    """Refers to its breaker and to a call, and the breaker refers back in every possible way."""

    def __init__(self) -> None:
        self.breaker = CircuitBreaker("owned", clock=self.now, classify=self.classify)
        self.breaker.subscribe(self.receive)

    def now(self) -> float:
        return 0.0

    def classify(self, error: Exception) -> Any:
        raise NotImplementedError

    def receive(self, event: object) -> None:
        raise NotImplementedError


def decorated(breaker: CircuitBreaker) -> Coroutine[Any, Any, str]:
    return breaker(paused)()


def called(breaker: CircuitBreaker) -> Coroutine[Any, Any, str]:
    return breaker.call(paused)


def judged_later(breaker: CircuitBreaker) -> Coroutine[Any, Any, str]:
    return breaker.call_sync(paused)


async def in_a_block(breaker: CircuitBreaker) -> str:
    async with breaker:
        return await Pause()


WAYS = [decorated, called, judged_later, in_a_block]


@pytest.mark.parametrize("way", WAYS)
def test_dropping_a_suspended_call_cancels_it(breaker: CircuitBreaker, way: Any) -> None:
    running = way(breaker)
    running.send(None)
    assert breaker.metrics.in_flight == 1
    del running
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)


@pytest.mark.parametrize("way", WAYS)
def test_closing_or_throwing_into_a_suspended_call_settles_it(breaker: CircuitBreaker, way: Any) -> None:
    running = way(breaker)
    running.send(None)
    running.close()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)
    running = way(breaker)
    running.send(None)
    with pytest.raises(OSError, match="thrown"):
        running.throw(OSError("thrown"))
    assert (breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0)


def test_a_call_in_flight_is_settled_once(breaker: CircuitBreaker) -> None:
    call, result = breaker._begin(paused), object()
    assert call.returned(result) is result
    assert call.returned(result) is result
    call.raised(OSError())
    del call
    assert (breaker.metrics.successful_calls, breaker.metrics.total_calls) == (1, 1)
    breaker._begin(paused)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)
    with pytest.raises(TypeError):
        Call()
    with pytest.raises(TypeError):
        CircuitBreaker._begin(object(), None)  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_a_coroutine_that_is_never_started_takes_no_permit(breaker: CircuitBreaker) -> None:
    never_started = [way(breaker) for way in (decorated, called, in_a_block)]
    never_awaited = breaker.__aenter__()
    del never_started, never_awaited
    assert breaker.metrics.total_calls == 0


@pytest.mark.parametrize("way", WAYS)
def test_a_suspended_call_in_a_cycle_with_its_breaker_is_collected_and_cancelled(way: Any) -> None:
    keep_ended_metrics()
    before = counts_of("owned")["cancelled_calls"]
    owner: Any = Owner()
    owner.running = way(owner.breaker)
    owner.running.send(None)
    gone = weakref.ref(owner.breaker)
    gc.collect()
    assert counts_of("owned")["in_flight"] == 1
    del owner
    gc.collect()
    assert gone() is None
    assert (counts_of("owned")["cancelled_calls"], counts_of("owned")["in_flight"]) == (before + 1, 0)


def test_a_guarded_function_in_a_cycle_with_itself_is_collected() -> None:
    def made() -> Any:
        breaker = CircuitBreaker()

        @breaker
        def plain(depth: int) -> Any:
            return plain(depth - 1)

        @breaker
        async def coroutine() -> Any:
            return await coroutine()

        return weakref.ref(plain), weakref.ref(coroutine), weakref.ref(breaker)

    gone = made()
    gc.collect()
    assert [reference() for reference in gone] == [None, None, None]


def test_a_block_that_is_never_left_does_not_keep_its_breaker() -> None:
    keep_ended_metrics()
    breaker = CircuitBreaker("never left")
    breaker.__enter__()
    gone = weakref.ref(breaker)
    del breaker
    gc.collect()
    assert gone() is None
    assert (counts_of("never left")["cancelled_calls"], counts_of("never left")["in_flight"]) == (1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_call_in_flight_keeps_its_breaker(way: Any) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(name="kept"))
    gone, running = weakref.ref(breaker), way(breaker)
    running.send(None)
    del breaker
    gc.collect()
    kept = gone()
    assert kept is not None
    with pytest.raises(StopIteration):
        running.send(None)
    assert kept.metrics.successful_calls == 1


def test_calls_leak_no_memory() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535), classify=lambda _: "ignored")

    @breaker
    def plain(fails: bool) -> object:
        if fails:
            raise OSError
        return object()

    @breaker
    async def coroutine(fails: bool) -> object:
        return plain(fails)

    def block(fails: bool) -> None:
        with breaker:
            plain(fails)

    async def async_block(fails: bool) -> None:
        async with breaker:
            await coroutine(fails)

    async def all_ways() -> None:
        for fails in (False, True):
            for way in (plain, block):
                try:
                    way(fails)
                except OSError:
                    assert fails
            for awaited in (coroutine, async_block):
                try:
                    await awaited(fails)
                except OSError:
                    assert fails

    async def objects_after(rounds: int) -> int:
        for _ in range(rounds):
            await all_ways()
        gc.collect()
        return len(gc.get_objects())

    async def main() -> None:
        await objects_after(10)
        before = await objects_after(1)
        assert await objects_after(200) <= before + 5

    asyncio.run(main())
    assert breaker.metrics.in_flight == 0


DYNAMIC_NAMES = """
import gc, resource, sys
from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, Registry

def most_memory() -> int:
    gc.collect()
    # In kibibytes, except on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

registry = Registry(100)

def pass_by(name: str) -> None:
    breaker = registry.get_or_create(CircuitBreakerConfig(name=name, failure_threshold=1), f"provider of {name}")
    off = breaker.subscribe(lambda event: None)

    @breaker
    def guarded(fails: bool) -> None:
        if fails:
            raise OSError

    guarded(False)
    for error in (OSError, CircuitBreakerOpenError):
        try:
            guarded(True)
        except error:
            pass
    breaker.get_status(), breaker.explain(), repr(breaker), breaker.snapshot()
    off()
    breaker.reset()

def pass_by_all(numbers: range) -> None:
    for number in numbers:
        pass_by(f"name {number}")

{prepare}
pass_by_all(range(3_000))
before = most_memory()
pass_by_all(range(3_000, 13_000))
print(most_memory() - before)
{check}
"""
SCRAPED = """
from prometheus_client import CollectorRegistry, generate_latest
from halfopen import prometheus
metrics = CollectorRegistry()
prometheus.register(metrics)
"""
ALL_ARE_THERE = """
samples = [sample for family in metrics.collect() for sample in family.samples]
succeeded = [it.value for it in samples if it.name == "halfopen_calls_total" and it.labels["outcome"] == "success"]
assert sum(succeeded) == 13_000, sum(succeeded)
assert len(succeeded) <= 1_101, len(succeeded)
"""


@pytest.mark.parametrize(
    ("prepare", "check"),
    [("", 'assert "prometheus_client" not in sys.modules'), (SCRAPED, ALL_ARE_THERE)],
    ids=["before metrics are registered", "after"],
)
def test_dropped_names_leak_no_memory(prepare: str, check: str) -> None:
    program = DYNAMIC_NAMES.replace("{prepare}", prepare).replace("{check}", check)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ran.stderr == ""
    # A leak of 150 bytes for each name would exceed this.
    assert int(ran.stdout) < 1_500_000
