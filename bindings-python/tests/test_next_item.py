"""Each ``await`` of ``NextItem`` is the next item of a guarded async generator, and tells the watch of its waits."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any, ClassVar

import pytest

from halfopen import CircuitBreaker
from halfopen._core import NextItem


class Recorder:
    """A watch that notes what it is told."""

    is_eager: ClassVar[bool] = False

    def __init__(self) -> None:
        self.told: list[Any] = []
        self.waits: list[float] = []

    def begin(self, waited: float = 0.0, /) -> None:
        self.waits.append(waited)
        self.told.append("begin")

    def end(self, has_content: bool, /) -> None:
        self.told.append(("end", has_content))

    def passed(self, waited: float, has_content: bool, /) -> None:
        self.waits.append(waited)
        self.told.append(("passed", has_content))

    def fail(self, error: BaseException, /) -> None:
        self.told.append(type(error))

    def close(self) -> None:
        self.told.append("close")


class EagerRecorder(Recorder):
    is_eager: ClassVar[bool] = True


async def items(*waits: bool) -> AsyncGenerator[int]:
    """An item for each of these; for a true one the task is suspended."""
    for number, suspends in enumerate(waits):
        if suspends:
            await asyncio.sleep(0)
        yield number


def next_of(source: Any, watch: Recorder, **options: Any) -> Any:
    return NextItem(CircuitBreaker(**options)._begin_stream(source), watch)


async def drain(next_item: Any) -> list[Any]:
    received = list[Any]()
    while True:
        try:
            received.append(await next_item)
        except StopAsyncIteration:
            return received


async def test_only_waits_that_suspend_the_task_begin() -> None:
    watch = Recorder()
    assert await drain(next_of(items(True, False, True, False), watch)) == [0, 1, 2, 3]
    assert watch.told == ["begin", ("end", True), "begin", ("end", True)]


async def test_every_wait_counts_until_content_has_come() -> None:
    watch = Recorder()
    next_item = next_of(items(False, True, False, False), watch, is_content=lambda item: item >= 2)
    assert await drain(next_item) == [0, 1, 2, 3]
    assert watch.told == [("passed", False), "begin", ("end", False), ("passed", True)]
    assert all(0 <= waited < 5 for waited in watch.waits)


async def test_an_eager_watch_is_told_before_the_first_step() -> None:
    watch = EagerRecorder()
    seen = list[Any]()

    async def source() -> AsyncIterator[int]:
        seen.extend(watch.told)
        yield 1

    assert await drain(next_of(source(), watch)) == [1]
    assert seen == ["begin"]
    assert watch.told == ["begin", ("end", True), "begin", ("end", True)]
    assert watch.waits == [0, 0]


async def test_a_wait_that_fails_is_over() -> None:
    watch = Recorder()

    async def source() -> AsyncIterator[int]:
        await asyncio.sleep(0)
        yield 1
        await asyncio.sleep(0)
        raise KeyError

    with pytest.raises(KeyError):
        await drain(next_of(source(), watch))
    assert watch.told == ["begin", ("end", True), "begin", KeyError]


async def test_a_watch_that_is_interrupted_reaches_the_generator() -> None:
    class Interrupted(Recorder):
        def begin(self, waited: float = 0.0, /) -> None:
            super().begin(waited)
            raise InterruptedError

    async def source() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(30)
        except InterruptedError:
            yield "cleaned up"

    assert await drain(next_of(source(), Interrupted())) == ["cleaned up"]


def steps_of(next_item: Any) -> Any:
    return next_item.__await__()


def test_closing_a_suspended_wait_ends_it() -> None:
    watch = Recorder()
    steps = steps_of(next_of(items(True), watch))
    steps.send(None)
    steps.close()
    steps.close()
    assert watch.told == ["begin", GeneratorExit]


def test_nothing_can_be_thrown_into_a_wait_that_has_not_begun() -> None:
    with pytest.raises(KeyError):
        steps_of(next_of(items(True), Recorder())).throw(KeyError())


@pytest.mark.parametrize("value", [None, (1, 2), (), ValueError("an item"), StopAsyncIteration()])
@pytest.mark.parametrize("trace", [None, lambda *_: None], ids=["plain", "traced"])
def test_any_object_may_be_an_item(value: Any, trace: Callable[..., None] | None) -> None:
    """A debugger makes the interpreter take the steps of an ``await`` by other methods."""

    @CircuitBreaker()
    async def source() -> AsyncIterator[Any]:
        yield value
        await asyncio.sleep(0)
        yield value

    async def main() -> list[Any]:
        return [item async for item in source()]

    before = sys.gettrace()
    sys.settrace(trace or before)
    try:
        received = asyncio.run(main())
    finally:
        sys.settrace(before)
    assert len(received) == 2
    assert all(item is value for item in received)


class Numbers:
    """An async iterator whose next item is any kind of awaitable."""

    def __init__(self, *awaitables: Any) -> None:
        self.awaitables = list(awaitables)

    def __aiter__(self) -> "Numbers":
        return self

    def __anext__(self) -> Any:
        if not self.awaitables:
            raise StopAsyncIteration
        return self.awaitables.pop(0)


async def test_the_next_item_may_be_any_awaitable() -> None:
    async def coroutine() -> int:
        await asyncio.sleep(0)
        return 1

    class Awaitable:
        def __await__(self) -> Any:
            yield from asyncio.sleep(0).__await__()
            return 3

    breaker = CircuitBreaker()
    awaitables = coroutine(), asyncio.ensure_future(asyncio.sleep(0, 2)), Awaitable()
    assert [item async for item in breaker.stream(Numbers(*awaitables))] == [1, 2, 3]
    assert breaker.metrics.successful_calls == 1


async def test_what_is_no_awaitable_fails_as_it_does_without_a_guard() -> None:
    breaker = CircuitBreaker()
    with pytest.raises(TypeError, match="int"):
        await anext(breaker.stream(Numbers(1)))
    assert breaker.metrics.in_flight == 0
