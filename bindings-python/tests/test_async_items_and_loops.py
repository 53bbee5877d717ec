"""The event loop closes guarded async generators as it closes those that are not guarded."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import pytest

from consumers import counts, drain, talk
from halfopen import CircuitBreaker

# The first steps that a consumer can take.
BEGINNINGS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "next": anext,
    "send nothing": lambda stream: stream.asend(None),
}


async def source(closed: list[bool]) -> AsyncGenerator[int, None]:
    """Notes when it has been closed, which takes another step of the event loop."""
    try:
        yield 1
        yield 2
    finally:
        await asyncio.sleep(0)
        closed.append(True)


async def outcome_of_first(stream: Any) -> None:
    assert await anext(stream) == 1


async def test_the_event_loop_closes_the_generator_of_a_dropped_stream() -> None:
    closed = list[bool]()
    breaker = CircuitBreaker()
    stream = breaker(source)(closed)
    assert await anext(stream) == 1
    del stream
    assert counts(breaker) == (0, 0, 1, 0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert closed == [True]


def test_the_event_loop_closes_what_is_open_when_it_ends() -> None:
    closed = list[bool]()
    breaker = CircuitBreaker()
    stream: Any = breaker(source)(closed)
    asyncio.run(outcome_of_first(stream))
    assert closed == [True]
    # The stream is still held, and does not hold its permit.
    assert counts(breaker) == (0, 0, 1, 0)
    assert asyncio.run(drain(stream)) == []
    assert counts(breaker) == (0, 0, 1, 0)


# Guarded twice, in each way.
NESTED: dict[str, Callable[[CircuitBreaker, CircuitBreaker], Any]] = {
    "decorated twice": lambda inner, outer: outer(inner(talk))(),
    "decorated": lambda inner, outer: outer.stream(inner(talk)()),
    "streams": lambda inner, outer: outer.stream(inner.stream(talk())),
}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("begin", BEGINNINGS)
@pytest.mark.parametrize("way", NESTED)
def test_the_event_loop_closes_each_stream_once(
    backend: str, begin: str, way: str, capfd: pytest.CaptureFixture[str]
) -> None:
    inner, outer = CircuitBreaker(), CircuitBreaker()
    stream = NESTED[way](inner, outer)

    async def begins() -> None:
        assert await BEGINNINGS[begin](stream) == "ready"

    anyio.run(begins, backend=backend)
    assert (counts(inner), counts(outer)) == ((0, 0, 1, 0), (0, 0, 1, 0))
    assert capfd.readouterr() == ("", "")


async def test_a_stream_that_had_begun_before_it_was_guarded_is_closed_by_its_event_loop() -> None:
    breaker, bare = CircuitBreaker(), talk()
    assert await anext(bare) == "ready"
    stream: Any = breaker.stream(bare)
    assert await stream.asend("guarded") == "guarded"
    await asyncio.get_running_loop().shutdown_asyncgens()
    assert await drain(bare) == []


def test_the_event_loop_closes_a_generator_that_outlives_its_guard() -> None:
    breaker, closed = CircuitBreaker(), list[bool]()
    bare = source(closed)
    asyncio.run(outcome_of_first(breaker.stream(bare)))
    assert closed == [True]
    assert asyncio.run(drain(bare)) == []
    assert counts(breaker) == (0, 0, 1, 0)


class Delegates:
    """An async iterator without ``aclose``."""

    def __init__(self, source: AsyncIterator[int]) -> None:
        self.source = source

    def __aiter__(self) -> "Delegates":
        return self

    def __anext__(self) -> Awaitable[int]:
        return self.source.__anext__()


def test_the_event_loop_closes_the_generator_behind_a_guarded_iterator() -> None:
    closed = list[bool]()
    stream: Any = CircuitBreaker().stream(Delegates(source(closed)))
    asyncio.run(outcome_of_first(stream))
    assert closed == [True]
