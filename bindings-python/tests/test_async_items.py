"""A guarded async generator behaves as one that is not guarded, although the compiled core takes its place."""

import asyncio
import collections.abc
import contextlib
import gc
import inspect
import sys
import types
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from consumers import Mine, counts, drain, talk
from halfopen import CircuitBreaker, CircuitBreakerOpenError


class Own:
    """A method is guarded too."""

    breaker = CircuitBreaker()

    @breaker
    async def items(self) -> AsyncIterator["Own"]:
        yield self


def test_a_guarded_function_is_an_async_generator_function() -> None:
    guarded = CircuitBreaker()(talk)
    assert inspect.isasyncgenfunction(guarded)
    assert inspect.signature(guarded) == inspect.signature(talk)
    assert (guarded.__name__, guarded.__doc__) == (talk.__name__, talk.__doc__)
    with pytest.raises(TypeError, match="unexpected keyword argument 'second'"):
        guarded(second="?")  # type: ignore[call-arg]


async def test_a_method_may_be_one() -> None:
    own = Own()
    assert [item async for item in own.items()] == [own]
    assert inspect.isasyncgenfunction(own.items)


@pytest.mark.filterwarnings("error")
async def test_guarded_twice_each_breaker_counts() -> None:
    inner, outer = CircuitBreaker(), CircuitBreaker()
    assert await drain(outer(inner(talk))(first="end")) == []
    assert await drain(outer.call_sync(inner(talk), first="end")) == []
    assert await drain(outer.stream(inner(talk)(first="end"))) == []
    assert (counts(inner), counts(outer)) == ((3, 0, 0, 0), (3, 0, 0, 0))


def test_its_generators_are_async_generators() -> None:
    guarded: Any = CircuitBreaker()(talk)()
    assert all(isinstance(guarded, kind) for kind in (types.AsyncGeneratorType, collections.abc.AsyncGenerator))
    assert [inspect.isasyncgen(it) for it in (guarded, 5)] == [True, False]
    assert guarded.__aiter__() is guarded
    assert guarded.ag_code is talk.__code__
    assert guarded.ag_frame.f_code is guarded.ag_code
    assert (guarded.ag_running, guarded.ag_await) == (False, None)
    assert (guarded.__name__, guarded.__qualname__) == ("talk", "talk")
    assert repr(guarded).startswith("<async_generator object talk")
    guarded.__name__ = "renamed"
    assert guarded.__name__ == "renamed"
    assert {"asend", "athrow", "aclose", "ag_frame"} <= set(dir(guarded))
    assert weakref.ref(guarded)() is guarded
    assert not hasattr(guarded, "unknown")


async def outcome(awaitable: Callable[[], Awaitable[Any]]) -> tuple[Any, ...]:
    try:
        return ("returned", await awaitable())
    except BaseException as error:
        return (type(error), str(error))


# The steps that a consumer can take, in any order.
STEPS: dict[str, Callable[[Any], Awaitable[Any]]] = {
    "next": anext,
    "send": lambda stream: stream.asend("hello"),
    "send nothing": lambda stream: stream.asend(None),
    "end": lambda stream: stream.asend("end"),
    "throw": lambda stream: stream.athrow(Mine("mine")),
    "throw a class": lambda stream: stream.athrow(KeyError),
    "throw a stop": lambda stream: stream.athrow(StopAsyncIteration("mine")),
    "throw an exit": lambda stream: stream.athrow(GeneratorExit()),
    "close": lambda stream: stream.aclose(),
}


@pytest.mark.parametrize("first", STEPS)
@pytest.mark.parametrize("second", STEPS)
async def test_every_step_has_the_outcome_that_it_has_without_a_guard(first: str, second: str) -> None:
    breaker = CircuitBreaker()
    guarded, bare = breaker(talk)(), talk()
    for step in (first, second, "next", "close", "next", "throw", "close"):
        expected = await outcome(lambda step=step: STEPS[step](bare))  # type: ignore[misc]
        assert await outcome(lambda step=step: STEPS[step](guarded)) == expected, step  # type: ignore[misc]
    assert counts(breaker)[3] == 0


@pytest.mark.parametrize(
    ("first", "second"), [("next", "next"), ("next", "send"), ("send", "close"), ("send", "throw")]
)
async def test_two_tasks_cannot_take_a_step_at_once(first: str, second: str) -> None:
    async def waits() -> AsyncGenerator[int, str]:
        yield 0
        await asyncio.sleep(0)
        yield 1

    breaker, seen = CircuitBreaker(), list[Any]()
    for stream in (waits(), breaker(waits)()):
        assert await anext(stream) == 0
        running = asyncio.ensure_future(outcome(lambda stream=stream: STEPS[first](stream)))  # type: ignore[misc]
        await asyncio.sleep(0)
        seen.append(await outcome(lambda stream=stream: STEPS[second](stream)))  # type: ignore[misc]
        assert await running == ("returned", 1)
        await stream.aclose()
    assert seen[0] == seen[1]
    assert seen[1][0] is RuntimeError
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("step", ["next", "send nothing", "throw", "close"])
async def test_a_refused_awaitable_is_awaited_again_as_without_a_guard(step: str) -> None:
    async def waits() -> AsyncGenerator[int, str]:
        for item in range(4):
            yield item
            await asyncio.sleep(0)

    seen = list[Any]()
    for stream in (waits(), CircuitBreaker()(waits)()):
        assert await anext(stream) == 0
        running = asyncio.ensure_future(outcome(lambda stream=stream: STEPS["next"](stream)))  # type: ignore[misc]
        await asyncio.sleep(0)
        refused = STEPS[step](stream)
        outcomes = [await outcome(lambda refused=refused: refused)]  # type: ignore[misc]
        assert await running == ("returned", 1)
        outcomes += [await outcome(lambda refused=refused: refused) for _ in range(2)]  # type: ignore[misc]
        seen.append(outcomes)
        await stream.aclose()
    assert seen[0] == seen[1]
    assert seen[0][0][0] is RuntimeError


