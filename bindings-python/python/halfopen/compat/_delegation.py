"""The methods of ``halfopen.CircuitBreaker`` that the replaced module did not have."""

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, Self, TypeVar, overload

from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.types import Mode

if TYPE_CHECKING:
    from halfopen.compat._config import CircuitBreakerConfig
    from halfopen.compat._observer import BreakerObserver

P = ParamSpec("P")
R = TypeVar("R")


def run(func: Callable[..., R], /, *args: Any, **kwargs: Any) -> R:
    """Calls a function, so that wrong arguments are an exception of the call and a failure, as in the replaced module.

    The native breaker ignores them if it calls a function itself.
    """
    return func(*args, **kwargs)


class _reading(Generic[R]):  # noqa: N801 (used as a decorator, as property is)
    """A read-only property, except that a subclass may assign an attribute of that name.

    The replaced module did not have it, so a subclass may use the name.
    """

    def __init__(self, read: Callable[[Any], R]) -> None:
        self._read = read
        self.__doc__ = read.__doc__

    @overload
    def __get__(self, breaker: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, breaker: object, owner: type[Any]) -> R: ...
    def __get__(self, breaker: object, owner: type[Any]) -> Self | R:
        return self if breaker is None else self._read(breaker)


def _delegated(method: Callable[Concatenate[NativeBreaker, P], R]) -> Callable[Concatenate["Delegation", P], R]:
    """The same method of the native breaker."""

    @wraps(method)
    def delegate(breaker: "Delegation", /, *args: P.args, **kwargs: P.kwargs) -> R:
        return method(breaker._native, *args, **kwargs)

    return delegate


class Delegation:
    """Delegates to the native breaker.

    Composition, not inheritance: subclasses written for the replaced module may have a constructor with other arguments
    and attributes with the names of these methods. A test compares the members with those of the native breaker.
    """

    _native: NativeBreaker
    _observer: "BreakerObserver"

    @_reading
    def native(self) -> NativeBreaker:
        """The ``halfopen.CircuitBreaker`` inside."""
        return self._native

    @_reading
    def name(self) -> str:
        """The name of the circuit."""
        name: str = self._observer.config.name
        return name

    @_reading
    def mode(self) -> Mode:
        """How the circuit is operated: ``auto``, ``forced_open``, ``disabled`` or ``shadow``."""
        return self._native.mode

    @_reading
    def call_timeout_seconds(self) -> float | None:
        """The time after which a call of a coroutine function is cut off."""
        return self._native.call_timeout_seconds

    @_reading
    def missed_events(self) -> int:
        """How many transitions its listeners have missed because they were too slow."""
        return self._native.missed_events

    def call_sync(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a plain function if the circuit admits the call."""
        result: R = self._native.call_sync(run, func, *args, **kwargs)
        return result

    stream = _delegated(NativeBreaker.stream)
    session = _delegated(NativeBreaker.session)
    acquire = _delegated(NativeBreaker.acquire)
    __enter__ = _delegated(NativeBreaker.__enter__)
    __exit__ = _delegated(NativeBreaker.__exit__)
    __aenter__ = _delegated(NativeBreaker.__aenter__)
    __aexit__ = _delegated(NativeBreaker.__aexit__)
    disable = _delegated(NativeBreaker.disable)
    durations = _delegated(NativeBreaker.durations)
    first_item_durations = _delegated(NativeBreaker.first_item_durations)
    percentile = _delegated(NativeBreaker.percentile)
    events = _delegated(NativeBreaker.events)
    subscribe = _delegated(NativeBreaker.subscribe)
    explain = _delegated(NativeBreaker.explain)
    is_idle = _delegated(NativeBreaker.is_idle)
    snapshot = _delegated(NativeBreaker.snapshot)

    def reconfigure(self, config: "CircuitBreakerConfig") -> None:
        """The same as assigning to ``config``."""
        self.config = config

    def restore(self, document: str) -> None:
        """Replaces the state with that of a snapshot and adds its counters."""
        self._native.restore(document)
        self._observer.restored(self._native.state.value)
