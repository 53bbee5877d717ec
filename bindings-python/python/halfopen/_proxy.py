"""Proxies with all attributes and special methods of their target.

Python looks up special methods in the class, so each class of targets gets a proxy class with the same special methods.
``asyncio`` and ``abc`` also cache answers by class.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

_NOT_FORWARDED = frozenset(
    f"__{name}__"
    for name in (
        *("annotate", "annotate_func", "class", "class_getitem", "del", "delattr", "dict", "doc", "getattr"),
        *("getattribute", "init", "init_subclass", "module", "new", "qualname", "setattr", "slots"),
        *("subclasshook", "weakref"),
    )
)


_IN_PLACE = frozenset(
    f"__i{operator}__"
    for operator in (
        *("add", "and", "concat", "floordiv", "lshift", "matmul", "mod", "mul", "or", "pow", "rshift", "sub"),
        *("truediv", "xor"),
    )
)


class Proxy:
    """A proxy: attributes, special methods and ``__class__`` are those of the target."""

    __slots__: tuple[str, ...] = ()

    _halfopen_call: Any
    _halfopen_target: Any

    def __init__(self, call: Any, target: Any) -> None:
        object.__setattr__(self, "_halfopen_call", call)
        object.__setattr__(self, "_halfopen_target", target)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._halfopen_target.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._halfopen_target, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._halfopen_target, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._halfopen_target, name)


SLOTS = ("__weakref__", "_halfopen_call", "_halfopen_target")


class PlainProxy(Proxy):
    """A proxy whose class has no other base."""

    __slots__ = SLOTS


def proxy_class(target: type, methods: Mapping[str, Callable[..., Any]], base: type[Proxy] = PlainProxy) -> type[Proxy]:
    """A proxy class for a class of targets, in which ``methods`` replace those of the target."""
    members: dict[str, Any] = {"__slots__": (), "__module__": target.__module__, "__doc__": target.__doc__}
    for ancestor in target.__mro__:
        for name, value in vars(ancestor).items():
            if name.startswith("__") and name.endswith("__") and name not in members and name not in _NOT_FORWARDED:
                if value is None:
                    members[name] = None
                elif callable(value) or isinstance(value, (staticmethod, classmethod)):
                    members[name] = _forward(name)
    members.update(methods)
    return type(target.__name__, (base,), members)


def class_of(target: object) -> Any:
    """The class in which Python looks up special methods, even if ``__class__`` says otherwise."""
    return type(target)


def own_attribute(target: object, name: str) -> Any:
    """The attribute that an object itself holds, found without code of its class; ``None`` if it has none.

    It is not read from the object's ``__dict__``: once that exists, CPython 3.11 and 3.12 find all attributes through
    it, and each item of a stream takes 80 ns more.
    """
    while issubclass(class_of(target), Proxy):
        target = cast("Proxy", target)._halfopen_target
    if hasattr(class_of(target), name):
        return getattr(target, "__dict__", {}).get(name)
    try:
        return object.__getattribute__(target, name)
    except AttributeError:
        return None


def _forward(name: str) -> Callable[..., Any]:
    def forward(self: Proxy, *args: Any, **kwargs: Any) -> Any:
        target = self._halfopen_target
        # Called on the class, as Python does: an operator then may still say `NotImplemented`.
        return getattr(class_of(target), name)(target, *map(_original_of, args), **kwargs)

    def forward_in_place(self: Proxy, other: Any) -> Any:
        result = forward(self, other)
        # As in `x += 1`: Python assigns the result to `x`, which must stay the proxy.
        return self if result is self._halfopen_target else result

    return forward_in_place if name in _IN_PLACE else forward


def _original_of(argument: Any) -> Any:
    return argument._halfopen_target if issubclass(type(argument), Proxy) else argument