@pytest.mark.parametrize("step", ["next", "send nothing", "throw", "close"])
async def test_an_awaitable_serves_once(step: str) -> None:
    breaker, seen = CircuitBreaker(), list[Any]()
    for stream in (talk(), breaker(talk)()):
        await anext(stream)
        awaitable = STEPS[step](stream)
        await awaitable
        seen.append(await outcome(lambda awaitable=awaitable: awaitable))  # type: ignore[misc]
        await stream.aclose()
    assert seen[0] == seen[1]
    assert seen[1][0] is RuntimeError


async def test_a_rejected_stream_has_ended() -> None:
    breaker = CircuitBreaker()
    stream = breaker(talk)()
    breaker.force_open()
    with pytest.raises(CircuitBreakerOpenError):
        await anext(stream)
    breaker.reset()
    assert await drain(stream) == []
    assert breaker.metrics.total_calls == 0


async def test_its_end_is_what_counts() -> None:
    breaker = CircuitBreaker()
    stream = breaker(talk)()
    await anext(stream)
    assert counts(breaker) == (0, 0, 0, 1)
    with pytest.raises(StopAsyncIteration):
        await stream.asend("end")
    assert counts(breaker) == (1, 0, 0, 0)
    stream = breaker(talk)()
    await anext(stream)
    with pytest.raises(KeyError):
        await stream.athrow(KeyError())
    assert counts(breaker) == (1, 0, 1, 0)


async def test_a_generator_that_ignores_that_it_was_closed_goes_on() -> None:
    async def stubborn() -> AsyncGenerator[int]:
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2
        yield 3

    breaker, seen = CircuitBreaker(), list[Any]()
    for stream in (stubborn(), breaker(stubborn)()):
        steps: list[Callable[[Any], Awaitable[Any]]] = [anext, STEPS["close"], anext, anext]
        seen.append([await outcome(lambda step=step, stream=stream: step(stream)) for step in steps])  # type: ignore[misc]
    assert seen[0] == seen[1]
    assert seen[1][2:] == [("returned", 3), (StopAsyncIteration, "")]
    assert counts(breaker) == (0, 1, 0, 0)


async def test_an_error_while_it_closes_is_a_failure() -> None:
    async def breaks() -> AsyncGenerator[int]:
        try:
            yield 1
        finally:
            raise OSError("it broke")

    breaker = CircuitBreaker()
    stream = breaker(breaks)()
    await anext(stream)
    with pytest.raises(OSError, match="it broke"):
        await stream.aclose()
    assert counts(breaker) == (0, 1, 0, 0)


async def test_a_step_lives_longer_than_the_name_of_its_stream() -> None:
    breaker = CircuitBreaker()
    assert await anext(breaker(talk)(first="here")) == "here"
    assert counts(breaker) == (0, 0, 1, 0)


async def test_a_cancelled_task_ends_the_stream_that_it_awaits() -> None:
    async def waits() -> AsyncIterator[int]:
        await asyncio.Event().wait()
        yield 1

    breaker = CircuitBreaker()
    task = asyncio.ensure_future(drain(breaker(waits)()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(breaker) == (0, 0, 1, 0)


async def test_context_managers_of_the_standard_library_take_it() -> None:
    breaker = CircuitBreaker()
    guarded = breaker(talk)
    async with contextlib.aclosing(guarded()) as stream:
        assert await anext(stream) == "ready"
    with pytest.raises(RuntimeError, match="didn't stop"):
        async with contextlib.asynccontextmanager(guarded)():
            raise Mine
    assert counts(breaker) == (0, 0, 2, 0)


def test_a_response_streams_it() -> None:
    breaker = CircuitBreaker()

    @breaker
    async def parts() -> AsyncIterator[str]:
        yield "one "
        yield "two"

    async def route(_: Request) -> StreamingResponse:
        return StreamingResponse(parts())

    with TestClient(Starlette(routes=[Route("/", route)])) as client:
        assert client.get("/").text == "one two"
    assert counts(breaker) == (1, 0, 0, 0)


@pytest.mark.parametrize("set_tracer", [sys.settrace, sys.setprofile])
def test_tracers_do_not_disturb_it(set_tracer: Callable[[Any], None]) -> None:
    breaker = CircuitBreaker()
    before = sys.gettrace(), sys.getprofile()
    called = list[str]()

    def trace(frame: types.FrameType, *_: Any) -> None:
        called.append(frame.f_code.co_name)

    set_tracer(trace)
    try:
        assert asyncio.run(drain(breaker(talk)(first="end"))) == []
    finally:
        sys.settrace(before[0])
        sys.setprofile(before[1])
    assert "talk" in called
    assert counts(breaker) == (1, 0, 0, 0)


def test_garbage_with_a_cycle_through_it_is_collected() -> None:
    breaker = CircuitBreaker()
    held: Any = Mine()
    held.stream = breaker(talk)()
    held.send = held.stream.asend(held)
    held.throw = held.stream.athrow(held)
    held.throw.close()
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None
