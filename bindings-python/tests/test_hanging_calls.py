"""Calls that hang open the circuit before one of them returns."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from consumers import WAYS, stream_of
from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, CircuitBreakerState, ManualClock

CONFIG = CircuitBreakerConfig(slow_call_seconds=4, slow_call_rate_threshold=0.5, minimum_calls=10)
OVERDUE_AFTER_SECONDS = 5
CALLS = 20


async def test_twenty_coroutines_that_hang_open_the_circuit(clock: ManualClock) -> None:
    breaker, answered = CircuitBreaker(CONFIG, clock=clock), asyncio.Event()

    @breaker
    async def ask() -> str:
        await answered.wait()
        return "at last"

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(ask()) for _ in range(CALLS)]
        await asyncio.sleep(0)
        clock.advance(OVERDUE_AFTER_SECONDS)
        with pytest.raises(CircuitBreakerOpenError):
            await ask()
        assert breaker.metrics.in_flight == CALLS
        assert "too many calls were slow" in breaker.explain()
        answered.set()
    assert [task.result() for task in tasks] == ["at last"] * CALLS
    assert (breaker.metrics.slow_calls, breaker.metrics.rejected_calls) == (CALLS, 1)


def test_twenty_threads_that_hang_open_the_circuit(clock: ManualClock) -> None:
    breaker, answered, asked = CircuitBreaker(CONFIG, clock=clock), threading.Event(), threading.Barrier(CALLS + 1)

    @breaker
    def ask() -> bool:
        asked.wait(10)
        return answered.wait(10)

    with ThreadPoolExecutor(CALLS) as threads:
        futures = [threads.submit(ask) for _ in range(CALLS)]
        asked.wait(10)
        clock.advance(OVERDUE_AFTER_SECONDS)
        with pytest.raises(CircuitBreakerOpenError):
            ask()
        answered.set()
    assert all(future.result() for future in futures)
    assert breaker.metrics.slow_calls == CALLS


@pytest.mark.parametrize("way", WAYS)
async def test_streams_that_wait_for_their_consumers_open_nothing(clock: ManualClock, way: str) -> None:
    breaker = CircuitBreaker(CONFIG, clock=clock)
    streams = [stream_of(way, breaker) for _ in range(CALLS)]
    for _ in range(2):
        clock.advance(60)
        breaker.call_sync(int)
        for stream in streams:
            assert await stream.next()
    clock.advance(60)
    breaker.call_sync(int)
    for stream in streams:
        assert await stream.next() is None
    assert breaker.state is CircuitBreakerState.CLOSED
    assert breaker.metrics.slow_calls == 0


async def test_streams_whose_consumers_wait_for_them_open_the_circuit(clock: ManualClock) -> None:
    breaker, answered = CircuitBreaker(CONFIG, clock=clock), asyncio.Event()

    @breaker
    async def items() -> AsyncIterator[int]:
        yield 1
        await answered.wait()
        yield 2

    streams = [items() for _ in range(CALLS)]
    assert [await anext(stream) for stream in streams] == [1] * CALLS
    clock.advance(60)
    tasks = [asyncio.ensure_future(anext(stream)) for stream in streams]
    await asyncio.sleep(0)
    breaker.call_sync(int)
    clock.advance(OVERDUE_AFTER_SECONDS)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(int)
    answered.set()
    assert await asyncio.gather(*tasks) == [2] * CALLS
    for stream in streams:
        await stream.aclose()  # type: ignore[attr-defined]


def test_a_permit_that_is_paused_is_not_overdue(clock: ManualClock) -> None:
    breaker = CircuitBreaker(CONFIG, clock=clock)
    permits = [breaker.acquire() for _ in range(CALLS)]
    for permit in permits:
        permit.pause()
    clock.advance(60)
    breaker.call_sync(int)
    for permit in permits:
        permit.resume()
    clock.advance(OVERDUE_AFTER_SECONDS)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(int)
