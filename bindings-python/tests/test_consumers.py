"""What the consumer of a stream does is not the provider's: neither its errors nor its time."""

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState, ManualClock
from halfopen.types import Outcome


class Client:
    """What a dependency hands out."""


class Mine(Exception):
    """The consumer's own error."""


async def numbers() -> AsyncGenerator[int, None]:
    yield 1
    yield 2


def plain_numbers() -> Generator[int, None, None]:
    yield 1
    yield 2


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


@pytest.mark.parametrize("way", WAYS)
async def test_the_consumers_time_does_not_count(clock: ManualClock, way: str) -> None:
    config = CircuitBreakerConfig(
        slow_call_seconds=1, slow_call_rate_threshold=0.5, minimum_calls=1, window={"calls": 10}
    )
    breaker = CircuitBreaker(config, clock=clock)
    for _ in range(3):
        stream, items = stream_of(way, breaker), 0
        clock.advance(60)
        while await stream.next():
            clock.advance(60)
            items += 1
        assert items == 2
    assert breaker.state is CircuitBreakerState.CLOSED
    assert (breaker.metrics.successful_calls, breaker.metrics.slow_calls) == (3, 0)
    assert breaker.durations()["success"].total_seconds == 0


@pytest.mark.parametrize("way", WAYS)
async def test_the_providers_time_counts(clock: ManualClock, way: str) -> None:
    def plain() -> Iterator[int]:
        clock.advance(1)
        yield 1
        clock.advance(2)

    async def asynchronous() -> AsyncIterator[int]:
        clock.advance(1)
        yield 1
        clock.advance(2)

    breaker = CircuitBreaker(CircuitBreakerConfig(slow_call_seconds=3), clock=clock)
    stream = stream_of(way, breaker, plain, asynchronous)
    while await stream.next():
        clock.advance(60)
    assert breaker.metrics.slow_calls == 1
    assert breaker.durations()["success"].total_seconds == 3


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("end", ["closed", "thrown into", "let go"])
async def test_stopping_after_a_long_pause_is_no_late_cancellation(clock: ManualClock, way: str, end: str) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(cancel_failure_after_seconds=5), clock=clock)
    stream: Stepped | None = stream_of(way, breaker)
    assert stream is not None
    await stream.next()
    clock.advance(60)
    match end:
        case "closed":
            await stream.close()
        case "thrown into":
            with pytest.raises(Mine):
                await stream.throw(Mine())
        case _:
            stream = None
            gc.collect()
            # The event loop closes an async generator that nobody holds any more.
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0, 0)


@pytest.mark.parametrize("way", ["decorated", "called"])
async def test_cancelling_a_hanging_stream_is_a_late_cancellation(clock: ManualClock, way: str) -> None:
    async def hangs() -> AsyncIterator[int]:
        yield 1
        clock.advance(5)
        await asyncio.Event().wait()

    breaker = CircuitBreaker(CircuitBreakerConfig(cancel_failure_after_seconds=5), clock=clock)
    stream = stream_of(way, breaker, asynchronous=hangs)
    await stream.next()
    clock.advance(60)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(stream.next(), timeout=0.001)
    assert (breaker.metrics.cancelled_calls, breaker.metrics.failed_calls) == (0, 1)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_reads_no_clock_without_recorded_durations(way: str) -> None:
    readings = 0

    def clock() -> float:
        nonlocal readings
        readings += 1
        return 0.0

    breaker = CircuitBreaker(CircuitBreakerConfig(record_durations=False), clock=clock)
    before = readings
    stream = stream_of(way, breaker)
    assert [await stream.next() for _ in range(3)] == [1, 2, None]
    assert readings == before


def plain_of(number: int, *, times: int = 1) -> Iterator[int]:
    yield from [number] * times


async def awaited_of(number: int, *, times: int = 1) -> AsyncIterator[int]:
    for _ in range(times):
        yield number


@pytest.mark.parametrize("function", [plain_of, awaited_of])
def test_wrong_arguments_of_a_generator_take_no_permit(breaker: CircuitBreaker, function: Callable[..., Any]) -> None:
    guarded = breaker(function)
    for args, kwargs in [((), {}), ((1, 2), {}), ((1,), {"number": 2}), ((1,), {"other": 2})]:
        with pytest.raises(TypeError) as wanted:
            function(*args, **kwargs)
        with pytest.raises(TypeError) as seen:
            guarded(*args, **kwargs)
        assert str(seen.value) == str(wanted.value)
    assert breaker.metrics.total_calls == 0


async def test_arguments_of_a_generator_are_passed_on(breaker: CircuitBreaker) -> None:
    assert list(breaker(plain_of)(7, times=2)) == [7, 7]
    assert [item async for item in breaker(awaited_of)(7, times=2)] == [7, 7]
