"""Awaitables of guarded plain functions keep their interface, and their end is judged once."""

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import types
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from deferred import AWAITABLES, USES, Make, Request, coroutine, counts, generator_based
from halfopen import CircuitBreaker, CircuitBreakerConfig


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))


@pytest.mark.parametrize("use", USES)
@pytest.mark.parametrize("name", AWAITABLES)
async def test_it_is_judged_once_however_it_is_used(breaker: CircuitBreaker, name: str, use: str) -> None:
    make = AWAITABLES[name]
    guarded: Make = breaker(lambda fault=None: make(fault))
    await USES[use](guarded(None))
    await asyncio.sleep(0)
    assert counts(breaker) == {"success": 1}
    with pytest.raises(OSError, match="down"):
        await USES[use](guarded(OSError("down")))
    await asyncio.sleep(0)
    assert counts(breaker) == {"success": 1, "failure": 1}


@pytest.mark.parametrize("name", AWAITABLES)
async def test_it_behaves_as_without_a_breaker(breaker: CircuitBreaker, name: str) -> None:
    async def uses(thing: Any) -> list[object]:
        answers: list[object] = [inspect.isawaitable(thing), inspect.iscoroutine(thing)]
        answers += [asyncio.isfuture(thing), isinstance(thing, asyncio.Task)]
        # The only addition: the proxy of a generator-based coroutine has `__await__`. From Python 3.12 on, asyncio
        # recognises a coroutine by it.
        answers += [isinstance(thing, kind | types.GeneratorType) for kind in (Awaitable, Coroutine)]
        by_await = sys.version_info >= (3, 12) and isinstance(thing, types.GeneratorType)
        answers += [by_await or asyncio.iscoroutine(thing)]
        answers += [isinstance(thing, AbstractAsyncContextManager), thing.__class__]
        answers += [sorted(dir(thing)), bool(thing)]
        for _ in range(2):
            try:
                answers.append(await thing)
            except RuntimeError as error:
                answers.append(str(error))
        return answers

    make = AWAITABLES[name]
    assert await uses(breaker.call_sync(make, None)) == await uses(make(None))
    assert counts(breaker) == {"success": 1}


@pytest.mark.parametrize("name", ["coroutine", "generator-based coroutine", "coroutine by its methods", "custom"])
async def test_a_result_that_is_never_awaited_returns_its_permit_and_warns_as_usual(
    breaker: CircuitBreaker, name: str
) -> None:
    def warned(made: Callable[[], object]) -> list[str]:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            made()
            gc.collect()
        return [str(warning.message) for warning in caught]

    make = AWAITABLES[name]
    assert warned(lambda: breaker.call_sync(make, None)) == warned(lambda: make(None))
    assert counts(breaker) == {"cancelled": 1}


@pytest.mark.parametrize("name", ["coroutine", "generator-based coroutine", "coroutine by its methods"])
async def test_closing_or_cancelling_an_unstarted_coroutine_warns_about_nothing(
    breaker: CircuitBreaker, name: str
) -> None:
    make = AWAITABLES[name]
    breaker.call_sync(make, None).close()
    assert counts(breaker) == {"cancelled": 1}
    with pytest.raises(ValueError, match="thrown"):
        breaker.call_sync(make, None).throw(ValueError("thrown"))
    assert counts(breaker) == {"cancelled": 1, "failure": 1}
    if name != "generator-based coroutine":
        task = asyncio.ensure_future(breaker.call_sync(make, None))
        task.cancel()
        await asyncio.wait([task])
        assert counts(breaker) == {"cancelled": 2, "failure": 1}


async def test_a_generator_based_coroutine_function_is_decorated_as_a_coroutine_function(
    breaker: CircuitBreaker,
) -> None:
    with_deadline = CircuitBreaker(call_timeout_seconds=10)
    for guard in (breaker, with_deadline):
        assert await guard(generator_based)() == "answer"
        with pytest.raises(ValueError, match="broken"):
            await guard(functools.partial(generator_based, ValueError("broken")))()
        assert counts(guard) == {"success": 1, "failure": 1}


async def test_a_coroutine_can_be_driven_by_hand(breaker: CircuitBreaker) -> None:
    @types.coroutine
    def _echo() -> Generator[str, str, str]:
        sent = yield "ready"
        try:
            sent = yield sent.upper()
        except ValueError:
            sent = yield "caught"
        return sent

    echo: Any = _echo

    async def talks() -> Any:
        return await echo()

    for make in (talks, echo):
        steps = breaker.call_sync(make)
        assert steps.send(None) == "ready"
        assert steps.send("hello") == "HELLO"
        assert steps.throw(ValueError()) == "caught"
        with pytest.raises(StopIteration) as end:
            steps.send("bye")
        assert end.value.value == "bye"
    assert counts(breaker) == {"success": 2}
    running: Any = breaker.call_sync(talks)
    assert inspect.getcoroutinestate(running) == inspect.CORO_CREATED
    running.send(None)
    assert inspect.getcoroutinestate(running) == inspect.CORO_SUSPENDED
    assert (running.__name__, running.cr_code) == ("talks", talks.__code__)
    running.close()
    assert counts(breaker) == {"success": 2, "cancelled": 1}


