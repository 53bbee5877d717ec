"""Finds the breaker that does the work, which a breaker of ``halfopen.compat`` has inside."""

from typing import Protocol

from halfopen._arguments import refused
from halfopen.breaker import CircuitBreaker


class HasNative(Protocol):
    """A breaker of ``halfopen.compat``."""

    @property
    def native(self) -> CircuitBreaker:
        """The breaker inside."""
        ...


AnyBreaker = CircuitBreaker | HasNative


def breaker_in(given: object) -> CircuitBreaker | None:
    """The breaker itself, or the one inside; ``None`` for anything that is not a breaker."""
    # Not `native`, which a subclass may use for something else.
    inner = given if isinstance(given, CircuitBreaker) else getattr(given, "_native", None)
    return inner if isinstance(inner, CircuitBreaker) else None


def checked_breaker(given: object, allowed: str = "a CircuitBreaker") -> CircuitBreaker:
    """The same; raises ``InvalidValueError`` for anything that is not a breaker."""
    inner = breaker_in(given)
    if inner is None:
        raise refused("breaker", given, allowed)
    return inner
