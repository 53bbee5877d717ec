"""Measures what a guarded stream costs for each item, beside the bare stream."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from types import coroutine
from typing import Any, Self

import halfopen
from harness import measure

ITEMS = 1_000
"""Enough items to make the beginning and the end of a stream negligible."""


def stream() -> Generator[int]:
    item = 0
    while item < ITEMS:
        yield item
        item += 1


async def async_stream() -> AsyncGenerator[int]:
    item = 0
    while item < ITEMS:
        yield item
        item += 1


async def suspending_stream() -> AsyncGenerator[int]:
    """Each item comes in a step of its own."""
    item = 0
    while item < ITEMS:
        await next_step()
        yield item
        item += 1


@coroutine
def next_step() -> Generator[None]:
    yield


class StreamObject:
    """An async iterator, as the streams of SDKs are."""

    def __init__(self) -> None:
        self.item = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> int:
        if self.item == ITEMS:
            raise StopAsyncIteration
        self.item += 1
        return self.item


async def rows_of_streams() -> list[dict[str, Any]]:
    """Nanoseconds per item."""
    rows = await measure("stream, sync, each item", False, drained(guarded(stream, decorated)))
    for name, source, guard, in_steps in (
        ("async", async_stream, decorated, False),
        ("async and suspending", suspending_stream, decorated, True),
        ("async and suspending, in asyncio", suspending_stream, decorated, False),
        ("async iterator", StreamObject, opened, False),
    ):
        timeouts = halfopen.CircuitBreaker("timeouts", first_item_timeout_seconds=60, idle_timeout_seconds=60)
        contenders = {
            "halfopen, both timeouts": guard(timeouts, source),
            "a generator that passes on": passing_on(source),
            **guarded(source, guard),
        }
        streams = awaited(contenders)
        calls = stepped(streams) if in_steps else streams
        rows += await measure(f"stream, {name}, each item", not in_steps, calls)
    for row in rows:
        row["ns"] = [ns / ITEMS for ns in row["ns"]]
    return rows


Source = Callable[[], Any]
Drain = Callable[[], Coroutine[Any, Any, None]]


def decorated(breaker: halfopen.CircuitBreaker, function: Source) -> Source:
    return breaker(function)


def opened(breaker: halfopen.CircuitBreaker, source: Source) -> Source:
    return lambda: breaker.stream(source())


def passing_on(source: Source) -> Source:
    """The least that a guard written in Python could do."""

    async def passed_on() -> AsyncGenerator[Any]:
        async for item in source():
            yield item

    return passed_on


def guarded(source: Source, guard: Callable[[halfopen.CircuitBreaker, Source], Source]) -> dict[str, Source]:
    """The contenders. No peer guards a stream."""
    return {
        "halfopen": guard(halfopen.CircuitBreaker("timed"), source),
        "halfopen, durations off": guard(halfopen.CircuitBreaker("untimed", record_durations=False), source),
        "bare": source,
    }


def drained(sources: Mapping[str, Source]) -> dict[str, Source]:
    def of(source: Source) -> Source:
        def drain() -> None:
            for _ in source():
                pass

        return drain

    return {name: of(source) for name, source in sources.items()}


def awaited(sources: Mapping[str, Source]) -> dict[str, Drain]:
    def of(source: Source) -> Drain:
        async def drain() -> None:
            async for _ in source():
                pass

        return drain

    return {name: of(source) for name, source in sources.items()}


def stepped(drains: Mapping[str, Drain]) -> dict[str, Source]:
    """Takes the steps as an event loop does, and does nothing else in between.

    A step of asyncio takes sixty times as long as what is measured, and varies by more.
    """

    def of(drain: Drain) -> Source:
        def take_steps() -> None:
            send = drain().send
            try:
                while True:
                    send(None)
            except StopIteration:
                pass

        return take_steps

    return {name: of(drain) for name, drain in drains.items()}
