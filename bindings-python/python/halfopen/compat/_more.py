"""What the replaced module did not have: the rest of ``halfopen.CircuitBreaker``."""

from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from halfopen._core import Permit
from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.status import Durations, Event

if TYPE_CHECKING:
    from halfopen.compat._books import Books
    from halfopen.compat._config import CircuitBreakerConfig

P = ParamSpec("P")
R = TypeVar("R")


class NewWays:
    """Everything here is said in the words of ``halfopen.CircuitBreaker``, which does it."""

    _native: NativeBreaker
    _books: "Books"

    @property
    def native(self) -> NativeBreaker:
        """The breaker underneath."""
        native: NativeBreaker = self.__dict__.get("native", self._native)
        return native

    # The replaced module had neither, so a subclass may have an attribute of that name for itself.
    @native.setter
    def native(self, own: Any) -> None:
        self.__dict__["native"] = own

    @property
    def name(self) -> str:
        """The circuit's name, where a subclass has not set it."""
        name: str = self.__dict__.get("name", self._books.config.name)
        return name

    @name.setter
    def name(self, own: Any) -> None:
        self.__dict__["name"] = own

    def call_sync(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Calls a plain ``func`` if the circuit lets it."""
        return self._native.call_sync(func, *args, **kwargs)

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        """Asks for a permit to make one call; ``inside`` is the permit of the call that makes this one."""
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
        """Lets every call pass, judging none, until the circuit is reset or forced open."""
        self._native.disable()

    def reconfigure(self, config: "CircuitBreakerConfig") -> None:
        """The same as assigning to ``config``."""
        self.config = config

    def durations(self) -> dict[Literal["success", "failure"], Durations]:
        """How long the calls took, by how they ended."""
        return self._native.durations()

    def percentile(self, share: float, outcome: Literal["success", "failure"] = "success") -> float | None:
        """The duration in seconds that this share of the calls with that outcome did not exceed."""
        return self._native.percentile(share, outcome)

    def events(self, after: int = 0) -> list[Event]:
        """The last transitions with a sequence number above ``after``, oldest first."""
        return self._native.events(after)

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], bool]:
        """Calls ``listener`` with each further transition; returns what ends that."""
        return self._native.subscribe(listener)

    def explain(self) -> str:
        """Says in one sentence why the circuit is as it is and what would change it."""
        return self._native.explain()

    def snapshot(self) -> str:
        """What outlives this breaker, as a JSON document."""
        return self._native.snapshot()

    def restore(self, document: str) -> None:
        """Goes on where a snapshot was taken."""
        self._native.restore(document)
        self._books.restored(self._native.state.value)
