"""What a host hands in, checked where it is given: a mistake would otherwise show only in some later call."""

from collections.abc import Callable
from functools import cached_property, partial, partialmethod
from inspect import CO_VARARGS, isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from types import FunctionType, MethodType
from typing import Any, cast

from halfopen._core import CircuitBreakerConfig
from halfopen.errors import InvalidValueError

_GUARDED = "a function or another callable, or a staticmethod, classmethod, property, cached_property or partialmethod"


def check_function(field: str, value: object, allowed: str, arguments: int) -> None:
    """Refuses what cannot be called with so many arguments, and what returns something to be awaited or iterated."""
    function = value
    while isinstance(function, partial):
        function = function.func
    if (
        not callable(function)
        or _runs_later(function)
        or _runs_later(type(function).__call__)
        or not _takes(value, arguments)
    ):
        raise InvalidValueError(field, _shown(value), allowed)


def check_config(config: object) -> None:
    """Refuses what is no configuration."""
    if not isinstance(config, CircuitBreakerConfig):
        raise InvalidValueError("config", _shown(config), "a CircuitBreakerConfig")


def check_functions(clock: object, classify: object) -> None:
    """Refuses what cannot be a breaker's clock or its classifier."""
    if clock is not None:
        check_function(
            "clock", clock, "a plain function without arguments that returns seconds, at least 0, or None", 0
        )
    if classify is not None:
        allowed = "a plain function from an exception to an outcome, or None"
        check_function("classify", classify, allowed, 1)


def guarded_descriptor(guard: Callable[[Any], Any], func: Any) -> Any:
    """A method that has been wrapped before it was guarded: the wrapper, around the guarded function.

    ``None`` where ``func`` is a plain callable. Of a property the reading is guarded.
    """
    kind = cast("Any", type(func))
    if isinstance(func, staticmethod | classmethod):
        return kind(guard(cast("Any", func).__func__))
    if isinstance(func, property) and func.fget is not None:
        return func.getter(guard(func.fget))
    if isinstance(func, cached_property):
        cached = kind(guard(func.func))
        cached.attrname = func.attrname
        return cached
    if isinstance(func, partialmethod):
        return kind(guard(func.func), *func.args, **func.keywords)
    if not callable(func):
        raise InvalidValueError("func", _shown(func), _GUARDED)
    return None


def _runs_later(function: Callable[..., Any]) -> bool:
    return iscoroutinefunction(function) or isasyncgenfunction(function) or isgeneratorfunction(function)


def _takes(function: Any, arguments: int) -> bool:
    """Whether it can be called with so many arguments, as far as a function written in Python tells."""
    # Not by `inspect.signature`: it takes longer than all else that a constructor does, and tells of a function that
    # wraps another what that other one takes.
    if isinstance(function, partial):
        return bool(function.keywords) or _takes(function.func, arguments + len(function.args))
    if isinstance(function, MethodType):
        return _takes(function.__func__, arguments + 1)
    if not isinstance(function, FunctionType):
        call = type(function).__call__
        return not isinstance(call, FunctionType) or _takes(call, arguments + 1)
    code = function.__code__
    required = code.co_argcount - len(function.__defaults__ or ())
    missing = code.co_kwonlyargcount - len(function.__kwdefaults__ or ())
    return (
        missing == 0 and required <= arguments and (arguments <= code.co_argcount or bool(code.co_flags & CO_VARARGS))
    )


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return "an object without a repr"
