"""The time of a stream's consumer does not count."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from time import perf_counter
from typing import Any

import pytest

from consumers import WAYS, Mine, Stepped, stream_of
from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState, ManualClock, Permit


@pytest.mark.parametrize("way", WAYS)
async def test_the_consumers_time_does_not_count(clock: ManualClock, way: str) -> None:
    config = CircuitBreakerConfig(
        slow_call_seconds=1, slow_call_rate_threshold=0.5, minimum_calls=1, window={"calls": 10}
    )
    breaker = CircuitBreaker(config, clock=clock)
    for _ in range(3):
        stream, items = stream_of(way, breaker), 0
        clock.advance(60)
        while await stream.next():
            clock.advance(60)
            items += 1
        assert items == 2
    assert breaker.state is CircuitBreakerState.CLOSED
    assert (breaker.metrics.successful_calls, breaker.metrics.slow_calls) == (3, 0)
    assert breaker.durations()["success"].total_seconds == 0


@pytest.mark.parametrize("way", WAYS)
async def test_the_providers_time_counts(clock: ManualClock, way: str) -> None:
    def plain() -> Iterator[int]:
        clock.advance(1)
        yield 1
        clock.advance(2)

    async def asynchronous() -> AsyncIterator[int]:
        clock.advance(1)
        yield 1
        clock.advance(2)

    breaker = CircuitBreaker(CircuitBreakerConfig(slow_call_seconds=3), clock=clock)
    stream = stream_of(way, breaker, plain, asynchronous)
    while await stream.next():
        clock.advance(60)
    assert breaker.metrics.slow_calls == 1
    assert breaker.durations()["success"].total_seconds == 3


@pytest.mark.parametrize("way", WAYS)
async def test_with_the_systems_clock_too_each_takes_its_own_time(way: str) -> None:
    """Time cannot be set on the system clock, so the test measures how much of it passes."""
    inside = 0.0

    def take(seconds: float) -> float:
        begun = perf_counter()
        time.sleep(seconds)
        return perf_counter() - begun

    def plain() -> Iterator[int]:
        nonlocal inside
        for number in range(5):
            inside += take(0.002)
            yield number

    async def asynchronous() -> AsyncIterator[int]:
        for item in plain():
            yield item

    breaker = CircuitBreaker()
    begun, outside = perf_counter(), 0.0
    stream = stream_of(way, breaker, plain, asynchronous)
    while await stream.next() is not None:
        outside += take(0.01)
    passed = perf_counter() - begun
    counted = breaker.durations()["success"].total_seconds
    blur = 0.01 * passed
    assert inside - blur < counted < passed - outside + blur


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["closed", "thrown into", "dropped"])
async def test_stopping_after_a_long_pause_is_no_late_cancellation(clock: ManualClock, way: str, end: str) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(cancel_failure_after_seconds=5), clock=clock)
    stream: Stepped | None = stream_of(way, breaker)
    assert stream is not None
    await stream.next()
    clock.advance(60)
    match end:
        case "closed":
            await stream.close()
        case "thrown into":
            with pytest.raises(Mine):
                await stream.throw(Mine())
        case _:
            stream = None
            gc.collect()
            # The event loop closes an async generator that is garbage.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0, 0)


@pytest.mark.parametrize("way", ["decorated", "called"])
async def test_cancelling_a_hanging_stream_is_a_late_cancellation(clock: ManualClock, way: str) -> None:
    async def hangs() -> AsyncIterator[int]:
        yield 1
        clock.advance(5)
        await asyncio.Event().wait()

    breaker = CircuitBreaker(CircuitBreakerConfig(cancel_failure_after_seconds=5), clock=clock)
    stream = stream_of(way, breaker, asynchronous=hangs)
    await stream.next()
    clock.advance(60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.next(), timeout=0.001)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls) == (0, 1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_reads_no_clock_without_recorded_durations(way: str) -> None:
    readings = 0

    def clock() -> float:
        nonlocal readings
        readings += 1
        return 0.0

    breaker = CircuitBreaker(CircuitBreakerConfig(record_durations=False), clock=clock)
    before = readings
    stream = stream_of(way, breaker)
    assert [await stream.next() for _ in range(3)] == [1, 2, None]
    assert readings == before


def plain_of(number: int, *, times: int = 1) -> Iterator[int]:
    yield from [number] * times


async def awaited_of(number: int, *, times: int = 1) -> AsyncIterator[int]:
    for _ in range(times):
        yield number


@pytest.mark.parametrize("function", [plain_of, awaited_of])
def test_wrong_arguments_of_a_generator_take_no_permit(breaker: CircuitBreaker, function: Callable[..., Any]) -> None:
    guarded = breaker(function)
    for args, kwargs in [((), {}), ((1, 2), {}), ((1,), {"number": 2}), ((1,), {"other": 2})]:
        with pytest.raises(TypeError) as wanted:
            function(*args, **kwargs)
        with pytest.raises(TypeError) as seen:
            guarded(*args, **kwargs)
        assert str(seen.value) == str(wanted.value)
    assert breaker.metrics.total_calls == 0


async def test_arguments_of_a_generator_are_passed_on(breaker: CircuitBreaker) -> None:
    assert list(breaker(plain_of)(7, times=2)) == [7, 7]
    assert [item async for item in breaker(awaited_of)(7, times=2)] == [7, 7]


def test_the_time_while_a_permit_is_paused_does_not_count(clock: ManualClock) -> None:
    breaker = CircuitBreaker(slow_call_seconds=3, cancel_failure_after_seconds=3, clock=clock)

    def paused() -> Permit:
        permit = breaker.acquire()
        for _ in range(2):
            clock.advance(1)
            permit.pause()
            clock.advance(30)
            permit.pause()
            clock.advance(30)
            permit.resume()
            permit.resume()
        permit.pause()
        clock.advance(60)
        return permit

    assert paused().success()
    assert paused().cancel()
    with pytest.raises(KeyError), paused():
        raise KeyError
    paused()
    metrics = breaker.metrics
    assert (metrics.successful_calls, metrics.failed_calls, metrics.cancelled_calls) == (1, 1, 2)
    assert metrics.slow_calls == 0
    assert breaker.durations()["success"].total_seconds == 2

    permit = breaker.acquire()
    permit.success()
    permit.pause()
    permit.resume()
