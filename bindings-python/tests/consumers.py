"""Streams, consumers that take them whole or step by step, and what a breaker counted, for the tests."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from halfopen import CircuitBreaker


class Mine(Exception):
    """The consumer's own error."""


async def numbers() -> AsyncGenerator[int, None]:
    yield 1
    yield 2


def plain_numbers() -> Generator[int, None, None]:
    yield 1
    yield 2


async def talk(*, first: str = "ready") -> AsyncGenerator[str, str | None]:
    """Answers what is sent or thrown in; ``"end"`` ends it."""
    answer: str | None = first
    while answer != "end":
        try:
            answer = yield str(answer)
            await asyncio.sleep(0)
        except Mine:
            answer = "caught"


async def drain(stream: Any) -> list[Any]:
    return [item async for item in stream] if hasattr(stream, "__anext__") else list(stream)


async def first_of(stream: Any) -> Any:
    return await anext(stream) if hasattr(stream, "__anext__") else next(stream)


class Stepped:
    """An async generator and a plain one, behind one interface."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    async def next(self) -> Any:
        """The next item, or ``None`` at the end."""
        return await anext(self.stream, None) if hasattr(self.stream, "__anext__") else next(self.stream, None)

    async def throw(self, error: BaseException) -> Any:
        return await self.stream.athrow(error) if hasattr(self.stream, "athrow") else self.stream.throw(error)

    async def close(self) -> None:
        if hasattr(self.stream, "aclose"):
            await self.stream.aclose()
        else:
            self.stream.close()


WAYS: dict[str, Callable[[CircuitBreaker, Any, Any], Any]] = {
    "decorated": lambda breaker, _, asynchronous: breaker(asynchronous)(),
    "decorated plain": lambda breaker, plain, _: breaker(plain)(),
    "called": lambda breaker, _, asynchronous: breaker.call_sync(asynchronous),
    "called plain": lambda breaker, plain, _: breaker.call_sync(plain),
}


def stream_of(way: str, breaker: CircuitBreaker, plain: Any = plain_numbers, asynchronous: Any = numbers) -> Stepped:
    return Stepped(WAYS[way](breaker, plain, asynchronous))


def counts(breaker: CircuitBreaker) -> tuple[int, int, int, int]:
    """Successes, failures, cancelled calls, calls in flight."""
    read = breaker.metrics
    return read.successful_calls, read.failed_calls, read.cancelled_calls, read.in_flight
