"""A failure counts once on its way out through the layers of one breaker, whatever it passes through."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import anyio
import httpx
import pytest

from counting import breaker_of, fail, fail_soon, failed_and_ignored, response
from halfopen import CircuitBreaker


@pytest.fixture
def breaker() -> CircuitBreaker:
    return breaker_of()


FANNED_OUT = 10

# Through tasks, threads and futures

Async = Callable[[], Awaitable[None]]


async def in_a_task_group(function: Async) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(waiting(function))


async def in_a_group_of_anyio(function: Async) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(waiting, function)


async def waiting(function: Async) -> None:
    await function()


TASKS: dict[str, Callable[[Async], Awaitable[Any]]] = {
    "task": lambda function: asyncio.create_task(waiting(function)),
    "gather": lambda function: asyncio.gather(function()),
    "wait_for": lambda function: asyncio.wait_for(function(), 60),
    "shield": lambda function: asyncio.shield(waiting(function)),
    "TaskGroup": in_a_task_group,
    "anyio": in_a_group_of_anyio,
    "thread with a loop": lambda function: asyncio.to_thread(asyncio.run, waiting(function)),
}


@pytest.mark.parametrize("name", TASKS)
async def test_through_a_task(breaker: CircuitBreaker, name: str) -> None:
    inner = breaker(fail_soon)

    @breaker
    async def outer() -> None:
        await TASKS[name](inner)

    with pytest.raises((OSError, ExceptionGroup)):
        await breaker(outer)()
    assert failed_and_ignored(breaker) == (1, 2)


def test_through_a_thread(breaker: CircuitBreaker) -> None:
    with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="0"):
        breaker(lambda: pool.submit(breaker(fail)).result())()
    assert failed_and_ignored(breaker) == (1, 1)


async def test_through_threads_of_a_loop(breaker: CircuitBreaker) -> None:
    inner = breaker(fail)

    @breaker
    async def of_asyncio() -> None:
        await asyncio.get_running_loop().run_in_executor(None, inner)

    @breaker
    async def of_anyio() -> None:
        await anyio.to_thread.run_sync(inner)

    for outer in (of_asyncio, of_anyio):
        with pytest.raises(OSError, match="0"):
            await outer()
    assert failed_and_ignored(breaker) == (2, 2)


async def test_through_a_task_that_a_guarded_function_returns(breaker: CircuitBreaker) -> None:
    inner = breaker(fail_soon)
    start: Callable[[], asyncio.Future[None]] = breaker(lambda: asyncio.ensure_future(inner()))
    with pytest.raises(OSError, match="0"):
        await start()
    assert failed_and_ignored(breaker) == (1, 1)


async def test_a_response_in_a_task_or_a_future(breaker: CircuitBreaker) -> None:
    async def answer() -> httpx.Response:
        return response()

    start: Callable[[], asyncio.Future[httpx.Response]] = breaker(lambda: asyncio.ensure_future(answer()))

    @breaker
    async def outer() -> httpx.Response:
        return await start()

    assert (await outer()).status_code == 503
    assert failed_and_ignored(breaker) == (1, 1)
    with ThreadPoolExecutor(1) as pool:
        submit: Callable[[], Any] = breaker(lambda: pool.submit(response))
        assert breaker(lambda: submit().result())().status_code == 503
    assert failed_and_ignored(breaker) == (2, 2)
    assert (await breaker(asyncio.wait_for)(breaker(answer)(), 60)).status_code == 503
    assert failed_and_ignored(breaker) == (3, 3)


# Fan-out


def raise_first(errors: list[Exception]) -> None:
    raise errors[0]


def raise_last(errors: list[Exception]) -> None:
    raise errors[-1]


def raise_all(errors: list[Exception]) -> None:
    raise ExceptionGroup("all", [ExceptionGroup("most", errors[1:]), errors[0]])


@pytest.mark.parametrize("end", [raise_first, raise_last, raise_all])
def test_errors_that_one_call_collects(breaker: CircuitBreaker, end: Callable[[list[Exception]], None]) -> None:
    @breaker
    def outer() -> None:
        errors: list[Exception] = []
        for number in range(FANNED_OUT * 10):
            try:
                breaker.call_sync(fail, number)
            except OSError as error:
                errors.append(error)
        end(errors)

    with pytest.raises((OSError, ExceptionGroup)):
        outer()
    assert failed_and_ignored(breaker) == (FANNED_OUT * 10, 1)


@pytest.mark.parametrize("end", [raise_first, raise_last, raise_all])
async def test_errors_that_one_call_gathers(breaker: CircuitBreaker, end: Callable[[list[Any]], None]) -> None:
    inner = breaker(fail_soon)

    @breaker
    async def outer() -> None:
        end(await asyncio.gather(*map(inner, range(FANNED_OUT)), return_exceptions=True))

    with pytest.raises((OSError, ExceptionGroup)):
        await outer()
    assert failed_and_ignored(breaker) == (FANNED_OUT, 1)


def test_a_group_with_an_error_that_nobody_counted_is_a_failure(breaker: CircuitBreaker) -> None:
    @breaker
    def outer(other: Exception) -> None:
        try:
            breaker.call_sync(fail)
        except OSError as error:
            raise ExceptionGroup("both", [error, other]) from None

    with pytest.raises(ExceptionGroup):
        outer(LookupError("of its own"))
    assert failed_and_ignored(breaker) == (2, 0)
    with pytest.raises(ExceptionGroup):
        outer(StopIteration("an end, and no failure"))
    assert failed_and_ignored(breaker) == (3, 1)


def test_what_is_noted_does_not_grow_with_errors_that_are_gone(breaker: CircuitBreaker) -> None:
    class Own(Exception):
        pass

    def raise_own() -> None:
        raise Own

    gc.collect()
    with breaker:
        before = len(gc.get_objects())
        for _ in range(1000):
            for function in (fail, raise_own):
                with suppress(OSError, Own):
                    breaker.call_sync(function)
        assert len(gc.get_objects()) - before < 100
    assert failed_and_ignored(breaker) == (2000, 0)
