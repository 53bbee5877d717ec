"""Errors of a stream's consumer do not count."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Annotated, Any

import pytest
from anyio import create_task_group
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from consumers import WAYS, Mine, Stepped, numbers, plain_numbers, stream_of
from halfopen import CircuitBreaker, CircuitBreakerState
from halfopen.types import Outcome


class Client:
    """The value of a dependency."""


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_error_of_a_route_is_no_failure_of_its_dependency(breaker: CircuitBreaker, kind: str) -> None:
    @breaker
    async def awaited() -> AsyncIterator[Client]:
        yield Client()

    @breaker
    def plain() -> Iterator[Client]:
        yield Client()

    api = FastAPI()

    @api.get("/")
    async def route(client: Annotated[Client, Depends(awaited if kind == "async" else plain)]) -> None:
        raise HTTPException(404, f"no such thing at {client}")

    with TestClient(api) as client:
        assert [client.get("/").status_code for _ in range(4)] == [404] * 4
    assert breaker.state is CircuitBreakerState.CLOSED
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls, breaker.metrics.in_flight) == (4, 0, 0)


@pytest.mark.parametrize("kind", ["async", "plain"])
def test_an_error_of_a_dependency_is_its_failure(breaker: CircuitBreaker, kind: str) -> None:
    @breaker
    async def awaited() -> AsyncIterator[Client]:
        try:
            yield Client()
        except HTTPException as thrown:
            raise OSError("the provider is gone") from thrown

    @breaker
    def plain() -> Iterator[Client]:
        try:
            yield Client()
        finally:
            raise OSError("the provider is gone")

    api = FastAPI()

    @api.get("/")
    async def route(client: Annotated[Client, Depends(awaited if kind == "async" else plain)]) -> None:
        raise HTTPException(404, f"no such thing at {client}")

    with TestClient(api) as client, pytest.raises(OSError, match="gone"):
        client.get("/")
    assert breaker.state is CircuitBreakerState.OPEN


@pytest.mark.parametrize("error", [Mine(), StopIteration(), StopAsyncIteration(), GeneratorExit(), KeyboardInterrupt()])
async def test_the_body_of_a_context_manager_is_its_consumer(breaker: CircuitBreaker, error: BaseException) -> None:
    plain = contextlib.contextmanager(breaker(plain_numbers))
    awaited = contextlib.asynccontextmanager(breaker(numbers))
    with pytest.raises(type(error)) as caught, plain():
        raise error
    assert caught.value is error
    with pytest.raises(type(error)) as caught:
        async with awaited():
            raise error
    assert caught.value is error
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls) == (2, 0)


def test_a_block_around_a_yield_guards_the_body_of_its_consumer(breaker: CircuitBreaker) -> None:
    @contextlib.contextmanager
    def guarded() -> Iterator[None]:
        with breaker:
            yield

    with pytest.raises(Mine), guarded():
        raise Mine
    assert breaker.metrics.failed_calls == 1


@pytest.mark.parametrize("way", WAYS)
async def test_an_error_thrown_in_and_returned_unchanged_is_cancelled(breaker: CircuitBreaker, way: str) -> None:
    stream, mine = stream_of(way, breaker), Mine()
    await stream.next()
    with pytest.raises(Mine) as caught:
        await stream.throw(mine)
    assert caught.value is mine
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_the_classifier_does_not_see_an_error_of_the_consumer(way: str) -> None:
    asked: list[Exception] = []

    def classify(error: Exception) -> Outcome:
        asked.append(error)
        return "failure"

    breaker = CircuitBreaker(classify=classify)
    stream = stream_of(way, breaker)
    await stream.next()
    with pytest.raises(Mine):
        await stream.throw(Mine())
    assert asked == []


@pytest.mark.parametrize("way", WAYS)
async def test_an_equal_error_of_the_generator_is_a_failure(breaker: CircuitBreaker, way: str) -> None:
    class Equal(Exception):
        def __eq__(self, other: object) -> bool:
            return isinstance(other, Equal)

        def __hash__(self) -> int:
            return 0

    def plain() -> Iterator[int]:
        try:
            yield 1
        except Equal:
            raise Equal from None

    async def asynchronous() -> AsyncIterator[int]:
        try:
            yield 1
        except Equal:
            raise Equal from None

    stream = stream_of(way, breaker, plain, asynchronous)
    await stream.next()
    with pytest.raises(Equal):
        await stream.throw(Equal())
    assert breaker.metrics.failed_calls == 1


@pytest.mark.parametrize("way", WAYS)
async def test_a_thrown_error_that_returns_later_is_cancelled(breaker: CircuitBreaker, way: str) -> None:
    def plain() -> Iterator[int]:
        try:
            yield 1
        except Mine as thrown:
            kept = thrown
        yield 2
        raise kept

    async def asynchronous() -> AsyncIterator[int]:
        try:
            yield 1
        except Mine as thrown:
            kept = thrown
        yield 2
        raise kept

    stream = stream_of(way, breaker, plain, asynchronous)
    await stream.next()
    assert await stream.throw(Mine()) == 2
    with pytest.raises(Mine):
        await stream.next()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls) == (1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_thrown_error_lives_no_longer_than_the_stream(breaker: CircuitBreaker, way: str) -> None:
    stream, mine = stream_of(way, breaker), Mine()
    gone = weakref.ref(mine)
    await stream.next()
    with contextlib.suppress(Mine):
        await stream.throw(mine)
    del stream, mine
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("way", WAYS)
async def test_a_thrown_error_that_the_generator_has_handled_is_released(breaker: CircuitBreaker, way: str) -> None:
    def plain() -> Iterator[int]:
        with contextlib.suppress(Mine):
            yield 1
        yield 2
        yield 3

    async def asynchronous() -> AsyncIterator[int]:
        with contextlib.suppress(Mine):
            yield 1
        yield 2
        yield 3

    stream, mine = stream_of(way, breaker, plain, asynchronous), Mine()
    gone = weakref.ref(mine)
    await stream.next()
    assert await stream.throw(mine) == 2
    del mine
    assert await stream.next() == 3
    assert gone() is None


@pytest.mark.parametrize("library", [asyncio.TaskGroup, create_task_group])
async def test_an_error_that_a_task_group_wraps_is_the_consumers(breaker: CircuitBreaker, library: Any) -> None:
    @contextlib.asynccontextmanager
    @breaker
    async def connected() -> AsyncIterator[None]:
        async with library():
            yield

    for error in (Mine(), ExceptionGroup("", [Mine(), ExceptionGroup("", [Mine()])])):
        with pytest.raises(ExceptionGroup):
            async with connected():
                raise error
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls) == (2, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_group_with_an_error_of_the_generator_is_a_failure(breaker: CircuitBreaker, way: str) -> None:
    def plain() -> Iterator[int]:
        try:
            yield 1
        except Mine as thrown:
            raise ExceptionGroup("", [thrown, OSError()]) from None

    async def asynchronous() -> AsyncIterator[int]:
        try:
            yield 1
        except Mine as thrown:
            raise ExceptionGroup("", [thrown, OSError()]) from None

    stream = stream_of(way, breaker, plain, asynchronous)
    await stream.next()
    with pytest.raises(ExceptionGroup):
        await stream.throw(Mine())
    assert breaker.metrics.failed_calls == 1


async def test_an_error_thrown_through_two_guarded_generators_is_cancelled(breaker: CircuitBreaker) -> None:
    inner, inner_async = breaker(plain_numbers), breaker(numbers)

    @breaker
    def plain() -> Iterator[int]:
        yield from inner()

    @breaker
    async def asynchronous() -> AsyncIterator[int]:
        async with contextlib.aclosing(inner_async()) as stream:
            item = await anext(stream)
            try:
                yield item
            except BaseException as thrown:
                await stream.athrow(thrown)

    for stream in (Stepped(plain()), Stepped(asynchronous())):
        await stream.next()
        with pytest.raises(Mine):
            await stream.throw(Mine())
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls, breaker.metrics.in_flight) == (4, 0, 0)


# Python 3.12 deprecates two of the forms.
@pytest.mark.filterwarnings("ignore:the .type, exc, tb. signature:DeprecationWarning")
def test_every_form_of_throw_behaves_as_without_a_breaker(breaker: CircuitBreaker) -> None:
    forms: list[tuple[Any, ...]] = [
        (Mine("a"),), (Mine,), (Mine, "a"), (Mine, ("a", "b")), (Mine, None), (Mine, Mine("a")),
        (Mine("a"), None, None), (Mine("a"), "b"), (5,), (int,),
    ]  # fmt: skip

    def outcome(stream: Generator[int, None, None], form: tuple[Any, ...]) -> object:
        next(stream)
        try:
            stream.throw(*form)
        except (Mine, TypeError) as error:
            return type(error), error.args if isinstance(error, Mine) else ()
        return None

    for form in forms:
        assert outcome(breaker(plain_numbers)(), form) == outcome(plain_numbers(), form), form
    assert (breaker.metrics.failed_calls, breaker.metrics.in_flight) == (0, 0)


def test_a_plain_stream_passes_sent_values_and_its_result(breaker: CircuitBreaker) -> None:
    def asks() -> Generator[str, str, tuple[str, ...]]:
        first = yield "first?"
        second = yield "second?"
        return first, second

    def both() -> Generator[str, str, tuple[str, ...]]:
        return (yield from breaker(asks)())

    stream = both()
    assert next(stream) == "first?"
    assert stream.send("a") == "second?"
    with pytest.raises(StopIteration) as end:
        stream.send("b")
    assert end.value.value == ("a", "b")
    assert breaker.metrics.successful_calls == 1
