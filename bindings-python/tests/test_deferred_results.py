"""What a guarded plain function returns to be awaited later can do all that it could, and its end is judged once."""

import asyncio
import concurrent.futures
import copy
import gc
import inspect
import pickle
import types
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))


def counts(breaker: CircuitBreaker) -> dict[str, int]:
    """What has been counted, without what is zero."""
    read = breaker.metrics
    numbers = {
        "success": read.successful_calls,
        "failure": read.failed_calls,
        "cancelled": read.cancelled_calls,
        "in flight": read.in_flight,
    }
    return {name: number for name, number in numbers.items() if number}


class Request:
    """As HTTP clients make them: it can be awaited and entered, and has attributes, items and an order."""

    __slots__ = ("__weakref__", "closed", "entered", "fault", "url")

    def __init__(self, url: str, fault: Exception | None = None) -> None:
        self.url = url
        self.fault = fault
        self.closed: list[type[BaseException] | None] = []

    async def _response(self) -> str:
        await asyncio.sleep(0)
        if self.fault:
            raise self.fault
        return f"answer of {self.url}"

    def __await__(self) -> Generator[Any, None, str]:
        return self._response().__await__()

    async def __aenter__(self) -> str:
        return await self._response()

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.closed.append(kind)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Request) and self.url == other.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __len__(self) -> int:
        return len(self.url)

    def __getitem__(self, place: int) -> str:
        return self.url[place]

    def __add__(self, path: str) -> "Request":
        return Request(self.url + path)

    def __repr__(self) -> str:
        return f"Request({self.url!r})"

    def shout(self) -> str:
        return self.url.upper()


class Legacy(Coroutine[Any, Any, str]):
    """As aiohttp's: a coroutine by its methods, around one by its class."""

    def __init__(self, fault: Exception | None = None) -> None:
        self._coroutine = coroutine(fault)

    def __await__(self) -> Generator[Any, Any, str]:
        return self._coroutine.__await__()

    def send(self, value: Any) -> Any:
        return self._coroutine.send(value)

    def throw(self, *error: Any) -> Any:
        return self._coroutine.throw(*error)

    def close(self) -> None:
        self._coroutine.close()


async def coroutine(fault: Exception | None = None) -> str:
    await asyncio.sleep(0)
    if fault:
        raise fault
    return "answer"


@types.coroutine
def _generator_based(fault: Exception | None = None) -> Generator[Any, Any, str]:
    yield
    if fault:
        raise fault
    return "answer"


generator_based: Any = _generator_based


def future(fault: Exception | None = None) -> "asyncio.Future[str]":
    made: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def end() -> None:
        if made.cancelled():
            return
        if fault:
            made.set_exception(fault)
        else:
            made.set_result("answer")

    asyncio.get_running_loop().call_soon(end)
    return made


def done_future(fault: Exception | None = None) -> "asyncio.Future[str]":
    made: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if fault:
        made.set_exception(fault)
    else:
        made.set_result("answer")
    return made


Make = Callable[[Exception | None], Any]
AWAITABLES: dict[str, Make] = {
    "coroutine": coroutine,
    "generator-based coroutine": generator_based,
    "coroutine by its methods": Legacy,
    "custom": lambda fault: Request("u", fault),
    "task": lambda fault: asyncio.ensure_future(coroutine(fault)),
    "future": future,
    "future that is done": done_future,
    "gathered future": lambda fault: asyncio.gather(coroutine(), coroutine(fault)),
    "future of a thread": lambda fault: asyncio.wrap_future(finished(fault)),
}


def finished(fault: Exception | None = None) -> "concurrent.futures.Future[str]":
    made: concurrent.futures.Future[str] = concurrent.futures.Future()
    if fault:
        made.set_exception(fault)
    else:
        made.set_result("answer")
    return made


async def awaited(thing: Any) -> Any:
    return await thing


USES: dict[str, Callable[[Any], Coroutine[Any, Any, Any]]] = {
    "awaited": awaited,
    "ensure_future": lambda thing: awaited(asyncio.ensure_future(thing)),
    "gather": lambda thing: awaited(asyncio.gather(thing)),
    "shield": lambda thing: awaited(asyncio.shield(thing)),
    "wait_for": lambda thing: asyncio.wait_for(thing, 5),
    "as_completed": lambda thing: awaited(next(iter(asyncio.as_completed([thing])))),
}


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
    async def told(thing: Any) -> list[object]:
        answers: list[object] = [inspect.isawaitable(thing), inspect.iscoroutine(thing), asyncio.iscoroutine(thing)]
        answers += [asyncio.isfuture(thing), isinstance(thing, asyncio.Task)]
        # The one thing more: what stands in for a coroutine written as a generator has an `__await__`.
        answers += [isinstance(thing, kind | types.GeneratorType) for kind in (Awaitable, Coroutine)]
        answers += [isinstance(thing, AbstractAsyncContextManager), thing.__class__]
        answers += [sorted(dir(thing)), bool(thing)]
        for _ in range(2):
            try:
                answers.append(await thing)
            except RuntimeError as error:
                answers.append(str(error))
        return answers

    make = AWAITABLES[name]
    assert await told(breaker.call_sync(make, None)) == await told(make(None))
    assert counts(breaker) == {"success": 1}


