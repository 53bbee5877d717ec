"""Functions that take what another function takes, and hand it on.

``def guarded(*args, **kwargs)`` would do, but to pack and unpack what it is given takes a third of the time of a guarded
call. So a guarding function is compiled with the very parameters of the function that it guards. That also keeps wrong
arguments what they are, a mistake of the caller, who hears of it before a call has begun.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, wraps
from keyword import iskeyword
from types import CodeType, FunctionType
from typing import Any

_VARARGS, _VARKEYWORDS = 4, 8
_WHATEVER = "*args, **kwargs"


def forwarding(template: str, func: Callable[..., Any], **names: Any) -> Callable[..., Any]:
    """The function ``guarded`` of a template, for ``func``; it looks like ``func``.

    In the template ``{parameters}`` stands for what ``func`` takes, ``{arguments}`` for what hands that on, ``_func`` for
    ``func``, and each of ``names`` for its value. Every name of its own begins with an underscore.
    """
    parameters = arguments = _WHATEVER
    own_signature = isinstance(func, FunctionType) and _can_be_repeated(func.__code__, template)
    if own_signature:
        parameters, arguments = ", ".join(_parameters(func)), ", ".join(_arguments(func.__code__))
    guarded = _binder(template, parameters, arguments, tuple(names))(func, *names.values())
    if own_signature:
        guarded.__defaults__, guarded.__kwdefaults__ = func.__defaults__, func.__kwdefaults__
    # A copy for each, because the interpreter tunes code to the one function that it has seen it call.
    guarded.__code__ = guarded.__code__.replace()
    return wraps(func)(guarded)


@lru_cache(maxsize=512)
def _binder(template: str, parameters: str, arguments: str, names: tuple[str, ...]) -> Callable[..., FunctionType]:
    guarded = template.format(parameters=parameters, arguments=arguments).strip().replace("\n", "\n    ")
    source = f"def bind({', '.join(('_func', *names))}):\n    {guarded}\n    return guarded"
    namespace: dict[str, Any] = {}
    exec(compile(source, "<halfopen>", "exec"), namespace)
    bind: Callable[..., FunctionType] = namespace["bind"]
    return bind


def _can_be_repeated(code: CodeType, template: str) -> bool:
    """Whether a function in Python's source may have these parameters, and they meet no name of the template."""
    names, taken = set(_names(code)), set(re.findall(r"\b_\w+", template))
    return names.isdisjoint(taken) and all(name.isidentifier() and not iskeyword(name) for name in names)


def _names(code: CodeType) -> tuple[str, ...]:
    """The positional ones, those by keyword alone, then the starred ones."""
    starred = bool(code.co_flags & _VARARGS) + bool(code.co_flags & _VARKEYWORDS)
    return code.co_varnames[: code.co_argcount + code.co_kwonlyargcount + starred]


def _parameters(func: FunctionType) -> Iterator[str]:
    # What a default is, the function itself says afterwards.
    code, names = func.__code__, iter(_names(func.__code__))
    first_default = code.co_argcount - len(func.__defaults__ or ())
    for position in range(code.co_argcount):
        yield next(names) + ("=None" if position >= first_default else "")
        if position + 1 == code.co_posonlyargcount:
            yield "/"
    by_keyword = [next(names) for _ in range(code.co_kwonlyargcount)]
    if code.co_flags & _VARARGS:
        yield f"*{next(names)}"
    elif by_keyword:
        yield "*"
    yield from (name + ("=None" if name in (func.__kwdefaults__ or {}) else "") for name in by_keyword)
    if code.co_flags & _VARKEYWORDS:
        yield f"**{next(names)}"


def _arguments(code: CodeType) -> Iterator[str]:
    names = iter(_names(code))
    yield from (next(names) for _ in range(code.co_argcount))
    by_keyword = [next(names) for _ in range(code.co_kwonlyargcount)]
    if code.co_flags & _VARARGS:
        yield f"*{next(names)}"
    yield from (f"{name}={name}" for name in by_keyword)
    if code.co_flags & _VARKEYWORDS:
        yield f"**{next(names)}"