async def test_entering_ends_the_call_and_errors_in_the_block_do_not_count(breaker: CircuitBreaker) -> None:
    request = Request("u")
    async with breaker.call_sync(lambda: request) as response:
        assert response == "answer of u"
        assert counts(breaker) == {"success": 1}
    with pytest.raises(ValueError, match="of the caller"):
        async with breaker.call_sync(lambda: request):
            raise ValueError("of the caller")
    assert request.closed == [None, ValueError]
    assert counts(breaker) == {"success": 2}
    with pytest.raises(OSError, match="down"):
        async with breaker.call_sync(Request, "u", OSError("down")):
            raise AssertionError("entered")
    assert counts(breaker) == {"success": 2, "failure": 1}


async def test_a_custom_awaitable_keeps_its_attributes_operators_and_class(breaker: CircuitBreaker) -> None:
    original: Any = Request("abc")
    request: Any = breaker.call_sync(lambda: original)
    assert (repr(request), f"{request}", request.url, request.shout()) == (
        "Request('abc')",
        "Request('abc')",
        "abc",
        "ABC",
    )
    assert (len(request), request[1], list(request)) == (3, "b", ["a", "b", "c"])
    assert isinstance(request, Request)
    assert request == original == request
    assert request == Request("abc") != Request("d")
    assert (request + "d").url == "abcd"
    assert request in {original}
    request.url = "set"
    assert original.url == "set"
    del request.url
    assert not hasattr(request, "url")
    with pytest.raises(AttributeError, match="typo"):
        request.typo = 1  # type: ignore[attr-defined]
    request.url = "u"
    for copied in (copy.copy(request), copy.deepcopy(request), pickle.loads(pickle.dumps(request))):
        assert type(copied) is Request
        assert copied == original
    assert counts(breaker) == {"in flight": 1}
    assert [await request, await request] == ["answer of u"] * 2
    assert counts(breaker) == {"success": 1}


def test_unhashable_and_unordered_objects_stay_so(breaker: CircuitBreaker) -> None:
    class Unhashable(Request):
        __hash__ = None  # type: ignore[assignment]

    request: Any = breaker.call_sync(Unhashable, "u")
    with pytest.raises(TypeError, match="unhashable"):
        hash(request)
    with pytest.raises(TypeError, match="not supported"):
        assert request < Request("u")
    with pytest.raises(TypeError, match="not callable"):
        request()


class Rows:
    """Rows of a database client: can be awaited or iterated."""

    def __init__(self, fault: Exception | None = None, *, itself: bool = False) -> None:
        self._left = [1, 2]
        self._fault = fault
        self._itself = itself

    def __await__(self) -> Generator[Any, None, str]:
        return coroutine(self._fault).__await__()

    def __aiter__(self) -> AsyncIterator[int]:
        return self if self._itself else Rows(self._fault, itself=True)

    async def __anext__(self) -> int:
        await asyncio.sleep(0)
        if self._left:
            return self._left.pop(0)
        raise self._fault or StopAsyncIteration


class GeneratedRows(Rows):
    async def __aiter__(self) -> AsyncIterator[int]:
        yield 1
        yield 2
        if self._fault:
            raise self._fault


@pytest.mark.parametrize("make", [Rows, GeneratedRows, lambda fault: Rows(fault, itself=True)])
async def test_iterating_ends_the_call_with_the_last_item(breaker: CircuitBreaker, make: Make) -> None:
    items: list[int] = []
    async for item in breaker.call_sync(make, None):
        items.append(item)
        assert counts(breaker) == {"in flight": 1}
    assert items == [1, 2]
    assert counts(breaker) == {"success": 1}
    with pytest.raises(OSError, match="down"):
        async for _ in breaker.call_sync(make, OSError("down")):
            pass
    assert counts(breaker) == {"success": 1, "failure": 1}


def test_entering_an_awaitable_as_a_plain_context_manager_ends_its_call(breaker: CircuitBreaker) -> None:
    class Both(Request):
        def __enter__(self) -> str:
            if self.fault:
                raise self.fault
            return self.url

        def __exit__(self, *error: object) -> None:
            self.closed.append(None)

    with breaker.call_sync(Both, "u") as entered:
        assert entered == "u"
        assert counts(breaker) == {"success": 1}
    with pytest.raises(OSError, match="down"), breaker.call_sync(Both, "u", OSError("down")):
        pass
    assert counts(breaker) == {"success": 1, "failure": 1}


async def test_an_awaitable_whose_methods_raise_counts_as_a_failure(breaker: CircuitBreaker) -> None:
    class Broken:
        def __await__(self) -> Generator[Any, None, None]:
            raise OSError("down")

        def __aenter__(self) -> Awaitable[None]:
            raise OSError("down")

        async def __aexit__(self, *_: object) -> None: ...

    with pytest.raises(OSError, match="down"):
        await breaker.call_sync(Broken)
    with pytest.raises(OSError, match="down"):
        async with breaker.call_sync(Broken):
            pass
    assert counts(breaker) == {"failure": 2}


def test_a_proxy_class_is_freed_with_its_target_class(breaker: CircuitBreaker) -> None:
    from weakref import ref

    def made() -> Any:
        class Local(Request): ...

        breaker.call_sync(Local, "u")
        return ref(Local)

    local = made()
    gc.collect()
    assert local() is None


class Sum:
    """An awaitable that is added to in place."""

    def __init__(self) -> None:
        self.value = 0

    def __iadd__(self, value: int) -> "Sum":
        self.value += value
        return self

    def __await__(self) -> Generator[None, None, int]:
        yield from ()
        return self.value


async def test_an_awaitable_that_is_added_to_in_place_stays_guarded(breaker: CircuitBreaker) -> None:
    total = breaker(Sum)()
    total += 2
    assert breaker.metrics.in_flight == 1
    assert await total == 2
    assert counts(breaker) == {"success": 1}
