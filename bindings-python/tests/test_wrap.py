"""A guarded function has the parameters of its function and passes on the same arguments."""

import functools
import inspect
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, _wrap

DEFAULT = object()


def nothing() -> Any:
    return ()


def positional(a: Any, b: Any = DEFAULT) -> Any:
    return a, b


def positional_only(a: Any, /, b: Any = DEFAULT, *, c: Any) -> Any:
    return a, b, c


def only_positional_only(a: Any, b: Any = DEFAULT, /) -> Any:
    return a, b


def by_keyword(*, a: Any, b: Any = DEFAULT) -> Any:
    return a, b


def rest(a: Any, *rest: Any, b: Any = DEFAULT) -> Any:
    return a, rest, b


def everything(a: Any, /, b: Any = DEFAULT, *args: Any, c: Any, d: Any = DEFAULT, **kwargs: Any) -> Any:
    return a, b, args, c, d, kwargs


def whatever(*args: Any, **kwargs: Any) -> Any:
    return args, kwargs


def names_of_ours(self: Any, fn: Any, func: Any = DEFAULT, *, args: Any = 1, kwargs: Any = 2) -> Any:
    return self, fn, func, args, kwargs


def names_of_the_template(_func: Any, _call: Any = DEFAULT, guarded: Any = 1, BaseException: Any = 2) -> Any:  # noqa: A002, N803
    return _func, _call, guarded, BaseException


def an_old_way(arguments: Any, parameters: Any = DEFAULT) -> Any:
    return arguments, parameters


class Namespace:
    def mangled(self, __a: Any, __b: Any = DEFAULT) -> Any:
        return __a, __b


FUNCTIONS: list[Callable[..., Any]] = [
    nothing, positional, positional_only, only_positional_only, by_keyword, rest, everything, whatever, names_of_ours,
    names_of_the_template, an_old_way, functools.partial(Namespace.mangled, Namespace()),
    functools.partial(positional, 7), Namespace().mangled, functools.lru_cache(positional), lambda a, b=DEFAULT: (a, b),
]  # fmt: skip
GIVEN: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
    ((), {}), ((1,), {}), ((1, 2), {}), ((1, 2, 3), {}), ((1, 2, 3, 4, 5), {}),
    ((), {"a": 1}), ((), {"b": 2}), ((), {"a": 1, "b": 2}), ((1,), {"b": 2}), ((1,), {"a": 2}), ((1,), {"c": 2}),
    ((1, 2), {"c": 3}), ((1, 2), {"c": 3, "d": 4}), ((1, 2, 3, 4), {"c": 5, "e": 6}), ((1,), {"c": 2, "a": 3}),
    ((1, 2), {"func": 3, "args": 4, "kwargs": 5}), ((), {"self": 1, "fn": 2}), ((), {"_func": 1, "_call": 2}),
    ((), {"arguments": 1, "parameters": 2}), ((), {"_func": 1, "guarded": 2, "BaseException": 3}),
]  # fmt: skip


def outcome(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return function(*args, **kwargs)
    except TypeError as error:
        return str(error)


@pytest.mark.parametrize("function", FUNCTIONS)
async def test_it_takes_and_passes_on_the_same_arguments(function: Callable[..., Any]) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))

    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    for args, kwargs in GIVEN:
        expected = outcome(function, args, kwargs)
        assert outcome(breaker(function), args, kwargs) == expected
        if not isinstance(expected, str):
            assert await breaker(awaited)(*args, **kwargs) == expected
            assert breaker.call_sync(function, *args, **kwargs) == expected
            assert await breaker.call(function, *args, **kwargs) == expected
    assert inspect.signature(breaker(function)) == inspect.signature(function)


