"""Refuses assignments that would have no effect, with an error that says what to call."""

from collections.abc import Callable, Mapping
from dataclasses import FrozenInstanceError
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

C = TypeVar("C", bound=type[Any])


class Sealed:
    """The base of classes whose settings are not changed by assignment.

    Their own instances have no further attributes. Those of a subclass may have any. If an attribute has the name of a
    setting, the subclass must declare it.
    """

    __slots__ = ()

    _instead: ClassVar[Mapping[str, str]] = {}
    """Advice for an assignment to a setting, by its name."""
    _no_attribute: ClassVar[str] = "its settings are arguments of its constructor"
    """Advice for an assignment to an attribute that does not exist."""

    # Type checkers do not see this, because they would accept any attribute then.
    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: object) -> None:
            if not name.startswith("_"):
                self._check_assignment(name)
            super().__setattr__(name, value)

    def _check_assignment(self, name: str) -> None:
        kind = type(self)
        if name in self._instead and not any(_declares(it, name) for it in kind.__mro__ if not _is_ours(it)):
            raise AttributeError(f"{name} cannot be assigned: {self._instead[name]}", name=name, obj=self)
        if _is_ours(kind) and not hasattr(kind, name):
            text = f"{kind.__name__} has no {name!r} to assign: {self._no_attribute}"
            raise AttributeError(text, name=name, obj=self)


def made_once(kind: str, *arguments: str) -> dict[str, str]:
    """Advice for assignments to the arguments of a constructor."""
    return {argument: f"make another {kind}, with another {argument}" for argument in arguments}


def frozen_because(advice: str) -> Callable[[C], C]:
    """For a frozen dataclass: an assignment to a field raises an error that ends with this advice.

    In the advice, ``{name}`` stands for the name of the field.
    """

    def decorate(kind: C) -> C:
        decorated: Any = kind
        inherited = decorated.__setattr__

        def refuse(self: object, name: str, value: object) -> None:
            if name in decorated.__dataclass_fields__:
                raise FrozenInstanceError(f"{name} cannot be assigned: {advice.format(name=name)}")
            inherited(self, name, value)

        decorated.__setattr__ = refuse
        return kind

    return decorate


def _is_ours(kind: type[Any]) -> bool:
    return kind.__module__.partition(".")[0] == "halfopen"


def _declares(kind: type[Any], name: str) -> bool:
    return name in vars(kind) or name in getattr(kind, "__annotations__", ())


class SetByInit:
    """Placeholder for attributes that a breaker's ``__init__`` sets; raises ``InvalidValueError`` until then."""

    def __get__(self, breaker: Any, owner: type[Any]) -> "SetByInit":
        if breaker is not None:
            breaker._check_initialised()
        return self
