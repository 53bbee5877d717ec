"""The child of a fork: breakers, pools, counts and locks begin anew there."""

import os
from collections.abc import Callable
from threading import RLock
from typing import Protocol, TypeVar
from weakref import WeakSet

from halfopen._core import after_fork


class Renewable(Protocol):
    """An object that cannot be used in the child of a fork as the parent left it."""

    def after_fork(self) -> None:
        """Called in the child."""


R = TypeVar("R", bound=Renewable)
_renewables: WeakSet[Renewable] = WeakSet()


def renewed_in_child(renewable: R) -> R:
    """Returns the object, whose ``after_fork`` is called in each child."""
    _renewables.add(renewable)
    return renewable


class Lock:
    """A lock that is free in the child of a fork, where the thread that held it does not exist."""

    # Re-entrant, because an allocation may start garbage collection, which may run any code in this thread.

    def __init__(self) -> None:
        self.current = RLock()
        renewed_in_child(self)

    def after_fork(self) -> None:
        """Replaces the lock. A ``with`` that has begun still holds the old one."""
        self.current = RLock()


def at_fork(**steps: Callable[[], None]) -> None:
    """Registers steps around forks as ``os.register_at_fork`` does, where the platform has forks."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(**steps)


def _after_fork() -> None:
    after_fork()
    for renewable in _renewables:
        renewable.after_fork()


at_fork(after_in_child=_after_fork)