async def test_a_coroutine_function_takes_the_same_arguments() -> None:
    breaker = CircuitBreaker()

    async def everything(a: Any, /, b: Any = DEFAULT, *args: Any, c: Any, d: Any = DEFAULT, **kwargs: Any) -> Any:
        return a, b, args, c, d, kwargs

    guarded = breaker(everything)
    for args, kwargs in GIVEN:
        # Wrong arguments raise before anything is awaited.
        expected, given = outcome(everything, args, kwargs), outcome(guarded, args, kwargs)
        assert given == expected if isinstance(expected, str) else await given == await expected


def test_wrong_arguments_do_not_count(breaker: CircuitBreaker) -> None:
    with pytest.raises(TypeError, match=r"positional\(\) missing 1 required positional argument: 'a'"):
        breaker(positional)()  # type: ignore[call-arg]
    assert breaker.metrics.total_calls == 0


def test_defaults_are_the_same_objects(breaker: CircuitBreaker) -> None:
    def remembers(item: int, kept: list[int] = [], *, more: list[int] = []) -> list[int]:  # noqa: B006
        kept.append(item)
        more.append(item)
        return kept + more

    defaults: Any = remembers.__defaults__, remembers.__kwdefaults__
    guarded = breaker(remembers)
    guarded(1)
    assert guarded(2) == defaults[0][0] + defaults[1]["more"] == [1, 2, 1, 2]


def test_functions_of_one_shape_are_not_mixed_up(breaker: CircuitBreaker) -> None:
    def numbered(number: int) -> Callable[[str], tuple[str, int]]:
        return breaker(lambda a: (a, number))

    guarded = [numbered(number) for number in range(20)]
    assert [function("a") for function in guarded] == [("a", number) for number in range(20)]


async def test_a_call_keeps_no_reference_to_its_arguments(breaker: CircuitBreaker) -> None:
    @breaker
    def plain(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    @breaker
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        return args, kwargs

    @breaker
    def failing(*args: Any, **kwargs: Any) -> Any:
        raise LookupError(args, kwargs)

    argument = object()
    before = sys.getrefcount(argument)
    for count in range(6):
        for kwargs in ({}, {"a": argument, "b": argument}):
            plain(*[argument] * count, **kwargs)
            await awaited(*[argument] * count, **kwargs)
            with pytest.raises((LookupError, CircuitBreakerOpenError)):
                failing(*[argument] * count, **kwargs)
            breaker.reset()
    del kwargs
    assert sys.getrefcount(argument) == before


async def test_tracebacks_and_debuggers_show_the_source_of_a_wrapper(breaker: CircuitBreaker) -> None:
    @breaker
    async def ask(prompt: str, *, model: str = "flash") -> str:
        raise LookupError(prompt, model)

    with pytest.raises(LookupError) as caught:
        await ask("hello")
    frames = traceback.extract_tb(caught.value.__traceback__)
    assert "return _call.returned(await _func(prompt, model=model))" in [frame.line for frame in frames]
    wrapper: Any = ask
    assert inspect.getsource(wrapper.__code__).startswith("    async def guarded(prompt, *, model=None):")
    # `inspect` follows `__wrapped__`, so the source of the function is that of the user.
    assert "raise LookupError" in inspect.getsource(ask)


def test_wrappers_of_one_shape_share_one_source(breaker: CircuitBreaker) -> None:
    def made() -> Callable[[], None]:
        return breaker(lambda: None)

    made()
    before = len(linecache.cache)
    _wrap._binder.cache_clear()
    for _ in range(100):
        made()
    assert len(linecache.cache) == before


def test_the_sources_that_tracebacks_show_are_bounded() -> None:
    def shown() -> int:
        return sum(name.startswith("<halfopen wrapper") for name in linecache.cache)

    breaker = CircuitBreaker()
    code = only_argument.__code__
    for number in range(1000):
        function = types.FunctionType(code.replace(co_varnames=(f"argument_{number}",)), {})
        assert breaker(function)(number) == number
    assert shown() <= 512


def only_argument(argument: int) -> int:
    return argument
