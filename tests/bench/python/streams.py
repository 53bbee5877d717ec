"""Measures what a guarded stream costs for each item, beside the bare stream."""

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

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


async def rows_of_streams() -> list[dict[str, Any]]:
    """Nanoseconds per item."""
    rows = await measure("stream, sync, each item", False, {name: drained(it) for name, it in guarded(stream)})
    timeouts = halfopen.CircuitBreaker("with timeouts", first_item_timeout_seconds=60, idle_timeout_seconds=60)
    contenders = {"halfopen, both timeouts": timeouts(async_stream), **dict(guarded(async_stream))}
    rows += await measure("stream, async, each item", True, {name: awaited(it) for name, it in contenders.items()})
    for row in rows:
        row["ns"] = [ns / ITEMS for ns in row["ns"]]
    return rows


def guarded(function: Callable[[], Any]) -> list[tuple[str, Callable[[], Any]]]:
    """The contenders. No peer guards a stream."""
    return [
        ("halfopen", halfopen.CircuitBreaker("timed")(function)),
        ("halfopen, durations off", halfopen.CircuitBreaker("untimed", record_durations=False)(function)),
        ("bare", function),
    ]


def drained(function: Callable[[], Generator[int]]) -> Callable[[], None]:
    def drain() -> None:
        for _ in function():
            pass

    return drain


def awaited(function: Callable[[], AsyncGenerator[int]]) -> Callable[[], Any]:
    async def drain() -> None:
        async for _ in function():
            pass

    return drain
