"""The compiled core. Import from ``halfopen``; only ``halfopen`` itself imports from here."""

from collections.abc import Callable, Coroutine, Iterator
from dataclasses import Field
from inspect import Signature
from types import TracebackType
from typing import Any, ClassVar, Generic, Literal, Never, ParamSpec, Self, TypeVar, final

from typing_extensions import disjoint_base

from halfopen.vocabulary import Observer, Outcome, RawCounts, RawEvent, RawStatus, State, Window

__all__ = [
    "BUCKET_BOUNDS",
    "Awaiting",
    "Breaker",
    "Call",
    "CircuitBreakerConfig",
    "Evidence",
    "GuardedFunction",
    "Names",
    "Permit",
    "Stream",
    "after_fork",
    "config_json_schema",
    "is_awaitable",
    "keep_ended_metrics",
    "load_imports",
    "read_metrics",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_B = TypeVar("_B")

@final
class CircuitBreakerConfig:
    """A checked configuration of a circuit breaker; its fields are attributes. It never changes.

    Raises ``InvalidValueError``, naming the field, for a value that is not allowed or a field that does not exist.
    """

    name: str
    """Identifies the circuit: 1 to 128 printable characters."""
    failure_threshold: int | None
    """Consecutive failures that open it: 1 to 65535."""
    success_threshold: int
    """Consecutive probe successes that close it: 1 to 255."""
    timeout_seconds: float
    """The wait in ``open`` before the first probe: above 0, at most one year."""
    half_open_max_calls: int
    """Probes in flight at once: 1 to 255."""
    failure_rate_threshold: float | None
    """Failures / calls in the window that open it: above 0, at most 1."""
    slow_call_seconds: float | None
    """A call that takes this long or longer is slow."""
    slow_call_rate_threshold: float | None
    """Slow calls / calls in the window that open it: above 0, at most 1; needs ``slow_call_seconds``."""
    window: Window
    """What the rates look at: ``{"calls": 1..10000}`` or ``{"seconds": 1..3600}``."""
    minimum_calls: int
    """Below this many calls in the window no rate is judged."""
    timeout_multiplier: float
    """Each further opening in a row waits this many times longer: 1 to 10."""
    max_timeout_seconds: float | None
    """The longest wait that the multiplier, the jitter or a hint can make; ``None``: an hour at least."""
    timeout_jitter: float
    """The wait is spread over ± this share of itself: 0 to 1."""
    probe_timeout_seconds: float | None
    """After this long without a settled probe, slots that are all taken are taken back.

    ``None`` stands for ``timeout_seconds``.
    """

    cancel_failure_after_seconds: float | None
    """A call cancelled after running this long counts as a failure."""
    shadow: bool
    """Decide and count, but reject nothing."""
    record_durations: bool
    """Whether durations go to the histogram and the time of the last success is kept."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __signature__: ClassVar[Signature]

    def __new__(
        cls,
        *,
        name: str = "default",
        failure_threshold: int | None = 5,
        success_threshold: int = 2,
        timeout_seconds: float = 60.0,
        half_open_max_calls: int = 3,
        failure_rate_threshold: float | None = None,
        slow_call_seconds: float | None = None,
        slow_call_rate_threshold: float | None = None,
        window: Window = ...,
        minimum_calls: int = 10,
        timeout_multiplier: float = 1.0,
        max_timeout_seconds: float | None = None,
        timeout_jitter: float = 0.0,
        probe_timeout_seconds: float | None = None,
        cancel_failure_after_seconds: float | None = None,
        shadow: bool = False,
        record_durations: bool = True,
    ) -> Self: ...
    def model_dump(self, *, mode: str = "python") -> dict[str, Any]:
        """All fields with their values, which are the same in each of pydantic's modes."""

    def model_dump_json(self) -> str:
        """The fields with their values, as JSON."""

    @staticmethod
    def model_validate(obj: object) -> CircuitBreakerConfig:
        """A configuration from a dictionary of fields; one that is a configuration already is returned.

        Raises ``InvalidValueError``, naming the field.
        """

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy, with the fields in ``update`` changed and checked."""

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __dir__(self) -> list[str]: ...
    def __setattr__(self, name: str, value: Never, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any: ...
    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any: ...

@final
class Permit:
    """The leave to make one call. It is settled once; one that is dropped unsettled counts as cancelled.

    Each method that settles returns whether it was the one that did.
    """

    def success(self) -> bool:
        """The call did what was asked."""

    def failure(self, retry_after: float | None = None) -> bool:
        """The call failed, and the provider is to blame; it asked to be left alone for ``retry_after`` seconds."""

    def ignore(self) -> bool:
        """The call failed, and that says nothing about the provider."""

    def cancel(self) -> bool:
        """The call was given up before it ended."""

    def settle(self, outcome: Outcome, retry_after: float | None = None) -> bool:
        """The call ended with the outcome of that name."""

    def __enter__(self) -> Self:
        """A block is entered, which is the call: how it is left says how the call ended, unless a method has."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]: ...
    @property
    def settled(self) -> bool:
        """Whether it has been settled."""

    @property
    def breaker(self) -> Breaker:
        """The breaker that handed it out."""

@final
class Call:
    """A call under way, as the frame that makes it holds it. Let go unsettled, it counts as cancelled."""

    def returned(self, result: _R, /) -> _R:
        """Settles it: the call gave this result, which is handed on.

        A generator or an async generator is one that settles the call when it ends.
        """

    def raised(self, error: BaseException, /) -> None:
        """Settles it: the call raised this, which says of the provider what the breaker's classifier makes of it."""

    def future_raised(self, error: BaseException, /) -> None:
        """Settles it: the future that the call returned ended with this error."""

@final
class Awaiting:
    """Stands in for a coroutine, or for the iterator that something is awaited by, and settles the call at its end."""

    def __new__(cls, call: Call, steps: Any, /) -> Self: ...
    def __await__(self) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any) -> Any: ...
    def throw(self, *error: Any) -> Any: ...
    def close(self) -> None: ...
    def __setattr__(self, name: str, value: Any, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...
    def __dir__(self) -> list[str]: ...

@final
class GuardedFunction:
    """A plain function and the breaker that guards it."""

    def __new__(cls, breaker: Breaker, function: Callable[..., Any], /) -> Self: ...
    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """Makes a call, if the circuit lets it."""

@final
class Stream(Iterator[Any]):
    """A generator or an async generator, and the call that made it, which ends when it does.

    The consumer's time and the consumer's errors are not the call's.
    """

    @property
    def generator(self) -> Any:
        """The generator that is guarded."""

    def resume(self) -> None:
        """The consumer asks for the next item."""

    def pause(self) -> None:
        """The consumer has got an item."""

    def thrown(self, error: BaseException, /) -> None:
        """The consumer throws this into the generator."""

    def returned(self) -> None:
        """The generator has ended."""

    def raised(self, error: BaseException, /) -> None:
        """The generator raised this. What its consumer threw in, and came back as it was, is nobody's failure."""

    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any:
        """Sends a value into the generator."""

    def throw(
        self,
        kind: type[BaseException] | BaseException,
        error: object = None,
        trace: TracebackType | None = None,
        /,
    ) -> Any:
        """Throws the consumer's error into the generator."""

    def close(self) -> None:
        """The consumer stops early."""

@final
class Names(Generic[_B]):
    """The breakers of a registry, by name. Each method takes effect at one instant."""

    def __new__(cls) -> Self: ...
    def get(self, name: str, /) -> _B | None:
        """The breaker of that name."""

    def add(self, name: str, breaker: _B, bound: int, /) -> _B | None:
        """The breaker of that name, which is this one if there was none; ``None`` where there are ``bound`` others."""

    def remove(self, name: str, /) -> _B | None:
        """Takes the breaker of that name away."""

    def remove_unshared(self, name: str, /) -> bool:
        """The same where nobody else holds it; says whether it did."""

    def all(self) -> list[_B]:
        """All breakers, in the order of their names."""

    def __len__(self) -> int: ...

def after_fork() -> None:
    """Makes the breakers that a forked child has inherited its own."""

def load_imports() -> None:
    """Imports all that calls need, before the first one is made."""

def config_json_schema() -> dict[str, Any]:
    """What a configuration of these fields looks like, as a JSON Schema: types, limits, defaults."""

def is_awaitable(result: object, /) -> bool:
    """Whether ``await`` takes it."""

@disjoint_base
class Breaker:
    """A circuit on the core. What needs an event loop is added by ``halfopen.CircuitBreaker``."""

    def __new__(
        cls,
        config: CircuitBreakerConfig,
        provider_id: str,
        clock: Callable[[], float] | None = None,
        classify: Callable[[Exception], Outcome] | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str:
        """The circuit's name."""

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        """Asks for a permit to make one call.

        ``inside`` is the permit of the call that makes this one: inside a probe it rides on that permit, takes no slot,
        has no vote and is not counted.
        Raises ``CircuitBreakerOpenError`` where the circuit does not let it run.
        """

    def begin(self, func: Callable[..., Any], /) -> Call:
        """Asks for the leave to make one call of ``func``, for the frame that makes it.

        Raises ``InvalidValueError`` for what cannot be called.
        """

    def begin_stream(self, generator: Any, /) -> Stream:
        """Begins the call that made this generator or async generator."""

    def call_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Calls a plain ``func`` if the circuit lets it.

        Where ``func`` returns something to await or to iterate, the call ends when that does.
        """

    def __enter__(self) -> Permit: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Permit]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]: ...
    def read_state(self) -> State: ...
    def read_now(self) -> float: ...
    def read_status(self) -> RawStatus: ...
    def read_events(self, after: int) -> list[RawEvent]: ...
    def order_open(self, duration_seconds: float | None) -> None: ...
    def order_disabled(self) -> None: ...
    def order_reset(self) -> None: ...
    def order_config(self, config: CircuitBreakerConfig) -> None: ...
    def read_snapshot(self) -> str: ...
    def order_restored(self, document: object) -> None: ...
    def explain(self) -> str:
        """Says in one sentence why the circuit is as it is and what would change it."""

    def read_percentile(self, share: float, outcome: str) -> float | None: ...
    def is_idle(self) -> bool:
        """Whether it holds nothing against the next calls, and nobody would miss it: what a ``Registry`` may let go."""

    def observe(self, observer: Observer) -> bool:
        """Tells ``observer`` of every call, whichever way it is made; false where there is one already."""

    def add_listener(self, listener: Callable[[RawEvent, float], object]) -> int: ...
    def remove_listener(self, number: int) -> bool: ...
    def evidence(self) -> Evidence: ...

@final
class Evidence:
    """A handle on a breaker's numbers that does not keep the breaker's Python object alive."""

    def counts(self) -> RawCounts: ...
    def durations(self) -> list[tuple[Literal["success", "failure"], tuple[int, float, list[tuple[float, int]]]]]: ...

BUCKET_BOUNDS: tuple[float, ...]
"""The upper bounds of the buckets in seconds; a last one without a bound follows."""

def keep_ended_metrics() -> None:
    """Keeps from now on what breakers have counted that go."""

def read_metrics() -> list[
    tuple[
        str,
        str,
        int | None,
        tuple[int, int, int, int],
        list[tuple[State, State, int]],
        list[tuple[Literal["success", "failure"], float, list[int]]],
    ]
]:
    """What all breakers have counted, those that are gone included, by their labels.

    The name and the provider, the worst state (0 closed, 1 half-open, 2 open) of those that there are, the calls
    attempted, succeeded, failed and rejected, the transitions, and by outcome the sum of the durations in seconds and
    for each bucket the calls that took at most so long.
    """
