"""Checks arguments where users pass them, because a mistake would otherwise show in a later call."""

from collections.abc import Callable, Iterable
from dataclasses import fields, replace
from functools import cache, cached_property, partial, partialmethod
from inspect import (
    CO_ASYNC_GENERATOR,
    CO_COROUTINE,
    CO_GENERATOR,
    CO_ITERABLE_COROUTINE,
    CO_VARARGS,
    iscoroutinefunction,
)
from math import inf
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar, cast

from halfopen._core import CircuitBreakerConfig
from halfopen.errors import InvalidValueError
from halfopen.types import ConfigFields

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T")
D = TypeVar("D", bound="DataclassInstance")

_YIELDS = CO_GENERATOR | CO_ASYNC_GENERATOR
_RUNS_LATER = CO_COROUTINE | _YIELDS
_GUARDED = "a function or another callable, or a staticmethod, classmethod, property, cached_property or partialmethod"
_Cached = type(cache(lambda: None))


def refused(field: str, value: object, allowed: str) -> InvalidValueError:
    """The error for a value that is not allowed."""
    try:
        shown = repr(value)
    except Exception:
        shown = "an object without a repr"
    return InvalidValueError(field, shown, allowed)


def config_of(config: object, fields: ConfigFields) -> CircuitBreakerConfig:
    """The configuration for a constructor that takes a ``CircuitBreakerConfig``, or a name and fields.

    Raises ``InvalidValueError`` if both are given.
    """
    given: dict[str, Any] = {**fields}
    if config is None:
        return CircuitBreakerConfig(**given)
    if isinstance(config, CircuitBreakerConfig):
        if given:
            field, value = next(iter(given.items()))
            allowed = "a field beside a name; beside a CircuitBreakerConfig, use its model_copy(update={…})"
            raise refused(field, value, allowed)
        return config
    if not isinstance(config, str):
        raise refused("config", config, "a name or a CircuitBreakerConfig")
    if "name" in given:
        raise refused("name", given["name"], "one name, either as the first argument or by keyword")
    given["name"] = config
    return CircuitBreakerConfig(**given)


def checked_members(field: str, values: Iterable[T], kind: type[T]) -> tuple[T, ...]:
    """The values; refuses anything but objects of this class."""
    given, allowed = cast("Any", values), f"a list of {kind.__name__}"
    if not hasattr(given, "__iter__"):
        raise refused(field, given, allowed)
    members: tuple[Any, ...] = tuple(given)
    for member in members:
        if not isinstance(member, kind):
            raise refused(field, member, allowed)
    return members


def check_seconds(field: str, value: object) -> float | None:
    """The value as seconds, or ``None``; refuses what the core refuses as ``timeout_seconds``."""
    if value is None:
        return None
    checked: Any = value
    try:
        return CircuitBreakerConfig(timeout_seconds=checked).timeout_seconds
    except InvalidValueError as error:
        raise InvalidValueError(field, error.value, f"{error.allowed}, or None") from None


def check_whole_number(field: str, value: object, least: int, largest: float = inf, *, more: str = "") -> None:
    """Refuses anything but a whole number in this range; ``more`` tells what else is allowed."""
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= largest:
        return
    limits = f", at least {least}" if largest == inf else f" from {least} to {largest}"
    raise refused(field, value, f"a whole number{limits}{more}")


def with_fields(given: D, changes: dict[str, Any], without: tuple[str, ...] = ()) -> D:
    """A copy of a dataclass's object with these fields; refuses a name that is none of them or is in ``without``."""
    names = [field.name for field in fields(given) if field.name not in without]
    for name, value in changes.items():
        if name not in names:
            raise refused(name, value, f"one of: {', '.join(names)}")
    return replace(given, **changes)


def check_present(holder: object, fields: Iterable[str]) -> None:
    """Refuses ``None`` in these fields."""
    for field in fields:
        if getattr(holder, field) is None:
            raise refused(field, None, "a value: leave it out for the default")


def check_text(field: str, value: object) -> None:
    """Refuses anything but a text or ``None``."""
    if value is not None and not isinstance(value, str):
        raise refused(field, value, "a text or None")


