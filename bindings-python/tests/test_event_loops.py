"""The proxy of a coroutine works wherever a coroutine works."""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.lowlevel
import pytest
import trio

from halfopen import CircuitBreaker


async def later(finished: list[str], text: str) -> str:
    await anyio.lowlevel.checkpoint()
    finished.append(text)
    return text


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker()


@pytest.fixture
def finished() -> list[str]:
    return []


@pytest.fixture
def guarded(breaker: CircuitBreaker, finished: list[str]) -> Callable[[str], Coroutine[Any, Any, str]]:
    def plain(text: str) -> Coroutine[Any, Any, str]:
        return later(finished, text)

    return breaker(plain)


Guarded = Callable[[str], Coroutine[Any, Any, str]]


@pytest.mark.parametrize("debug", [False, True])
def test_asyncio_runs_it(breaker: CircuitBreaker, guarded: Guarded, debug: bool) -> None:
    async def in_a_group() -> str:
        async with asyncio.timeout(5), asyncio.TaskGroup() as group:
            task = group.create_task(guarded("b"))
            assert "later" in repr(task)
        return task.result()

    assert asyncio.run(guarded("a"), debug=debug) == "a"
    assert asyncio.run(in_a_group(), debug=debug) == "b"
    assert breaker.metrics.successful_calls == 2


def test_another_thread_submits_it_to_a_loop(breaker: CircuitBreaker, guarded: Guarded) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert asyncio.run_coroutine_threadsafe(guarded("a"), loop).result(5) == "a"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    assert breaker.metrics.successful_calls == 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_anyio_and_trio_run_it(breaker: CircuitBreaker, guarded: Guarded, finished: list[str], backend: str) -> None:
    async def in_a_group() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(guarded, "b")
        await guarded("c")

    anyio.run(guarded, "a", backend=backend)
    anyio.run(in_a_group, backend=backend)
    assert finished == ["a", "b", "c"]
    assert breaker.metrics.successful_calls == 3


def test_trio_cancels_it(breaker: CircuitBreaker) -> None:
    async def cancelled() -> None:
        with trio.move_on_after(0):
            await breaker.call_sync(trio.sleep_forever)

    trio.run(cancelled)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)


async def test_an_exit_stack_enters_and_leaves_a_proxy(breaker: CircuitBreaker) -> None:
    class Connection:
        left = False

        def __await__(self) -> Any:
            return later([], "awaited").__await__()

        async def __aenter__(self) -> str:
            return "entered"

        async def __aexit__(self, *error: object) -> None:
            self.left = True

    connection = Connection()
    async with AsyncExitStack() as stack:
        entered: Any = await stack.enter_async_context(breaker.call_sync(lambda: connection))
        assert entered == "entered"
        assert not connection.left
    assert connection.left
    assert breaker.metrics.successful_calls == 1
