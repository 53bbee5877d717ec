"""Awaitables are judged after they were awaited, and streams at their end."""

import asyncio
import functools
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest

from halfopen import CircuitBreaker, CircuitBreakerState


class Custom:
    """An awaitable that is not a coroutine."""

    def __await__(self) -> Generator[Any, None, str]:
        yield from asyncio.sleep(0).__await__()
        raise OSError("only seen when awaited")


async def fails(*_: object) -> str:
    await asyncio.sleep(0)
    raise OSError("only seen when awaited")


class Callables:
    async def __call__(self) -> str:
        return await fails()


AWAITABLES: dict[str, Callable[[], Any]] = {
    "lambda": lambda: fails(),  # noqa: PLW0108 (a lambda is the case)
    "partial": functools.partial(fails, 1),
    "callable object": Callables(),
    "async mock": AsyncMock(side_effect=OSError("only seen when awaited")),
    "mock that returns a coroutine": MagicMock(side_effect=lambda: fails("mock")),
    "custom awaitable": Custom,
    "task": lambda: asyncio.ensure_future(fails()),
}


@pytest.mark.parametrize("name", AWAITABLES)
async def test_it_is_awaited_before_it_is_judged(breaker: CircuitBreaker, name: str) -> None:
    with pytest.raises(OSError, match="only seen"):
        await breaker.call(AWAITABLES[name])
    assert breaker.state is CircuitBreakerState.OPEN
    assert breaker.metrics.successful_calls == 0


@pytest.mark.parametrize("name", AWAITABLES)
async def test_a_plain_function_that_returns_an_awaitable_is_judged_when_it_ends(
    breaker: CircuitBreaker, name: str
) -> None:
    later = breaker.call_sync(AWAITABLES[name])
    assert breaker.metrics.in_flight == 1
    with pytest.raises(OSError, match="only seen"):
        await later
    assert breaker.state is CircuitBreakerState.OPEN


async def test_the_result_of_an_awaited_call_is_not_awaited_again(breaker: CircuitBreaker) -> None:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def gives_a_future() -> asyncio.Future[int]:
        return future

    assert await breaker.call(gives_a_future) is future
    assert breaker.metrics.successful_calls == 1


def stream_of(breaker: CircuitBreaker, fault: Exception | None) -> dict[str, Callable[[], Any]]:
    async def chunks() -> AsyncIterator[int]:
        yield 1
        yield 2
        if fault:
            raise fault

    def plain_chunks() -> Iterator[int]:
        yield 1
        yield 2
        if fault:
            raise fault

    async def opened() -> AsyncIterator[int]:
        return chunks()

    async def called() -> AsyncIterator[int]:
        return await breaker.call(chunks)

    return {
        "decorated": breaker(chunks),
        "decorated plain": breaker(plain_chunks),
        "called": lambda: breaker.call(chunks),
        "called plain": lambda: breaker.call_sync(plain_chunks),
        "opened by a coroutine": lambda: breaker.call(opened),
    }


async def drain(stream: Any) -> list[int]:
    if isinstance(stream, Awaitable):
        stream = await stream
    if isinstance(stream, Iterator):
        return list(stream)
    return [item async for item in stream]


WAYS = ["decorated", "decorated plain", "called", "called plain", "opened by a coroutine"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_succeeds_when_it_ends(breaker: CircuitBreaker, way: str) -> None:
    assert await drain(stream_of(breaker, None)[way]()) == [1, 2]
    assert (breaker.metrics.successful_calls, breaker.metrics.in_flight) == (1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_that_breaks_is_a_failure(breaker: CircuitBreaker, way: str) -> None:
    with pytest.raises(OSError, match="broke"):
        await drain(stream_of(breaker, OSError("broke"))[way]())
    assert breaker.state is CircuitBreakerState.OPEN
    assert breaker.metrics.successful_calls == 0


async def test_a_consumer_that_stops_early_is_neutral(breaker: CircuitBreaker) -> None:
    stream = stream_of(breaker, None)["decorated"]()
    assert await anext(stream) == 1
    assert breaker.metrics.in_flight == 1
    await stream.aclose()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)

    plain = stream_of(breaker, None)["decorated plain"]()
    assert next(plain) == 1
    plain.close()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (2, 0)


async def test_a_stream_never_started_takes_nothing(breaker: CircuitBreaker) -> None:
    stream_of(breaker, None)["decorated"]()
    assert breaker.metrics.total_calls == 0
    await stream_of(breaker, None)["called"]()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)


async def test_values_and_errors_pass_both_ways_through_a_stream(breaker: CircuitBreaker) -> None:
    async def echo() -> AsyncGenerator[str, str]:
        sent = yield "ready"
        try:
            sent = yield sent.upper()
        except ValueError:
            yield "caught"

    for stream in (breaker(echo)(), await breaker.call(echo)):
        assert await anext(stream) == "ready"
        assert await stream.asend("hello") == "HELLO"
        assert await stream.athrow(ValueError()) == "caught"
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    assert breaker.metrics.successful_calls == 2


def test_a_decorated_generator_stays_one(breaker: CircuitBreaker) -> None:
    ways = stream_of(breaker, None)
    assert inspect.isasyncgenfunction(ways["decorated"])
    assert inspect.isgeneratorfunction(ways["decorated plain"])
