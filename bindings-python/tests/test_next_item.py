"""Each ``await`` of ``NextItem`` is the next item of a guarded async stream, and tells the watch of its waits."""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest

from halfopen import CircuitBreaker
from halfopen._core import AsyncItems, Wait


class Recorder:
    """A watch that notes each call of its methods."""

    def __init__(self) -> None:
        self.noted: list[Any] = []

    def begin(self) -> None:
        self.noted.append("begin")

    def end(self, has_content: bool, /) -> None:
        self.noted.append(("end", has_content))

    def fail(self, error: BaseException, /) -> None:
        self.noted.append(type(error))

    def close(self) -> None:
        self.noted.append("close")

    def abandon(self) -> None:
        self.noted.append("abandon")


class TimerRecorder(Recorder):
    """The same for a watch that looks at the wait when its timer fires."""

    def __init__(self) -> None:
        super().__init__()
        self.wait = Wait(asyncio.get_running_loop(), asyncio.current_task, None)

    def arm(self) -> None:
        self.wait.timed(True)
        self.noted.append(("arm", self.wait.number))

    def passed(self, waited: float, has_content: bool, /) -> None:
        assert 0 <= waited < 5
        self.noted.append(("passed", has_content))

    def recovered(self) -> None:
        self.noted.append("recovered")


async def items(*waits: bool) -> AsyncGenerator[int]:
    """An item for each of these; for a true one the task is suspended."""
    for number, suspends in enumerate(waits):
        if suspends:
            await asyncio.sleep(0)
        yield number


def guarded(source: Any, watch: Recorder, **options: Any) -> Any:
    return AsyncItems(CircuitBreaker(**options)._begin_stream(source), True, lambda: watch)


async def drain(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def test_one_timer_is_asked_for_by_the_first_wait_that_suspends_the_task() -> None:
    watch = TimerRecorder()
    assert await drain(guarded(items(False, True, False, True), watch)) == [0, 1, 2, 3]
    assert watch.noted == [("passed", True), ("arm", 1), "close"]
    assert watch.wait.number is None


async def test_every_wait_counts_until_content_has_come() -> None:
    watch = TimerRecorder()
    stream = guarded(items(False, True, False, False), watch, is_content=lambda item: item >= 2)
    assert await drain(stream) == [0, 1, 2, 3]
    assert watch.noted == [("passed", False), ("arm", 1), ("passed", False), ("passed", True), "close"]


async def test_a_timer_finds_the_task_that_waits_and_what_it_has_waited() -> None:
    watch = TimerRecorder()
    task = asyncio.current_task()
    stream = guarded(items(True), watch)
    steps = anext(stream).__await__()
    steps.send(None)
    assert watch.wait.number == 1
    assert 0 <= watch.wait.waited() < 5
    assert watch.wait.expire() == (task, 0)
    with pytest.raises(StopIteration):
        steps.send(None)
    assert watch.noted == [("arm", 1), "recovered", ("passed", True)]


async def test_a_wait_that_was_cut_off_fails() -> None:
    watch = TimerRecorder()
    stream = guarded(items(True), watch)
    steps = anext(stream).__await__()
    steps.send(None)
    watch.wait.expire()
    with pytest.raises(asyncio.CancelledError):
        steps.throw(asyncio.CancelledError())
    assert watch.noted == [("arm", 1), asyncio.CancelledError, "close"]


async def test_a_scope_is_told_before_the_first_step() -> None:
    watch = Recorder()
    seen = list[Any]()

    async def source() -> AsyncIterator[int]:
        seen.extend(watch.noted)
        yield 1

    assert await drain(guarded(source(), watch)) == [1]
    assert seen == ["begin"]
    assert watch.noted == ["begin", ("end", True), "begin", ("end", True), "close"]


async def test_a_wait_that_fails_is_over() -> None:
    watch = Recorder()

    async def source() -> AsyncIterator[int]:
        await asyncio.sleep(0)
        yield 1
        await asyncio.sleep(0)
        raise KeyError

    with pytest.raises(KeyError):
        await drain(guarded(source(), watch))
    assert watch.noted == ["begin", ("end", True), "begin", KeyError, "close"]


async def test_closing_a_stream_has_no_timeout() -> None:
    watch = Recorder()

    async def source() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0)

    stream = guarded(source(), watch)
    await anext(stream)
    await stream.aclose()
    assert watch.noted == ["begin", ("end", True), "close"]


async def test_a_dropped_stream_abandons_its_watch() -> None:
    watch = Recorder()
    stream = guarded(items(False), watch)
    await anext(stream)
    del stream
    assert watch.noted == ["begin", ("end", True), "abandon"]


async def test_a_watch_that_is_interrupted_reaches_the_generator() -> None:
    class Interrupted(TimerRecorder):
        def arm(self) -> None:
            super().arm()
            raise InterruptedError

    async def source() -> AsyncIterator[str]:
        try:
            await asyncio.sleep(30)
        except InterruptedError:
            yield "cleaned up"

    assert await drain(guarded(source(), Interrupted())) == ["cleaned up"]


def test_closing_a_suspended_wait_ends_it() -> None:
    watch = Recorder()
    steps = anext(guarded(items(True), watch)).__await__()
    steps.send(None)
    steps.close()
    steps.close()
    assert watch.noted == ["begin", GeneratorExit, "close"]


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
