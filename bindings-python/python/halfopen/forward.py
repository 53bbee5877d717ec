"""Functions that take what another function takes, and hand it on.

``def guarded(*args, **kwargs)`` would do, but packing and unpacking makes a guarded call slower by a quarter or more.
So a guarding function is compiled with the very parameters of the function that it guards. That also keeps wrong
arguments what they are: a mistake of the caller, who hears of it before a call has begun.
"""

import re
from collections.abc import Callable
from functools import WRAPPER_UPDATES, lru_cache, wraps
from keyword import iskeyword
from types import CodeType, FunctionType
from typing import Any, NamedTuple

_VARARGS, _VARKEYWORDS = 4, 8
"""The flags of a function's code that takes ``*args`` and ``**kwargs``."""


def forwarding(template: str, func: Callable[..., Any], **names: Any) -> Callable[..., Any]:
    """The function ``guarded`` of a template, for ``func``; it looks like ``func``.

    In the template ``{parameters}`` stands for what ``func`` takes, ``{arguments}`` for what hands that on, ``_func``
    for ``func``, and each of ``names`` for its value.
    """
    own = _signature_of(func, template) if isinstance(func, FunctionType) else None
    guarded = _binder(template, own or _WHATEVER, tuple(names))(func, *names.values())
    if own and isinstance(func, FunctionType):
        guarded.__defaults__, guarded.__kwdefaults__ = func.__defaults__, func.__kwdefaults__
    # A copy for each, because the interpreter tunes code to the one function that it has seen it call.
    guarded.__code__ = guarded.__code__.replace()
    # What a class holds is its instances', and no attribute of the function that makes them.
    return wraps(func, updated=() if isinstance(func, type) else WRAPPER_UPDATES)(guarded)


class _Signature(NamedTuple):
    """Source text."""

    parameters: str
    arguments: str


_WHATEVER = _Signature("*args, **kwargs", "*args, **kwargs")


@lru_cache(maxsize=512)
def _binder(template: str, signature: _Signature, names: tuple[str, ...]) -> Callable[..., FunctionType]:
    """What makes the function of its free names."""
    guarded = template.format(**signature._asdict()).strip().replace("\n", "\n    ")
    source = f"def bind({', '.join(('_func', *names))}):\n    {guarded}\n    return guarded"
    namespace: dict[str, Any] = {}
    exec(compile(source, "<halfopen>", "exec"), namespace)
    bind: Callable[..., FunctionType] = namespace["bind"]
    return bind


def _signature_of(func: FunctionType, template: str) -> _Signature | None:
    by_keyword = frozenset(func.__kwdefaults__ or ())
    return _signature(func.__code__, template, len(func.__defaults__ or ()), by_keyword)


@lru_cache(maxsize=512)
def _signature(code: CodeType, template: str, defaults: int, defaults_by_keyword: frozenset[str]) -> _Signature | None:
    """That of a function, where Python's source can say it and its names meet none of the template's."""
    flags = code.co_flags
    end = code.co_argcount + code.co_kwonlyargcount
    positional, by_keyword = code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount : end]
    starred = iter(code.co_varnames[end:])
    rest = [next(starred)] if flags & _VARARGS else []
    others = [next(starred)] if flags & _VARKEYWORDS else []

    names = {*positional, *by_keyword, *rest, *others}
    taken = re.findall(r"\w+", template.format(parameters="", arguments=""))
    if names.intersection(taken) or not all(name.isidentifier() and not iskeyword(name) for name in names):
        return None

    # Where there is a default, any will do here: the values are given to the function that comes of it.
    required = code.co_argcount - defaults
    parameters = [*positional[:required], *(f"{name}=None" for name in positional[required:])]
    if code.co_posonlyargcount:
        parameters.insert(code.co_posonlyargcount, "/")
    parameters += [f"*{name}" for name in rest] or ["*"] * bool(by_keyword)
    parameters += [f"{name}=None" if name in defaults_by_keyword else name for name in by_keyword]
    parameters += [f"**{name}" for name in others]
    arguments = [
        *positional,
        *(f"*{name}" for name in rest),
        *(f"{name}={name}" for name in by_keyword),
        *(f"**{name}" for name in others),
    ]
    return _Signature(", ".join(parameters), ", ".join(arguments))