def checked_number(field: str, value: object, end: float, allowed: str) -> float:
    """The value; refuses anything but a number of at least 0 and below ``end``."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < end:
        return value
    raise refused(field, value, allowed)


def has_refused_arguments(func: Callable[..., Any], error: BaseException) -> bool:
    """Whether the caller has just called ``func``, a function written in Python, with wrong arguments.

    Nothing of ``func`` has run then, so the traceback ends with the caller's frame.
    """
    traceback = error.__traceback__
    return type(error) is TypeError and traceback is not None and traceback.tb_next is None and is_python_function(func)


def is_python_function(func: object) -> bool:
    """Whether a call goes to functions written in Python, without code in between that could raise."""
    while isinstance(func, partial | MethodType | _Cached):
        if isinstance(func, partial):
            func = func.func
        else:
            func = func.__func__ if isinstance(func, MethodType) else func.__wrapped__
    if isinstance(func, type) and type(func).__call__ is type.__call__:
        # It calls these two, of which those of `object` do nothing but refuse arguments.
        made_by = [(getattr(func, name), getattr(object, name)) for name in ("__new__", "__init__")]
        return all(isinstance(own, FunctionType) or own is inherited for own, inherited in made_by)
    # Not the attribute of the object: Python looks up `__call__` in the class.
    return isinstance(func, FunctionType) or isinstance(getattr(type(func), "__call__", None), FunctionType)  # noqa: B004


def check_config(config: object) -> None:
    """Refuses anything but a configuration."""
    if not isinstance(config, CircuitBreakerConfig):
        raise refused("config", config, "a CircuitBreakerConfig")


def check_functions(clock: object, classify: object, judge: object) -> None:
    """Refuses a clock, a classifier or a judge that a breaker cannot call."""
    if clock is not None:
        check_function(
            "clock", clock, "a plain function without arguments that returns seconds, at least 0, or None", 0
        )
    if classify is not None:
        allowed = "a plain function from an exception to an outcome, or None"
        check_function("classify", classify, allowed, 1)
    if judge is not None:
        check_function("judge", judge, "a plain function from a result to an outcome, or None", 1)


def calls_kind(is_kind: Callable[[object], bool], function: object) -> bool:
    """Whether a callable is of this kind, for example a coroutine function. An object is of its ``__call__``'s kind."""
    if is_kind(function):
        return True
    while isinstance(function, partial):
        function = function.func
    # Not the attribute of the object: Python looks up `__call__` in the class.
    return is_kind(getattr(type(function), "__call__", None))  # noqa: B004  # the method itself is needed


def is_coroutine_function(function: object) -> bool:
    """Whether it is a coroutine function, also one that ``types.coroutine`` made of a generator function."""
    return iscoroutinefunction(function) or bool(_kind(function) & CO_ITERABLE_COROUTINE)


def check_coroutine_function(function: object, seconds: float) -> None:
    """Refuses a plain function for a breaker with a deadline, because a running thread cannot be cut off."""
    if not calls_kind(is_coroutine_function, function):
        allowed = (
            f"a coroutine function or an async generator function, since call_timeout_seconds = {seconds:g} cannot cut"
            " off a plain function. Set the timeout of the client that it uses, and guard it with a breaker without"
            " call_timeout_seconds"
        )
        raise refused("func", function, allowed)


def exception_types(field: str, value: object) -> tuple[type[BaseException], ...]:
    """The types in an argument that takes one exception type or a tuple of them.

    Raises ``InvalidValueError`` for anything else.
    """
    given: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]
    types: list[type[BaseException]] = []
    for kind in given:  # pyright: ignore[reportUnknownVariableType]
        shown: Any = kind
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise refused(field, shown, "exception types: one, or a tuple of them")
        types.append(kind)
    return tuple(types)


def refuse_plain_stream(field: str, stream: object) -> NoReturn:
    """Refuses a plain generator or stream for a breaker with timeouts of streams: a thread cannot be cut off."""
    allowed = (
        "an async generator function or an async stream, since timeouts of streams cannot cut off a plain one. Set the"
        " read timeout of the client that it uses, and guard it with a breaker without these timeouts"
    )
    raise refused(field, stream, allowed)


def check_function(
    field: str, value: object, allowed: str, arguments: int, *, may_be_async: bool = False, may_be_class: bool = False
) -> None:
    """Refuses a value that does not take this number of arguments, or that runs later.

    With ``may_be_async`` it may be a coroutine function. Without ``may_be_class`` a class is refused as well: with
    ``is_too_large=TooLarge`` every answer would be an instance, and count as true.
    """
    given = value
    if isinstance(given, staticmethod):
        given = cast("Any", given).__func__
    function = given
    while isinstance(function, partial):
        function = function.func
    runs_later = _YIELDS if may_be_async else _RUNS_LATER
    if (
        not callable(function)
        or (isinstance(function, type) and not may_be_class)
        or _kind(function) & runs_later
        or _kind(type(function).__call__) & runs_later
        or not _takes(given, arguments)
    ):
        raise refused(field, value, allowed)


def guarded_descriptor(guard: Callable[[Any], Any], func: Any) -> Any:
    """Guards the function inside a descriptor, for example a ``staticmethod``; of a property, the getter.

    ``None`` if ``func`` is a plain callable.
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
        raise refused("func", func, _GUARDED)
    return None


def _kind(function: Any) -> int:
    """The flags that tell a coroutine function, a generator function and an async generator function."""
    # Not by `inspect`, which no longer works at interpreter exit.
    while isinstance(function, MethodType | partial):
        function = function.__func__ if isinstance(function, MethodType) else function.func
    # Not by `hasattr`, because a `Mock` has every attribute.
    if "_is_coroutine_mark" in getattr(function, "__dict__", ()):
        return CO_COROUTINE
    # Functions that Cython has compiled have a code object too, and so does an `AsyncMock`.
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    return flags if isinstance(flags, int) else 0


def _takes(function: Any, arguments: int) -> bool:
    """Whether a function accepts this number of arguments; true if it is not written in Python."""
    # `inspect.signature` takes longer than the rest of a constructor, and describes the wrapped function instead of the
    # wrapper.
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
