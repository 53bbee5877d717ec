"""Measures what a guarded stream costs for each item, beside the bare stream."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
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
    """Each item comes in another step of the event loop, which takes far longer than what is measured."""
    item = 0
    while item < ITEMS:
        await asyncio.sleep(0)
        yield item
        item += 1


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
    for name, source, guard in (
        ("async", async_stream, decorated),
        ("async and suspending", suspending_stream, decorated),
        ("async iterator", StreamObject, opened),
    ):
        timeouts = halfopen.CircuitBreaker("timeouts", first_item_timeout_seconds=60, idle_timeout_seconds=60)
        contenders = {
            "halfopen, both timeouts": guard(timeouts, source),
            "a generator that passes on": passing_on(source),
            **guarded(source, guard),
        }
        rows += await measure(f"stream, {name}, each item", True, awaited(contenders))
    for row in rows:
        row["ns"] = [ns / ITEMS for ns in row["ns"]]
    return rows


Source = Callable[[], Any]


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


def awaited(sources: Mapping[str, Source]) -> dict[str, Source]:
    def of(source: Source) -> Source:
        async def drain() -> None:
            async for _ in source():
                pass

        return drain

    return {name: of(source) for name, source in sources.items()}
