"""What a host hands in, checked where it is given: a mistake would otherwise show only in some later call."""

from collections.abc import Callable
from functools import cached_property, partial, partialmethod
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import Any, cast

from halfopen._core import CircuitBreakerConfig
from halfopen.errors import InvalidValueError

_GUARDED = "a function or another callable, or a staticmethod, classmethod, property, cached_property or partialmethod"


def check_function(field: str, value: object, allowed: str) -> None:
    """Refuses what cannot be called, and what returns something that nobody would await or iterate."""
    function = value
    while isinstance(function, partial):
        function = function.func
    if not callable(function) or _runs_later(function) or _runs_later(type(function).__call__):
        raise InvalidValueError(field, _shown(value), allowed)


def check_config(config: object) -> None:
    """Refuses what is no configuration."""
    if not isinstance(config, CircuitBreakerConfig):
        raise InvalidValueError("config", _shown(config), "a CircuitBreakerConfig")


def check_functions(clock: object, classify: object) -> None:
    """Refuses what cannot be a breaker's clock or its classifier."""
    if clock is not None:
        check_function("clock", clock, "a plain function that returns seconds, at least 0, or None")
    if classify is not None:
        check_function("classify", classify, "a plain function from an exception to an outcome, or None")


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


def _shown(value: object) -> str:
    try:
        return repr(value)
    except Exception:
        return "an object without a repr"
