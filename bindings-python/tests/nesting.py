"""Ways to make calls inside calls, for the tests of nesting."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState, ManualClock

OPEN, CLOSED = CircuitBreakerState.OPEN, CircuitBreakerState.CLOSED


def run(way: Any) -> Any:
    """The result of a way to call, which may be a coroutine."""
    return asyncio.run(way) if asyncio.iscoroutine(way) else way


async def last_of(stream: AsyncIterator[Any]) -> Any:
    return [item async for item in stream][-1]


async def awaited(function: Callable[[], Any]) -> Any:
    await asyncio.sleep(0)
    result = function()
    return await result if asyncio.iscoroutine(result) else result


def in_a_block(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    with breaker:
        return function()


async def in_an_async_block(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    async with breaker:
        return await awaited(function)


def with_a_permit(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    with breaker.acquire():
        return function()


async def with_a_permit_async(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    async with breaker.acquire():
        return await awaited(function)


def by_a_generator(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    @breaker
    def stream() -> Iterator[Any]:
        yield function()
        yield function()

    return list(stream())[-1]


def by_an_async_generator(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    @breaker
    async def stream() -> AsyncIterator[Any]:
        yield await awaited(function)
        yield await awaited(function)

    return last_of(stream())


def by_a_later_stream(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    def stream() -> Iterator[Any]:
        yield function()

    return list(breaker.call_sync(stream))[-1]


Way = Callable[[CircuitBreaker, Callable[[], Any]], Any]
PLAIN_WAYS: dict[str, Way] = {
    "decorated": lambda breaker, function: breaker(lambda: function())(),  # noqa: PLW0108 (a new function each time)
    "call_sync": lambda breaker, function: breaker.call_sync(function),
    "block": in_a_block,
    "permit": with_a_permit,
    "generator": by_a_generator,
    "stream of call_sync": by_a_later_stream,
}
ASYNC_WAYS: dict[str, Way] = {
    "decorated coroutine": lambda breaker, function: breaker(awaited)(function),
    "call": lambda breaker, function: breaker.call(awaited, function),
    "coroutine of call_sync": lambda breaker, function: breaker.call_sync(awaited, function),
    "async block": in_an_async_block,
    "async permit": with_a_permit_async,
    "async generator": by_an_async_generator,
    "to_thread": lambda breaker, function: asyncio.to_thread(breaker.call_sync, function),
}
WAYS = PLAIN_WAYS | ASYNC_WAYS
AWAITING = ASYNC_WAYS.keys() - {"to_thread"}
NESTED = [(outer, inner) for outer in WAYS for inner in WAYS if outer in AWAITING or inner in PLAIN_WAYS]


def opened(clock: ManualClock, **fields: Any) -> CircuitBreaker:
    """A breaker that opened, and whose next call is a probe."""
    breaker = CircuitBreaker(CircuitBreakerConfig(**fields), clock=clock)
    for _ in range(breaker.config.failure_threshold or 1):
        breaker.acquire().failure()
    assert breaker.state is OPEN
    clock.advance(breaker.config.timeout_seconds)
    return breaker


def layers(breaker: CircuitBreaker, ways: list[Way], innermost: Callable[[], Any]) -> Callable[[], Any]:
    """Calls nested in the order of ``ways``."""
    function = innermost
    for way in reversed(ways):
        function = _layer(breaker, way, function)
    return function


def _layer(breaker: CircuitBreaker, way: Way, inner: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: way(breaker, inner)


def raising(error: BaseException) -> Callable[[], Any]:
    def function() -> Any:
        raise error

    return function
