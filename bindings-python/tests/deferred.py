"""Awaitables and futures that guarded functions return, for the tests."""

import asyncio
import concurrent.futures
import types
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from halfopen import CircuitBreaker


def counts(breaker: CircuitBreaker) -> dict[str, int]:
    """The counters that are not zero."""
    read = breaker.metrics
    numbers = {
        "success": read.successful_calls,
        "failure": read.failed_calls,
        "cancelled": read.cancelled_calls,
        "in flight": read.in_flight,
    }
    return {name: number for name, number in numbers.items() if number}


class Request:
    """A request of an HTTP client: awaitable, a context manager, with attributes, items and comparisons."""

    __slots__ = ("__weakref__", "closed", "entered", "fault", "url")

    def __init__(self, url: str, fault: Exception | None = None) -> None:
        self.url = url
        self.fault = fault
        self.closed: list[type[BaseException] | None] = []

    async def _response(self) -> str:
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        return f"answer of {self.url}"

    def __await__(self) -> Generator[Any, None, str]:
        return self._response().__await__()

    async def __aenter__(self) -> str:
        return await self._response()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.closed.append(kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and self.url == other.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __len__(self) -> int:
        return len(self.url)

    def __getitem__(self, place: int) -> str:
        return self.url[place]

    def __add__(self, path: str) -> "Request":
        return Request(self.url + path)

    def __repr__(self) -> str:
        return f"Request({self.url!r})"

    def shout(self) -> str:
        return self.url.upper()


class Legacy(Coroutine[Any, Any, str]):
    """Like aiohttp's: has the methods of a coroutine and wraps one."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._coroutine = coroutine(fault)

    def __await__(self) -> Generator[Any, Any, str]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()


async def coroutine(fault: Exception | None = None) -> str:
    await asyncio.sleep(0)
    if fault:
        raise fault
    return "answer"


@types.coroutine
def _generator_based(fault: Exception | None = None) -> Generator[Any, Any, str]:
    yield
    if fault:
        raise fault
    return "answer"


generator_based: Any = _generator_based


def future(fault: Exception | None = None) -> "asyncio.Future[str]":
    made: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end() -> None:
        if made.cancelled():
            return
        if fault:
            made.set_exception(fault)
        else:
            made.set_result("answer")

    asyncio.get_running_loop().call_soon(end)
    return made


def done_future(fault: Exception | None = None) -> "asyncio.Future[str]":
    made: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if fault:
        made.set_exception(fault)
    else:
        made.set_result("answer")
    return made


Make = Callable[[Exception | None], Any]
AWAITABLES: dict[str, Make] = {
    "coroutine": coroutine,
    "generator-based coroutine": generator_based,
    "coroutine by its methods": Legacy,
    "custom": lambda fault: Request("u", fault),
    "task": lambda fault: asyncio.ensure_future(coroutine(fault)),
    "future": future,
    "future that is done": done_future,
    "gathered future": lambda fault: asyncio.gather(coroutine(), coroutine(fault)),
    "future of a thread": lambda fault: asyncio.wrap_future(finished(fault)),
}


def finished(fault: Exception | None = None) -> "concurrent.futures.Future[str]":
    made: concurrent.futures.Future[str] = concurrent.futures.Future()
    if fault:
        made.set_exception(fault)
    else:
        made.set_result("answer")
    return made


async def awaited(thing: Any) -> Any:
    return await thing


USES: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "awaited": awaited,
    "ensure_future": lambda thing: awaited(asyncio.ensure_future(thing)),
    "gather": lambda thing: awaited(asyncio.gather(thing)),
    "shield": lambda thing: awaited(asyncio.shield(thing)),
    "wait_for": lambda thing: asyncio.wait_for(thing, 5),
    "as_completed": lambda thing: awaited(next(iter(asyncio.as_completed([thing])))),
}
