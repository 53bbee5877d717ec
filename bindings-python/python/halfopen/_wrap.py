"""Compiles wrappers that have the same parameters as the function that they wrap.

Packing and unpacking ``*args, **kwargs`` would make a guarded call slower by a quarter or more. With equal parameters,
wrong arguments also raise the usual ``TypeError`` before a call begins. The source of each wrapper is in ``linecache``,
so tracebacks and debuggers show it, as they do for the methods that ``attrs`` generates.
"""

import linecache
import re
import zlib
from collections import deque
from collections.abc import Callable
from functools import WRAPPER_UPDATES, lru_cache, wraps
from keyword import iskeyword
from types import CodeType, FunctionType
from typing import Any, NamedTuple

_VARARGS, _VARKEYWORDS = 4, 8
"""Flags of a code object: the function takes ``*args``, ``**kwargs``."""


def wrap(
    template: str, func: Callable[..., Any], flags: int = 0, /, *, of_any_arguments: str = "", **names: Any
) -> Callable[..., Any]:
    """Compiles the function ``guarded`` of a template for ``func``, with the name, text and parameters of ``func``.

    If ``func`` is a method, a partial or another object, its parameters cannot be copied; ``of_any_arguments`` is the
    template for it, if that is another one.

    In the template ``{parameters}`` stands for the parameters of ``func``, ``{arguments}`` for the arguments that pass
    them on, ``_func`` for ``func``, and each of ``names`` for its value. ``flags`` are set in its code: by them
    ``inspect`` knows the kind of a function.
    """
    own = _signature_of(func, template) if isinstance(func, FunctionType) else None
    if own is None:
        template = of_any_arguments or template
    bound = _binder(template, own or _ANY_ARGUMENTS, tuple(names))(func, *names.values())
    # Each wrapper needs a code object of its own: the interpreter specializes code to the function that it calls.
    code = bound.__code__.replace(co_flags=bound.__code__.co_flags | flags)
    guarded = FunctionType(code, bound.__globals__, bound.__name__, bound.__defaults__, bound.__closure__)
    if own and isinstance(func, FunctionType):
        guarded.__defaults__, guarded.__kwdefaults__ = func.__defaults__, func.__kwdefaults__
    # The attributes of a class belong to its instances, so they are not copied to the wrapper.
    return wraps(func, updated=() if isinstance(func, type) else WRAPPER_UPDATES)(guarded)


class _Signature(NamedTuple):
    """Source text of parameters, and of the arguments that pass them on."""

    parameters: str
    arguments: str


_ANY_ARGUMENTS = _Signature("*args, **kwargs", "*args, **kwargs")


@lru_cache(maxsize=512)
def _binder(template: str, signature: _Signature, names: tuple[str, ...]) -> Callable[..., FunctionType]:
    """A function that takes the values of the template's free names and returns the wrapper."""
    guarded = template.format(**signature._asdict()).strip().replace("\n", "\n    ")
    source = f"def bind({', '.join(('_func', *names))}):\n    {guarded}\n    return guarded\n"
    # One source has one file name, so repeated compilation does not grow `linecache`.
    file = f"<halfopen wrapper {zlib.crc32(source.encode()):08x} ({signature.parameters})>"
    _show(file, source)
    namespace: dict[str, Any] = {}
    exec(compile(source, file, "exec"), namespace)
    bind: Callable[..., FunctionType] = namespace["bind"]
    return bind


_SOURCES_SHOWN = 512
_shown: deque[str] = deque()


def _show(file: str, source: str) -> None:
    """Lets tracebacks show the source. Functions may be made at run time without end, so the oldest one gives way."""
    _shown.append(file)
    if len(_shown) > _SOURCES_SHOWN:
        linecache.cache.pop(_shown.popleft(), None)
    linecache.cache[file] = len(source), None, source.splitlines(keepends=True), file


def _signature_of(func: FunctionType, template: str) -> _Signature | None:
    by_keyword = frozenset(func.__kwdefaults__ or ())
    return _signature(func.__code__, template, len(func.__defaults__ or ()), by_keyword)


@lru_cache(maxsize=512)
def _signature(code: CodeType, template: str, defaults: int, defaults_by_keyword: frozenset[str]) -> _Signature | None:
    """The signature of a function; ``None`` if a name is not an identifier or is also a variable of the template."""
    flags = code.co_flags
    end = code.co_argcount + code.co_kwonlyargcount
    positional, by_keyword = code.co_varnames[: code.co_argcount], code.co_varnames[code.co_argcount : end]
    starred = iter(code.co_varnames[end:])
    rest = [next(starred)] if flags & _VARARGS else []
    others = [next(starred)] if flags & _VARKEYWORDS else []

    names = {*positional, *by_keyword, *rest, *others}
    taken = re.findall(r"(?<![.\w])\w+", template.format(parameters="", arguments=""))
    if names.intersection(taken) or not all(name.isidentifier() and not iskeyword(name) for name in names):
        return None

    # `None` marks a default here. `wrap` copies the real values to the compiled function.
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
