"""Opens many guarded streams, abandons a third of them at random points, and prints what has become of them."""

import asyncio
import gc
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

import httpx2

from halfopen import CircuitBreaker
from halfopen.httpx import guarded_async_transport, guarded_transport

ITEMS = 4
ABANDONED = ("cancel", "break", "drop", "shutdown")
AT_ONCE = 50


class Items:
    """A stream that is not a generator, as those of the SDKs."""

    def __init__(self) -> None:
        self._left = ITEMS

    def __aiter__(self) -> "Items":
        return self

    async def __anext__(self) -> bytes:
        await asyncio.sleep(0)
        self._left -= 1
        if self._left < 0:
            raise StopAsyncIteration
        return b"item"


async def items() -> AsyncIterator[bytes]:
    for _ in range(ITEMS):
        await asyncio.sleep(0)
        yield b"item"


def plain_items() -> Iterator[bytes]:
    for _ in range(ITEMS):
        yield b"item"


class Streams:
    """The ways to open a guarded stream, one for each method."""

    def __init__(self, breaker: CircuitBreaker, cutting: CircuitBreaker) -> None:
        self._breaker = breaker
        self._cutting = cutting
        self._decorated_with_timeouts = cutting(items)
        self._decorated = breaker(items)
        self._decorated_plain = breaker(plain_items)
        answer = httpx2.MockTransport(lambda _: httpx2.Response(200, content=items()))
        self._client = httpx2.AsyncClient(transport=guarded_async_transport(answer, breaker))
        plain = httpx2.MockTransport(lambda _: httpx2.Response(200, content=plain_items()))
        self._plain_client = httpx2.Client(transport=guarded_transport(plain, breaker))
        self._request = httpx2.Request("GET", "http://provider.test/")

    async def decorated(self) -> Any:
        return self._decorated()

    async def decorated_plain(self) -> Any:
        return self._decorated_plain()

    async def called(self) -> Any:
        return await self._breaker.call(items)

    async def called_plain(self) -> Any:
        return self._breaker.call_sync(plain_items)

    async def an_object(self) -> Any:
        return self._breaker.call_sync(Items)

    async def decorated_with_timeouts(self) -> Any:
        return self._decorated_with_timeouts()

    async def an_object_with_timeouts(self) -> Any:
        return self._cutting.stream(Items())

    async def a_body(self) -> Any:
        return (await self._client.send(self._request, stream=True)).aiter_raw()

    async def a_plain_body(self) -> Any:
        return self._plain_client.send(self._request, stream=True).iter_raw()


async def consume(open_stream: Callable[[], Any], end: str, at: int, forever: asyncio.Event) -> None:
    stream = await open_stream()
    number = 0

    async def reached(number: int) -> bool:
        """Whether to leave the stream at this item; waits there to be cancelled."""
        if number < at or end == "all":
            return False
        if end in ("cancel", "shutdown"):
            await forever.wait()
        return True

    if hasattr(stream, "__aiter__"):
        async for _ in stream:
            number += 1
            if await reached(number):
                break
    else:
        for _ in stream:
            number += 1
            if await reached(number):
                break
    if end == "break" and hasattr(stream, "aclose"):
        await stream.aclose()
    elif end == "break" and isinstance(stream, Generator):
        stream.close()


async def main(count: int, breaker: CircuitBreaker, cutting: CircuitBreaker, draw: random.Random) -> None:
    # A busy machine is slow, which the debug mode would report.
    asyncio.get_running_loop().slow_callback_duration = 60
    streams = Streams(breaker, cutting)
    ways = [getattr(streams, name) for name in vars(Streams) if not name.startswith("_")]
    forever = asyncio.Event()
    running: set[asyncio.Task[None]] = set()
    stays: list[asyncio.Task[None]] = []
    for _ in range(count):
        end = draw.choice(ABANDONED) if draw.random() < 1 / 3 else "all"
        task = asyncio.create_task(consume(draw.choice(ways), end, draw.randint(0, ITEMS), forever))
        if end == "shutdown" and len(stays) < 200:
            stays.append(task)
            continue
        running.add(task)
        if end in ("cancel", "shutdown"):
            for _ in range(draw.randint(0, 2 * ITEMS)):
                await asyncio.sleep(0)
            task.cancel()
        if len(running) >= AT_ONCE:
            await asyncio.gather(*running, return_exceptions=True)
            running.clear()
    await asyncio.gather(*running, return_exceptions=True)
    running.clear()
    del task
    gc.collect()
    # The event loop closes dropped async generators in tasks of its own.
    for _ in range(10):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - {asyncio.current_task(), *stays}
    in_flight = breaker.metrics.in_flight + cutting.metrics.in_flight
    print(json.dumps({"tasks left": len(left), "stays": len(stays), "in flight": in_flight}))
    # Those that stay end with the event loop.


if __name__ == "__main__":
    breaker = CircuitBreaker("streams", failure_threshold=1)
    cutting = CircuitBreaker("cut off", first_item_timeout_seconds=60, idle_timeout_seconds=60, failure_threshold=1)
    asyncio.run(main(int(sys.argv[1]), breaker, cutting, random.Random(int(sys.argv[2]))))
    gc.collect()
    counted = [breaker.metrics, cutting.metrics]
    print(
        json.dumps(
            {
                "total": sum(it.total_calls for it in counted),
                "successful": sum(it.successful_calls for it in counted),
                "failed": sum(it.failed_calls for it in counted),
                "cancelled": sum(it.cancelled_calls for it in counted),
                "in flight": sum(it.in_flight for it in counted),
            }
        )
    )
