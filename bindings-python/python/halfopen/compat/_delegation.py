"""The methods of ``halfopen.CircuitBreaker`` that the replaced module did not have."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from halfopen._core import Permit
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.status import Durations, Event

if TYPE_CHECKING:
    from halfopen.compat._config import CircuitBreakerConfig
    from halfopen.compat._observer import BreakerObserver

P = ParamSpec("P")
R = TypeVar("R")


class Delegation:
    """Delegates to the native breaker.

    Composition, not inheritance: subclasses written for the replaced module may have a constructor with other arguments
    and attributes with the names of these methods.
    """

    _native: NativeBreaker
    _observer: "BreakerObserver"

    @property
    def native(self) -> NativeBreaker:
        """The ``halfopen.CircuitBreaker`` inside."""
        native: NativeBreaker = self.__dict__.get("native", self._native)
        return native

    # The replaced module had neither `native` nor `name`, so a subclass may assign them.
    @native.setter
    def native(self, own: Any) -> None:
        self.__dict__["native"] = own

    @property
    def name(self) -> str:
        """The name of the circuit, unless a subclass assigned another value."""
        name: str = self.__dict__.get("name", self._observer.config.name)
        return name

    @name.setter
    def name(self, own: Any) -> None:
        self.__dict__["name"] = own

    def call_sync(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a plain function if the circuit admits the call."""
        return self._native.call_sync(func, *args, **kwargs)

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
        """Admits every call and judges none, until the circuit is reset or forced open."""
        self._native.disable()

    def reconfigure(self, config: "CircuitBreakerConfig") -> None:
        """The same as assigning to ``config``."""
        self.config = config

    def durations(self) -> dict[Literal["success", "failure"], Durations]:
        """Durations of calls, by outcome."""
        return self._native.durations()

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

    def snapshot(self) -> str:
        """The state and the counters as a JSON document."""
        return self._native.snapshot()

    def restore(self, document: str) -> None:
        """Replaces the state with that of a snapshot and adds its counters."""
        self._native.restore(document)
        self._observer.restored(self._native.state.value)