@pytest.mark.parametrize("name", ["task", "future", "gathered future", "future of a thread"])
async def test_a_future_is_returned_itself_and_can_be_cancelled(breaker: CircuitBreaker, name: str) -> None:
    made = AWAITABLES[name](None)
    told: list[object] = []
    returned = breaker.call_sync(lambda: made)
    assert returned is made
    assert counts(breaker) == {"in flight": 1}
    returned.add_done_callback(told.append)
    returned.cancel()
    done, pending = await asyncio.wait([returned])
    assert (done, pending, told) == ({made}, set(), [made])
    with pytest.raises(asyncio.CancelledError):
        await returned
    assert counts(breaker) == {"cancelled": 1}


async def test_asyncio_still_reports_an_error_that_is_never_retrieved(breaker: CircuitBreaker) -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    task = breaker.call_sync(lambda: asyncio.ensure_future(coroutine(OSError("down"))))
    await asyncio.wait([task])
    assert counts(breaker) == {"failure": 1}
    del task
    gc.collect()
    assert [context["message"] for context in told] == ["Task exception was never retrieved"]


async def test_a_task_that_outlives_its_caller_is_judged_at_its_end(breaker: CircuitBreaker) -> None:
    may_end = asyncio.Event()
    task = breaker.call_sync(lambda: asyncio.ensure_future(may_end.wait()))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(task), 0.001)
    assert counts(breaker) == {"in flight": 1}
    may_end.set()
    await task
    assert counts(breaker) == {"success": 1}


@pytest.mark.parametrize(
    "fault", [None, OSError("down"), concurrent.futures.CancelledError()], ids=["success", "failure", "cancelled"]
)
def test_a_future_of_a_thread_pool_is_returned_itself_and_judged_when_done(
    breaker: CircuitBreaker, fault: Exception | None
) -> None:
    made: concurrent.futures.Future[str] = concurrent.futures.Future()
    assert breaker(lambda: made)() is made
    assert asyncio.run(breaker.call(lambda: made)) is made
    assert counts(breaker) == {"in flight": 2}
    if isinstance(fault, concurrent.futures.CancelledError):
        made.cancel()
        assert counts(breaker) == {"cancelled": 2}
    elif fault:
        made.set_exception(fault)
        assert counts(breaker) == {"failure": 2}
    else:
        made.set_result("answer")
        assert counts(breaker) == {"success": 2}


def test_a_guarded_function_runs_in_a_thread_pool(breaker: CircuitBreaker) -> None:
    def divide(number: int) -> float:
        return 1 / number

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        submit: Callable[[int], concurrent.futures.Future[float]] = breaker(lambda number: pool.submit(divide, number))
        running = [submit(number) for number in (1, 0, 2)]
    assert [future.exception() is None for future in running] == [True, False, True]
    assert counts(breaker) == {"success": 2, "failure": 1}


@pytest.mark.parametrize("of", ["a thread", "a loop"])
def test_a_future_that_is_never_done_returns_its_permit(breaker: CircuitBreaker, of: str) -> None:
    loop = asyncio.new_event_loop()
    make: Callable[[], object] = concurrent.futures.Future if of == "a thread" else loop.create_future
    returned = breaker.call_sync(make)
    loop.close()
    assert counts(breaker) == {"in flight": 1}
    del returned
    gc.collect()
    assert counts(breaker) == {"cancelled": 1}


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


async def test_a_coroutine_can_be_driven_by_hand(breaker: CircuitBreaker) -> None:
    @types.coroutine
    def _echo() -> Generator[str, str, str]:
        said = yield "ready"
        try:
            said = yield said.upper()
        except ValueError:
            said = yield "caught"
        return said

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
    """As database clients give them: awaited, or iterated at once."""

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


async def test_a_context_manager_that_cannot_be_awaited_is_a_plain_value(breaker: CircuitBreaker) -> None:
    @contextmanager
    def managed() -> Generator[int, None, None]:
        yield 1

    for made in (nullcontext(1), managed()):
        assert breaker.call_sync(iter([made]).__next__) is made
    assert counts(breaker) == {"success": 2}


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


async def test_the_error_of_a_task_counts_once_in_the_layers_that_await_it(breaker: CircuitBreaker) -> None:
    fetch: Callable[[], asyncio.Future[str]]
    fetch = breaker(lambda: asyncio.ensure_future(coroutine(OSError("down"))))

    @breaker
    async def layer() -> str:
        return await fetch()

    outermost = breaker(layer)
    with pytest.raises(OSError, match="down"):
        await outermost()
    assert counts(breaker) == {"failure": 1}
    with pytest.raises(OSError, match="down"):
        await outermost()
    assert counts(breaker) == {"failure": 2}


def test_the_error_of_a_thread_counts_once_in_the_layers_that_wait_for_it(breaker: CircuitBreaker) -> None:
    def fail() -> None:
        raise OSError("down")

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        submit: Callable[[], concurrent.futures.Future[None]] = breaker(lambda: pool.submit(fail))
        layer: Callable[[], None] = breaker(lambda: submit().result())
        with pytest.raises(OSError, match="down"):
            layer()
    assert counts(breaker) == {"failure": 1}


async def test_a_future_shared_by_several_calls_fails_each(breaker: CircuitBreaker) -> None:
    shared = asyncio.ensure_future(coroutine(OSError("down")))
    fetch: Callable[[], asyncio.Future[str]] = breaker(lambda: shared)
    answers = await asyncio.gather(fetch(), fetch(), return_exceptions=True)
    assert [type(answer) for answer in answers] == [OSError, OSError]
    assert counts(breaker) == {"failure": 2}
