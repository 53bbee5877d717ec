"""Objects that stand in for another one and can do all that it can.

Python looks special methods up in the class, so each class of originals has a class of stand-ins of its own, with
exactly the special methods that the original has; ``asyncio`` and ``abc`` also remember their answers by class.
"""

from collections.abc import Callable, Mapping
from typing import Any

from halfopen._core import Call

_NOT_FORWARDED = frozenset(
    f"__{name}__"
    for name in (
        *("annotate", "annotate_func", "class", "class_getitem", "del", "delattr", "dict", "doc", "getattr"),
        *("getattribute", "init", "init_subclass", "module", "new", "qualname", "setattr", "slots"),
        *("subclasshook", "weakref"),
    )
)


class StandIn:
    """Stands in for an object: attributes and special methods are those of the original, and so is the class."""

    __slots__ = ("__weakref__", "_halfopen_call", "_halfopen_original")

    _halfopen_call: Call
    _halfopen_original: Any

    def __init__(self, call: Call, original: Any) -> None:
        object.__setattr__(self, "_halfopen_call", call)
        object.__setattr__(self, "_halfopen_original", original)

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._halfopen_original.__class__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._halfopen_original, name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._halfopen_original, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._halfopen_original, name)


def stand_in_class(original: type, methods: Mapping[str, Callable[..., Any]]) -> type[StandIn]:
    """The class that stands in for a class, with ``methods`` in place of its own of those names."""
    members: dict[str, Any] = {"__slots__": (), "__module__": original.__module__, "__doc__": original.__doc__}
    for ancestor in original.__mro__:
        for name, value in vars(ancestor).items():
            if name.startswith("__") and name.endswith("__") and name not in members and name not in _NOT_FORWARDED:
                if value is None:
                    members[name] = None
                elif callable(value) or isinstance(value, (staticmethod, classmethod)):
                    members[name] = _forward(name)
    members.update(methods)
    return type(original.__name__, (StandIn,), members)


def class_of(original: object) -> Any:
    """Where Python looks special methods up, whatever the object says of its class."""
    return type(original)


def _forward(name: str) -> Callable[..., Any]:
    def forward(self: StandIn, *args: Any, **kwargs: Any) -> Any:
        original = self._halfopen_original
        # Called on the class, as Python does: an operator then may still say `NotImplemented`.
        return getattr(class_of(original), name)(original, *map(_original_of, args), **kwargs)

    return forward


def _original_of(argument: Any) -> Any:
    return argument._halfopen_original if issubclass(type(argument), StandIn) else argument
