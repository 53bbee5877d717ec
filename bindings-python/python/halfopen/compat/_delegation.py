"""The methods of ``halfopen.CircuitBreaker`` that the replaced module did not have."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, ParamSpec, Self, TypeVar, overload

from halfopen._core import Permit
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.session import Session
from halfopen.status import Durations, Event
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

    def call_sync(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a plain function if the circuit admits the call."""
        result: R = self._native.call_sync(run, func, *args, **kwargs)
        return result

    def stream(self, source: R) -> R:
        """Guards a stream that was opened without the breaker: an iterator, an async iterator or a context manager."""
        return self._native.stream(source)

    def session(self) -> Session:
        """A session for one ``async with`` or ``with``, for connections that last."""
        return self._native.session()

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        """Asks for permission to make one call; ``inside`` is the permit of the call that makes this one."""
        return self._native.acquire(inside=inside)

    def __enter__(self) -> Permit:
        return self._native.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._native.__exit__(kind, error, trace)

    def __aenter__(self) -> Coroutine[Any, Any, Permit]:
        return self._native.__aenter__()

    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]:
        return self._native.__aexit__(kind, error, trace)

    def disable(self) -> None:
        """Admits every call, without evaluating outcomes, until the circuit is reset or forced open."""
        self._native.disable()

    def reconfigure(self, config: "CircuitBreakerConfig") -> None:
        """The same as assigning to ``config``."""
        self.config = config

    def durations(self) -> dict[Literal["success", "failure"], Durations]:
        """Durations of calls, by outcome."""
        return self._native.durations()

    def first_item_durations(self) -> Durations:
        """The times from the call to the first item of streams, without the time of the consumer."""
        return self._native.first_item_durations()

    def percentile(self, share: float, outcome: Literal["success", "failure"] = "success") -> float | None:
        """The duration in seconds that this share of calls with that outcome did not exceed."""
        return self._native.percentile(share, outcome)

    def events(self, after: int = 0) -> list[Event]:
        """The recorded transitions with a sequence number above ``after``, oldest first."""
        return self._native.events(after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], bool]:
        """Calls ``listener`` with each further transition; returns a function that unsubscribes it."""
        return self._native.subscribe(listener)

    def explain(self) -> str:
        """Explains in one sentence why the circuit is in its state, and what would change it."""
        return self._native.explain()

    def is_idle(self) -> bool:
        """Whether replacing it with a new breaker would lose nothing."""
        return self._native.is_idle()

    def snapshot(self) -> str:
        """The state and the counters as a JSON document."""
        return self._native.snapshot()

    def restore(self, document: str) -> None:
        """Replaces the state with that of a snapshot and adds its counters."""
        self._native.restore(document)
        self._observer.restored(self._native.state.value)
