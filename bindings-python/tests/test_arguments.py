"""Unusable functions are refused where they are passed in."""

import asyncio
import functools
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any, NamedTuple
from unittest.mock import AsyncMock, MagicMock, Mock

import pytest

from halfopen import CircuitBreaker, InvalidValueError, ManualClock, Registry


async def coroutine(*_: object) -> Any:
    raise NotImplementedError


def generator(*_: object) -> Iterator[Any]:
    yield


async def async_generator(*_: object) -> AsyncIterator[Any]:
    yield


class Awaited:
    async def __call__(self, *_: object) -> Any:
        raise NotImplementedError


class Unprintable:
    def __repr__(self) -> str:
        raise RuntimeError("no text")


class Dispatching:
    @functools.singledispatchmethod
    def method(self, value: object) -> None:
        raise NotImplementedError


NO_FUNCTIONS: dict[str, Any] = {
    "None": None, "a number": 5, "a text": "failure", "a list": [len], "an object": Unprintable(),
}  # fmt: skip
LATER: dict[str, Any] = {
    "a coroutine function": coroutine, "a generator function": generator,
    "an async generator function": async_generator,
    "a partial of one": functools.partial(functools.partial(coroutine, 1), 2), "an async __call__": Awaited(),
    "a partial of that": functools.partial(Awaited(), 1), "a bound async method": Awaited().__call__,
    "an AsyncMock": AsyncMock(), "a static method": staticmethod(coroutine),
}  # fmt: skip


@pytest.mark.parametrize("name", [*NO_FUNCTIONS, "a property without a getter", "a singledispatchmethod"])
def test_decorating_an_unguardable_object_is_refused(breaker: CircuitBreaker, name: str) -> None:
    others = {"a property without a getter": property(), "a singledispatchmethod": vars(Dispatching)["method"]}
    with pytest.raises(InvalidValueError, match="func = ") as refused:
        breaker((NO_FUNCTIONS | others)[name])
    assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", "func")


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize("name", [*NO_FUNCTIONS, "a coroutine"])
async def test_calling_a_non_callable_is_refused_and_takes_no_permit(breaker: CircuitBreaker, name: str) -> None:
    func: Any = NO_FUNCTIONS[name] if name in NO_FUNCTIONS else coroutine()
    with pytest.raises(InvalidValueError, match="func = "):
        breaker.call_sync(func)
    with pytest.raises(InvalidValueError, match="func = "):
        await breaker.call(func)
    assert breaker.metrics.total_calls == 0


@pytest.mark.parametrize("name", [*(set(NO_FUNCTIONS) - {"None"}), *LATER])
@pytest.mark.parametrize("field", ["classify", "clock"])
def test_an_unusable_clock_or_classifier_is_refused(field: str, name: str) -> None:
    function = (NO_FUNCTIONS | LATER)[name]
    makers: list[Callable[..., object]] = [CircuitBreaker, functools.partial(Registry, 10)]
    for make in makers:
        with pytest.raises(InvalidValueError) as refused:
            make(**{field: function})
        assert (refused.value.code, refused.value.field) == ("INVALID_VALUE", field)


