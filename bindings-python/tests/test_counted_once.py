"""A failure counts once on its way out through the layers of one breaker, whatever it passes through."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from enum import Enum
from typing import Any

import anyio
import httpx
import pytest

from halfopen import CircuitBreaker

FANNED_OUT = 10


def breaker_of(**rules: Any) -> CircuitBreaker:
    return CircuitBreaker("provider", failure_threshold=60_000, **rules)


@pytest.fixture
def breaker() -> CircuitBreaker:
    return breaker_of()


def failed_and_ignored(breaker: CircuitBreaker) -> tuple[int, int]:
    assert breaker.metrics.in_flight == 0
    return breaker.metrics.failed_calls, breaker.metrics.ignored_calls


def fail(number: int = 0) -> None:
    raise OSError(number)


async def fail_soon(number: int = 0) -> None:
    await asyncio.sleep(0)
    raise OSError(number)


def response(status: int = 503) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "http://provider"))


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


# Sessions


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_error_of_a_call_inside_a_healthy_session(breaker: CircuitBreaker, when: str) -> None:
    def live() -> None:
        with breaker.session() as session:
            if when == "after":
                session.healthy()
            try:
                breaker.call_sync(fail)
            except OSError:
                session.healthy()
                raise

    with pytest.raises(OSError, match="0"):
        live()
    assert failed_and_ignored(breaker) == (1, 0)
    with pytest.raises(OSError, match="0"):
        breaker(live)()
    assert failed_and_ignored(breaker) == (2, 1)


def test_an_error_of_a_session_inside_a_session(breaker: CircuitBreaker) -> None:
    def live() -> None:
        with breaker.session() as outer:
            outer.healthy()
            with breaker.session() as inner:
                inner.healthy()
                fail()

    with pytest.raises(OSError, match="0"):
        live()
    assert failed_and_ignored(breaker) == (1, 0)


async def test_an_error_of_a_task_inside_a_healthy_session(breaker: CircuitBreaker) -> None:
    async def live() -> None:
        async with breaker.session() as session:
            session.healthy()
            await asyncio.create_task(breaker(fail_soon)())

    with pytest.raises(OSError, match="0"):
        await live()
    assert failed_and_ignored(breaker) == (1, 0)


def test_a_session_that_is_forgotten_notes_nothing_any_more(breaker: CircuitBreaker) -> None:
    session = breaker.session()
    session.__enter__()
    session.healthy()
    del session
    error = OSError("shared")

    def raise_it() -> None:
        raise error

    for _ in range(2):
        with pytest.raises(OSError, match="shared"):
            breaker.call_sync(raise_it)
    assert failed_and_ignored(breaker) == (2, 0)


# Responses and their errors


def test_the_error_of_a_response_that_was_counted(breaker: CircuitBreaker) -> None:
    outer: Callable[[], object] = breaker(lambda: breaker(response)().raise_for_status())
    with pytest.raises(httpx.HTTPStatusError):
        outer()
    assert failed_and_ignored(breaker) == (1, 1)


def test_the_response_of_an_error_that_was_counted(breaker: CircuitBreaker) -> None:
    inner: Callable[[], httpx.Response] = breaker(lambda: response().raise_for_status())

    @breaker
    def outer() -> httpx.Response:
        try:
            return inner()
        except httpx.HTTPStatusError as error:
            return error.response

    assert outer().status_code == 503
    assert failed_and_ignored(breaker) == (1, 1)


def test_the_error_of_another_response_is_another_failure(breaker: CircuitBreaker) -> None:
    @breaker
    def outer() -> None:
        breaker(response)()
        response().raise_for_status()

    with pytest.raises(httpx.HTTPStatusError):
        outer()
    assert failed_and_ignored(breaker) == (2, 0)


# Results of every kind


class Slots:
    __slots__ = ("text",)


class Answer(Enum):
    FAILED = "failed"


@pytest.mark.parametrize(
    "make", [lambda: 500, lambda: (1, []), Slots, object, lambda: None, lambda: "", lambda: Answer.FAILED, dict]
)
def test_a_result_that_a_judge_calls_a_failure(make: Callable[[], object]) -> None:
    breaker = breaker_of(judge=lambda _: "failure")
    result = make()
    inner: Callable[[], object] = breaker(lambda: result)
    outer: Callable[[], object] = breaker(breaker(inner))
    assert outer() is result
    assert failed_and_ignored(breaker) == (1, 2)

    @breaker
    def retried() -> object:
        results = [inner() for _ in range(3)]
        return results[0]

    assert retried() is result
    assert failed_and_ignored(breaker) == (4, 3)


async def test_a_constant_that_concurrent_calls_return_counts_each_time() -> None:
    breaker = breaker_of(judge=lambda result: "failure" if result == "" else None)
    turns = [asyncio.Event() for _ in range(5)]

    @breaker
    async def provider(number: int) -> str:
        await turns[number].wait()
        return ""

    tasks = [asyncio.create_task(provider(number)) for number in range(5)]
    await asyncio.sleep(0)
    for turn in reversed(turns):
        turn.set()
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [""] * 5
    assert failed_and_ignored(breaker) == (5, 0)


def test_a_counted_result_is_not_kept_alive() -> None:
    breaker = breaker_of(judge=lambda result: "failure" if isinstance(result, tuple) else "success")

    class Payload:
        pass

    def make() -> tuple[Payload]:
        return (Payload(),)

    @breaker
    def outer() -> None:
        first = weakref.ref(breaker.call_sync(make)[0])
        second = weakref.ref(breaker.call_sync(make)[0])
        assert first() is None
        kept.append(second)

    kept: list[weakref.ref[Payload]] = []
    outer()
    assert kept[0]() is None
    assert failed_and_ignored(breaker) == (2, 0)


# Permits and streams


def test_the_error_for_which_a_permit_is_settled(breaker: CircuitBreaker) -> None:
    @breaker
    def outer() -> None:
        permit = breaker.acquire()
        try:
            fail()
        except OSError:
            permit.failure()
            raise

    with pytest.raises(OSError, match="0"):
        outer()
    assert failed_and_ignored(breaker) == (1, 1)


async def test_the_error_of_a_stream(breaker: CircuitBreaker) -> None:
    @breaker
    def stream() -> Iterator[int]:
        yield 1
        breaker.call_sync(fail)

    with pytest.raises(OSError, match="0"):
        breaker(lambda: list(stream()))()
    assert failed_and_ignored(breaker) == (1, 2)

    @breaker
    async def async_stream() -> AsyncIterator[int]:
        yield 1
        await asyncio.create_task(breaker(fail_soon)())

    @breaker
    async def outer() -> list[int]:
        return [item async for item in async_stream()]

    with pytest.raises(OSError, match="0"):
        await outer()
    assert failed_and_ignored(breaker) == (2, 4)