@pytest.mark.parametrize("kind", [ValueError, ManualClock, functools.partial(ValueError)], ids=repr)
@pytest.mark.parametrize("field", ["classify", "judge", "clock", "is_content", "is_end"])
def test_a_class_is_no_function(field: str, kind: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(**{field: kind})
    assert (refused.value.field, refused.value.value) == (field, repr(kind))


@pytest.mark.parametrize("name", NO_FUNCTIONS | LATER)
def test_an_unusable_listener_is_refused(breaker: CircuitBreaker, name: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        breaker.subscribe((NO_FUNCTIONS | LATER)[name])
    assert refused.value.field == "listener"


def test_a_class_is_no_listener(breaker: CircuitBreaker) -> None:
    kind: Any = list
    with pytest.raises(InvalidValueError) as refused:
        breaker.subscribe(kind)
    assert refused.value.field == "listener"


class OfTwo:
    def __call__(self, first: object, second: object) -> Any:
        raise NotImplementedError


@pytest.mark.parametrize(
    "function", [lambda _one, _two: "failure", lambda *, key: key, OfTwo(), functools.partial(OfTwo())]
)
def test_a_function_with_other_parameters_is_refused(breaker: CircuitBreaker, function: Any) -> None:
    ways: dict[str, Callable[[], object]] = {
        "classify": lambda: CircuitBreaker(classify=function),
        "clock": lambda: CircuitBreaker(clock=function),
        "listener": lambda: breaker.subscribe(function),
    }
    for field, way in ways.items():
        with pytest.raises(InvalidValueError) as refused:
            way()
        assert refused.value.field == field


class Method:
    def of_none(self) -> float:
        return 1.0

    @classmethod
    def of_any(cls, *_: object, _default: int = 1) -> float:
        return 1.0


@functools.wraps(OfTwo.__call__)
def wrapping() -> float:
    return 1.0


CLOCKS = [Method().of_none, Method.of_any, wrapping, functools.partial(Method.of_none, Method()), time.monotonic,
          functools.partial(time.monotonic), functools.partial(lambda key: key, key=1.0)]  # fmt: skip


@pytest.mark.parametrize("clock", CLOCKS)
def test_a_function_with_fitting_parameters_is_accepted(clock: Any) -> None:
    assert CircuitBreaker(clock=clock).call_sync(int) == 0


@pytest.mark.parametrize("reading", ["text", None, float("nan"), -1.0, float("inf"), [], 1e12])
def test_a_clock_that_returns_no_time_is_refused(reading: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(clock=lambda: reading)
    assert refused.value.field == "clock"


def test_a_clock_may_raise_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_type.__name__))
    readings: Iterator[Any] = iter([OSError(), 5.0, 5.0])

    def clock() -> float:
        reading = next(readings)
        if isinstance(reading, OSError):
            raise reading
        return float(reading)

    assert CircuitBreaker(clock=clock).call_sync(lambda: "fine") == "fine"
    assert reported == ["OSError"]


@pytest.mark.parametrize("provider_id", ["", "two\nlines", "x" * 129, 5, None])
def test_a_provider_without_a_name_is_refused(provider_id: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(provider_id=provider_id)
    assert refused.value.field == "provider_id"


@pytest.mark.parametrize("config", [5, {"name": "gemini"}, object()])
def test_other_types_are_refused_as_a_configuration(config: Any) -> None:
    for take in (CircuitBreaker, CircuitBreaker().reconfigure):
        with pytest.raises(InvalidValueError) as refused:
            take(config)
        assert refused.value.field == "config"


def test_unusual_callables_are_accepted() -> None:
    class Classifier:
        def __call__(self, error: Exception) -> Any:
            return "ignored" if isinstance(error, KeyError) else "failure"

    for classify in (Classifier(), functools.partial(Classifier()), Classifier().__call__):
        breaker = CircuitBreaker(classify=classify)
        with pytest.raises(KeyError):
            breaker.call_sync(lambda: NO_FUNCTIONS["a key"])
        assert breaker.metrics.ignored_calls == 1


@pytest.mark.parametrize("double", [Mock, MagicMock])
def test_a_test_double_is_a_plain_function(clock: ManualClock, double: type[Mock]) -> None:
    classify, listener = double(return_value="failure"), double()
    breaker = CircuitBreaker("gemini", failure_threshold=1, clock=clock, classify=classify)
    breaker.subscribe(listener)
    with pytest.raises(KeyError):
        breaker.call_sync(lambda: NO_FUNCTIONS["a key"])
    classify.assert_called_once()
    listener.assert_called_once()


@pytest.mark.parametrize("inside", [5, "permit", object()])
def test_acquire_refuses_anything_but_a_permit(breaker: CircuitBreaker, inside: Any) -> None:
    with pytest.raises(InvalidValueError, match="inside = "):
        breaker.acquire(inside=inside)
    assert breaker.metrics.total_calls == 0


@pytest.mark.parametrize("seconds", ["1", None, True, -1, float("nan"), float("inf")])
def test_a_manual_clock_moves_by_finite_seconds_only(clock: ManualClock, seconds: Any) -> None:
    clock.set(7)
    for move in (clock.advance, clock.set, ManualClock):
        with pytest.raises(InvalidValueError, match="seconds = "):
            move(seconds)
    assert clock() == 7


def plain(first: object) -> object:
    return first


async def coroutine_of_one(first: object) -> object:
    return first


class Provider:
    def method(self, first: object) -> object:
        return first

    async def async_method(self, first: object) -> object:
        return first

    @classmethod
    async def async_class_method(cls, first: object) -> object:
        return first


class Made:
    def __init__(self, first: object) -> None:
        self.first = first


class MadeByNew:
    def __new__(cls, first: object) -> "MadeByNew":
        made = super().__new__(cls)
        made.first = first
        return made

    first: object


class MadeByItsClass(type):
    def __call__(cls, first: object) -> object:
        return first


class OfThatClass(metaclass=MadeByItsClass):
    pass


class Inherits(Made):
    pass


@dataclass
class Data:
    first: object


class Named(NamedTuple):
    first: object


class Called:
    def __call__(self, first: object) -> object:
        return first


class CalledLater:
    async def __call__(self, first: object) -> object:
        return first


async def with_a_name_of_ours(_call: object) -> object:
    return _call


def with_names_of_a_call(returned: object, /, *, raised: object = None) -> object:
    return returned or raised


CALLED_WRONGLY: dict[str, Callable[[], Any]] = {
    "function": lambda: plain,
    "method": lambda: Provider().method,
    "partial": lambda: functools.partial(plain),
    "partial of a method": lambda: functools.partial(Provider().method),
    "object": Called,
    "class": lambda: Made,
    "class with __new__": lambda: MadeByNew,
    "class of a class with __call__": lambda: OfThatClass,
    "class that inherits": lambda: Inherits,
    "dataclass": lambda: Data,
    "named tuple": lambda: Named,
    "partial of a class": lambda: functools.partial(Made),
    "cached function": lambda: functools.cache(plain),
    "function with names of a call": lambda: with_names_of_a_call,
    "coroutine function": lambda: coroutine_of_one,
    "coroutine function with a name of ours": lambda: with_a_name_of_ours,
    "async method": lambda: Provider().async_method,
    "async class method": lambda: Provider.async_class_method,
    "object with an async __call__": CalledLater,
    "partial of a coroutine function": lambda: functools.partial(coroutine_of_one),
    "partial of an async method": lambda: functools.partial(Provider().async_method),
    "partial of an object with an async __call__": lambda: functools.partial(CalledLater()),
}


@pytest.mark.parametrize("name", CALLED_WRONGLY)
async def test_wrong_arguments_are_no_failure(breaker: CircuitBreaker, name: str) -> None:
    function = CALLED_WRONGLY[name]()
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        await breaker.call(function)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        breaker.call_sync(function)
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        await awaited(breaker(function))
    assert breaker.state == "closed"
    assert breaker.metrics.failed_calls == 0
    assert breaker.metrics.in_flight == 0


class Empty:
    pass


class Abstract(ABC):
    @abstractmethod
    def method(self) -> None: ...


@pytest.mark.parametrize("kind", [Made, MadeByNew, Data, Named, Empty, Abstract])
def test_too_many_arguments_of_a_class_are_no_failure(breaker: CircuitBreaker, kind: Any) -> None:
    arguments = () if kind is Abstract else range(9)
    makers: tuple[Callable[..., Any], ...] = (breaker(kind), lambda *given: breaker.call_sync(kind, *given))
    for make in makers:
        with pytest.raises(TypeError):
            make(*arguments)
    metrics = breaker.metrics
    assert (metrics.failed_calls, metrics.cancelled_calls, metrics.in_flight) == (0, 2, 0)


@pytest.mark.parametrize("function", [plain, coroutine_of_one, with_names_of_a_call])
def test_wrong_arguments_to_a_decorated_function_begin_no_call(breaker: CircuitBreaker, function: Any) -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        breaker(function)()
    assert breaker.metrics.total_calls == 0


@pytest.mark.parametrize("name", [name for name in CALLED_WRONGLY if "async" in name or "coroutine" in name])
async def test_wrong_arguments_are_no_failure_with_a_deadline(name: str) -> None:
    breaker = CircuitBreaker("gemini", failure_threshold=1, call_timeout_seconds=60)
    guarded = breaker(CALLED_WRONGLY[name]())
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        await awaited(guarded)
    assert await guarded(1) == 1
    assert (breaker.metrics.failed_calls, breaker.metrics.successful_calls, breaker.metrics.in_flight) == (0, 1, 0)


async def awaited(guarded: Callable[[], Any]) -> object:
    result = guarded()
    return await result if isawaitable(result) else result


def raises_a_type_error(*_: object) -> None:
    raise TypeError


async def later() -> None:
    raise TypeError


def failed_future() -> asyncio.Future[None]:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    future.set_exception(TypeError())
    return future


class Raising:
    def __call__(self) -> None:
        raise TypeError


class RaisingInInit:
    def __init__(self) -> None:
        # The error of another class.
        Made()  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class RaisingInNew:
    def __new__(cls) -> "RaisingInNew":
        return super().__new__(cls, 1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


class RaisingLater:
    async def __call__(self) -> None:
        raise TypeError


@pytest.mark.parametrize("function", [functools.partial(later), RaisingLater(), RaisingLater().__call__])
async def test_a_type_error_inside_a_guarded_coroutine_is_a_failure(breaker: CircuitBreaker, function: Any) -> None:
    with pytest.raises(TypeError):
        await breaker(function)()
    assert breaker.metrics.failed_calls == 1


@pytest.mark.parametrize(
    "function",
    [
        raises_a_type_error,
        functools.partial(raises_a_type_error, 1),
        later,
        int,
        Raising(),
        RaisingInInit,
        RaisingInNew,
        functools.cache(raises_a_type_error),
    ],
)
async def test_a_type_error_of_the_function_itself_is_a_failure(clock: ManualClock, function: Any) -> None:
    arguments: tuple[Any, ...] = ([],) if function is int else ()
    breaker = CircuitBreaker("gemini", failure_threshold=10, clock=clock)
    with pytest.raises(TypeError):
        await breaker.call(function, *arguments)
    # A future that raises has no frame of its own in the traceback.
    with pytest.raises(TypeError):
        await breaker.call(failed_future)
    assert breaker.metrics.failed_calls == 2
    if function is not later:
        with pytest.raises(TypeError):
            breaker.call_sync(function, *arguments)
        assert breaker.metrics.failed_calls == 3
