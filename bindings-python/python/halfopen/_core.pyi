"""The compiled core, for ``halfopen`` itself; users import from ``halfopen``."""

from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator
from dataclasses import Field
from inspect import Signature
from types import GenericAlias, TracebackType
from typing import Any, ClassVar, Generic, Literal, Never, ParamSpec, Self, TypeVar, final

from typing_extensions import disjoint_base

from halfopen._stream_timeouts import Watch
from halfopen.types import (
    Asked,
    Log,
    Mode,
    Observer,
    Outcome,
    PassReason,
    RawCounts,
    RawEvent,
    RawStatus,
    Reason,
    Role,
    Scope,
    State,
    Telemetry,
    Verdict,
    Window,
)

__all__ = [
    "BUCKET_BOUNDS",
    "SHORTEST_HEDGE_SECONDS",
    "AsyncItems",
    "Attempt",
    "Awaiting",
    "Breaker",
    "Call",
    "CircuitBreakerConfig",
    "GuardedFunction",
    "HealthySession",
    "ItemsOf",
    "Need",
    "NextItem",
    "Order",
    "Permit",
    "Pool",
    "RegistryPolicy",
    "Stream",
    "Wait",
    "add_plain_error",
    "after_fork",
    "check_policy",
    "check_provider",
    "classify_response",
    "config_json_schema",
    "is_awaitable",
    "is_hint",
    "keep_ended_metrics",
    "load_imports",
    "read_metrics",
    "replay_log",
    "replay_pool",
    "report_unraisable",
    "run_scenario",
    "set_log",
    "set_telemetry",
    "status_of_close_code",
    "status_of_code",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")
_B = TypeVar("_B")

@final
class CircuitBreakerConfig:
    """The configuration of a circuit breaker, checked and immutable. Its fields are attributes.

    Raises ``InvalidValueError``, naming the field, for a value that is not allowed or an unknown field.
    """

    # from make generate: python attributes; do not edit
    name: str
    """Identifies the circuit. Allowed: 1 to 128 printable characters."""
    failure_threshold: int | None
    """Consecutive failures that open the circuit; ``None`` switches this policy off.

    Allowed: a whole number from 1 to 65535, or ``None`` while another policy is on.
    """

    success_threshold: int
    """Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255."""
    timeout_seconds: float
    """How long an open circuit waits before the first probe.

    Allowed: a number of seconds above 0, at most 31536000 (one year).
    """

    half_open_max_calls: int
    """Probes in flight at once. Allowed: a whole number from 1 to 255."""
    failure_rate_threshold: float | None
    """Failures / calls in the window that open the circuit. Allowed: a number above 0, at most 1, or ``None``."""
    slow_call_seconds: float | None
    """A call that takes this long or longer is slow.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None``.
    """

    slow_call_rate_threshold: float | None
    """Slow calls / calls in the window that open the circuit; needs ``slow_call_seconds``.

    Allowed: a number above 0, at most 1, or ``None``.
    """

    window: Window
    """The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set.

    Allowed: ``{"calls": 1 to 10000}`` or ``{"seconds": 1 to 3600}``.
    """

    minimum_calls: int
    """Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set.

    Allowed: a whole number, at least 1.
    """

    timeout_multiplier: float
    """Each further opening waits this many times longer. Allowed: a number from 1 to 10."""
    max_timeout_seconds: float | None
    """The longest wait that the multiplier, the jitter or a hint can produce.

    Allowed: a number of seconds, at least ``timeout_seconds``, or ``None`` for one hour or ``timeout_seconds`` if that
    is more.
    """

    timeout_jitter: float
    """The wait is spread over ± this share of itself. Allowed: a number from 0 to 1."""
    probe_timeout_seconds: float | None
    """If all slots are taken and there was no probe activity for this long, the slots are reclaimed.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None`` for the same as ``timeout_seconds``.
    """

    cancel_failure_after_seconds: float | None
    """A call cancelled after running this long counts as a failure.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None``.
    """

    shadow: bool
    """Decide and count, but reject nothing. Allowed: true or false."""
    record_durations: bool
    """Record durations and the time of the last success; if off, the clock is read only where a rule needs it.

    Allowed: true or false.
    """

    # end

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __signature__: ClassVar[Signature]

    def __new__(
        cls,
        *,
        # from make generate: python parameters; do not edit
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
        # end
    ) -> Self: ...
    def model_dump(self, *, mode: str = "python") -> dict[str, Any]:
        """All fields with their values; the result is the same in all modes of pydantic."""

    def model_dump_json(self) -> str:
        """All fields with their values, as JSON."""

    @staticmethod
    def model_validate(obj: object) -> CircuitBreakerConfig:
        """Makes a configuration of a dictionary of fields; a configuration is returned unchanged.

        Raises ``InvalidValueError``, naming the field.
        """

    def model_copy(self, *, update: dict[str, Any] | None = None, deep: bool | None = None) -> Self:
        """Makes a copy with the fields in ``update`` changed and checked."""

    def explain(self) -> list[str]:
        """How a circuit with this configuration behaves, in sentences: when it opens, waits and probes."""

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __ne__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    def __dir__(self) -> list[str]: ...
    def __setattr__(self, name: str, value: Never, /) -> None: ...
    def __delattr__(self, name: str, /) -> None: ...
    @staticmethod
    def __get_pydantic_core_schema__(_source: Any, _handler: Any) -> Any: ...
    @staticmethod
    def __get_pydantic_json_schema__(_source: Any, _handler: Any) -> Any: ...

@final
class Permit:
    """Permission to make one call. It is settled once; if dropped unsettled, it counts as cancelled.

    The methods that settle it return false if it was settled before.
    """

    def success(self) -> bool:
        """The call succeeded."""

    def failure(self, retry_after: float | None = None) -> bool:
        """The call failed because of the provider, which asked for a wait of ``retry_after`` seconds, if given."""

    def ignore(self) -> bool:
        """The call failed for a reason that says nothing about the provider."""

    def cancel(self) -> bool:
        """The call was cancelled before it ended."""

    def settle(self, outcome: Outcome, retry_after: float | None = None) -> bool:
        """The call ended with this outcome."""

    def pause(self) -> None:
        """The call has given its consumer an item. Until ``resume`` or the end, time does not count as the call's."""

    def resume(self) -> None:
        """The consumer waits for the next item."""

    def _note(self, known_by: object, /) -> None:
        """Notes the request or the response of a failed call, by which calls around it recognise the failure."""

    def _has_counted(self, known_by: object, /) -> bool:
        """Whether a call inside this one has counted the failure that this object identifies."""

    def _enter(self) -> None:
        """The request of a client is made from now on."""

    def _leave(self) -> None:
        """The request of a client has its response, or its error."""

    def _healthy(self) -> HealthySession | None:
        """Settles the call of a session as a success, while the session goes on; ``None`` if it was settled before."""

    def __enter__(self) -> Self:
        """The block is the call: unless a method settles the permit, the end of the block does."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Self]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]: ...
    @property
    def settled(self) -> bool:
        """Whether it was settled."""

    @property
    def breaker(self) -> Breaker:
        """The breaker that issued it."""

@final
class HealthySession:
    """A session that is healthy and has not ended."""

    def ended(self, error: BaseException | None, /) -> None:
        """The session has ended. An error counts as a call of its own, unless a call inside the session counted it."""

@final
class Call:
    """A call in flight, owned by the frame that makes it. Dropped unsettled, it counts as cancelled."""

    def returned(self, result: _R, /) -> _R:
        """Settles the call by its result, and returns the result.

        If the result is a generator or an async generator, returns a guarded one, which settles the call at its end.
        """

    def raised(self, error: BaseException, /) -> None:
        """Settles the call by the exception that it raised, or that its future raised."""

    def cancelled(self) -> None:
        """Settles the call as given up before it ended."""

    def future_returned(self, result: object, /) -> None:
        """Settles the call, whose future gave this result."""

@final
class Awaiting:
    """A proxy of a coroutine, or of the iterator of another awaitable, that settles the call at its end."""

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
    """A plain function, guarded by a breaker."""

    def __new__(cls, breaker: Breaker, function: Callable[..., Any], /) -> Self: ...
    def run(self, /, *args: Any, **kwargs: Any) -> Any:
        """Calls the function if the circuit admits the call."""

@final
class Stream(Iterator[Any]):
    """A generator or an async generator, and the call that made it, which ends with it.

    The consumer's time and errors do not count.
    """

    @property
    def generator(self) -> Any:
        """The guarded generator."""

    def enter(self) -> None:
        """The context manager that yields the stream is entered from now on, which is part of the call."""

    def rest(self) -> None:
        """The consumer does something else from now on, until it asks for an item."""

    def as_permit(self) -> Permit | None:
        """The context manager yielded a response: the same call goes on until the end of its body.

        ``None`` if the call has ended.
        """

    def reads(self, response: object, /) -> None:
        """The stream reads this response. A guarded HTTP client inside it may have counted the failure of that."""

    def ends_with(self, socket: object, /) -> None:
        """The stream is this socket, whose close code says how it ended."""

    def cancelled(self) -> None:
        """The consumer wants no more items."""

    def hand_on(self, generator: object, /) -> Stream | None:
        """The context manager that the call returned is entered, and will yield these items: the same call goes on.

        ``None`` if the call has ended.
        """

    @property
    def breaker(self) -> Any:
        """The breaker of the call, a ``CircuitBreaker``."""

    def resulted_in(self, result: object, /) -> None:
        """The call ended with this instead of a stream."""

    def raised(self, error: BaseException, /) -> None:
        """The generator raised this. An error that the consumer threw in counts as cancelled."""

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
        """Throws an error of the consumer into the generator."""

    def close(self) -> None:
        """The consumer stops early."""

@final
class AsyncItems(AsyncGenerator[Any, Any]):
    """Stands in for an async generator, and has the attributes of that one."""

    def __new__(cls, stream: Stream, is_generator: bool, start_watch: Callable[[], Watch] | None, /) -> Self: ...
    @staticmethod
    def of_generator(breaker: Breaker, generator: Any, start_watch: Callable[[], Watch] | None, /) -> AsyncItems:
        """The items of an async generator. Its call begins when the first item is asked for."""

    def __aiter__(self) -> Self: ...
    def __anext__(self) -> NextItem: ...
    def asend(self, value: Any, /) -> NextItem:
        """Sends a value into the generator."""

    def athrow(
        self,
        kind: type[BaseException] | BaseException,
        error: object = None,
        trace: TracebackType | None = None,
        /,
    ) -> NextItem:
        """Throws an error of the consumer into the generator."""

    def aclose(self) -> NextItem:
        """The consumer stops early. A source that is not a generator stays open."""

@disjoint_base
class ItemsOf:
    """Base of the proxies of async streams, whose ``__anext__`` is a slot and no Python code."""

    def __new__(cls, guard: Any, target: Any, /) -> Self: ...
    def __anext__(self) -> NextItem: ...

@final
class NextItem(Coroutine[Any, Any, Any]):
    """The awaitable that each method of ``AsyncItems`` returns. It can be awaited once."""

    def __new__(cls, stream: Any, /) -> Self: ...
    def __await__(self) -> Self: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...
    def send(self, value: Any, /) -> Any: ...
    def throw(self, *error: Any) -> Any: ...
    def close(self) -> None: ...

@final
class Wait:
    """Notes of a stream's wait for its next item, in a task of asyncio."""

    def __new__(
        cls, event_loop: Any, current_task: Callable[[Any], Any], current_tasks: dict[Any, Any] | None, /
    ) -> Self: ...
    @property
    def number(self) -> int | None:
        """The number of the wait; ``None`` while no task is suspended."""

    def begin(self) -> bool:
        """The running task waits from now on. Returns whether a timer has to be set."""

    def end(self) -> bool:
        """The wait is over. Returns whether the timer has cut it off."""

    def waited(self) -> float:
        """How long the consumer has waited for the item, in seconds."""

    def timed(self, is_timed: bool, /) -> None:
        """Says whether a timer is set; without one, the next wait asks for it."""

    def look(self) -> None:
        """The timer fired before the wait is overdue, and looks at the task."""

    def expire(self) -> tuple[Any, int]:
        """The wait is cut off. Returns the task to cancel, and how often it had been cancelled by others."""

    def forget_task(self) -> None:
        """The stream has ended."""

@disjoint_base
class RegistryPolicy(Generic[_B]):
    """Breakers by name, as many as the bound allows. Each method takes effect at one instant."""

    @classmethod
    def __class_getitem__(cls, key: Any) -> GenericAlias: ...
    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    @property
    def bound(self) -> int:
        """The most breakers that it holds. If it was lowered while more were in use, those stay."""

    def set_bound(self, bound: int) -> None:
        """Changes the bound.

        Unused breakers are removed until no more are left than ``bound``; those in use stay, and no new one is made
        until there are fewer. Raises ``InvalidValueError`` unless it is a whole number of at least 1.
        """

    def get(self, name: str) -> _B | None:
        """The breaker of that name, if there is one."""

    def _add(self, breaker: _B, /) -> _B:
        """The breaker of this one's name, which is this one if there was none. Raises ``RegistryFullError``."""

    def remove(self, name: str) -> _B | None:
        """Removes the breaker of that name and returns it. Code that already holds it can go on using it."""

    def remove_unused(self) -> int:
        """Removes the breakers that are idle and that nothing else refers to; returns their number.

        Replacing an idle breaker with a new one loses nothing: it is closed, has no failure streak, no failure or slow
        call in its window, no call in flight, no listener and no earlier opening that would make the next wait longer,
        and no operator has disabled it.
        """

    def breakers(self) -> list[_B]:
        """All breakers, ordered by name."""

    def __len__(self) -> int: ...

@final
class Need:
    """The abilities that a call needs, and the size of its request in the unit of the providers' limits.

    Raises ``InvalidValueError`` for anything but texts, and for a size that is not a whole number from 0.
    """

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]
    __signature__: ClassVar[Signature]

    def __new__(cls, capabilities: Iterable[str] | None = None, *, size: int | None = None) -> Self: ...
    @property
    def capabilities(self) -> list[str]:
        """The abilities, in alphabetical order."""

    @property
    def size(self) -> int:
        """The size of the request."""

    def __getnewargs_ex__(self) -> tuple[tuple[list[str]], dict[str, int]]: ...
    def __eq__(self, other: object, /) -> bool: ...
    def __hash__(self) -> int: ...
    @staticmethod
    def __get_pydantic_core_schema__(_source: Any, _handler: Any) -> Any: ...

@final
class Order:
    """The providers to try and those passed over, by their index; times are seconds from the choice on."""

    @property
    def picks(self) -> list[tuple[int, Role]]:
        """The providers to try, the first one first."""

    @property
    def passed_over(self) -> list[tuple[int, PassReason, float | None]]:
        """The others, each with the reason and the time until it may be back."""

    @property
    def earliest(self) -> float | None:
        """The time until the first of them may be back."""

    @property
    def waits(self) -> bool:
        """Whether the policy says to wait for it."""

    @property
    def is_unpaid(self) -> bool:
        """Whether the budget did not pay for a further attempt."""

@final
class Pool:
    """Providers behind breakers: chooses, and keeps records, cooldowns, calls in flight and the budget."""

    def __new__(
        cls,
        document: dict[str, Any],
        breakers: list[Breaker] | tuple[Breaker, ...],
        clock: Callable[[], float] | None = None,
        /,
    ) -> Self: ...
    def look(self, asked: Asked, /) -> Order:
        """The order that a call would get now; nothing changes."""

    def choose(self, asked: Asked, /) -> Order:
        """The same order as a choice, which takes a turn in the strategy."""

    def begin(
        self, asked: Asked, left: int | None, after: Literal["refusal", "failure", "timeout"] | None, /
    ) -> Attempt | Order:
        """Chooses, and begins an attempt at the first provider that admits it.

        If the call moves, ``left`` is the provider that it leaves, and ``after`` is the reason. Returns the order if no
        provider admits the attempt, or if the budget does not pay for the move.
        """

    def begin_beside(self, asked: Asked, /) -> Attempt | Order:
        """Begins an attempt at another provider beside one that is slow, if the budget pays for it."""

    def hedge_after(self, index: int, is_stream: bool, /) -> float | None:
        """The seconds after which an attempt at this provider is slow; ``None`` if its call gets no second one."""

    def begin_at(self, index: int, is_stream: bool, as_probe: bool, /) -> Attempt | None:
        """Begins a further attempt at this provider if its circuit is closed, or a probe if it offers one."""

    def note(self, index: int, succeeded: bool, latency: float | None, /) -> None:
        """Adds a call that was made without an attempt to a provider's record.

        ``latency`` is the length of a success in seconds, if it is known.
        """

    def declare(self, index: int, document: dict[str, Any], /) -> None:
        """Declares a provider anew, from the next choice on."""

    def now(self) -> float:
        """The time of the clock, in seconds."""

    @property
    def tokens(self) -> int:
        """The tokens left in the budget; a debt is negative."""

    def record(self, index: int, /) -> tuple[int, float | None, float | None, float | None, float | None]:
        """A provider's recent record.

        That is its calls in flight, success rate, latency of calls and of streams, and the rest of a cooldown. Times
        are in seconds; what is not known is ``None``.
        """

    def slow_start(self, index: int, /) -> tuple[float, float] | None:
        """The share of its weight that a provider gets in its slow start, and the seconds until it has the whole.

        The share is from 0.1 to 1. ``None`` if there is no slow start now.
        """

    def after_fork(self) -> None:
        """In the child of a fork: separates the inherited pool from that of the parent."""

@final
class Attempt:
    """One attempt of a call at one provider. It ends once; dropped before its end, it is cancelled."""

    @property
    def index(self) -> int:
        """The index of the provider."""

    @property
    def provider(self) -> str:
        """The id of the provider."""

    @property
    def role(self) -> Role:
        """Why it was chosen."""

    @property
    def is_probe(self) -> bool:
        """Whether it decides about a half-open circuit."""

    @property
    def shares_permit(self) -> bool:
        """Whether calls of the same breaker that are made inside it share its permit."""

    def enter(self) -> None:
        """The provider's function runs from now on."""

    def leave_context(self) -> None:
        """The provider's function does not run any more, or waits for the consumer."""

    @property
    def passed_over(self) -> list[tuple[int, PassReason, float | None]]:
        """The providers passed over at the choice."""

    @property
    def is_paid(self) -> bool:
        """Whether it is paid from the budget."""

    @property
    def has_ended(self) -> bool:
        """Whether it has ended."""

    @property
    def seconds(self) -> float:
        """The time since it began."""

    @property
    def first_item_seconds(self) -> float | None:
        """The time to the first content item."""

    def looks_at(self, result: object, /) -> bool:
        """Whether a result may be anything but a success."""

    def first_item(self) -> float:
        """The first content item has come; returns the seconds that it took."""

    def pause(self) -> None:
        """The consumer has an item."""

    def resume(self) -> None:
        """The consumer waits for the next item."""

    def succeeded(self) -> float | None:
        """The provider did what was asked; returns the seconds, or ``None`` if the attempt had ended before."""

    def healthy(self) -> None:
        """Counts a long call as a success now; its later failure counts as a call of its own."""

    def ended(
        self,
        error: object,
        outcome: Outcome,
        retry_after: float | None = None,
        scope: Scope | None = None,
        cooldown: float | None = None,
        /,
    ) -> float | None:
        """The attempt ended with this error and verdict; returns the seconds for which its scope cools down."""

    def cancelled(self) -> bool:
        """The caller gave up; false if the attempt had ended before."""

    def ignored(self) -> bool:
        """Another provider was faster; false if the attempt had ended before."""

def after_fork() -> None:
    """Prepares the breakers that a forked child inherited."""

def load_imports() -> None:
    """Imports all modules that calls need, because imports fail at interpreter exit."""

def config_json_schema() -> dict[str, Any]:
    """The JSON Schema of a configuration, with types, limits and defaults."""

def classify_response(
    status: int, code: str | None, headers: list[tuple[str, str]], now: float, /
) -> tuple[Outcome, float | None, Scope | None, float | None]:
    """The fields of the verdict on a response."""

def status_of_code(code: str, /) -> int | None:
    """The HTTP status that a provider's error code stands for; ``None`` if it is not known."""

def status_of_close_code(code: int, /) -> int | None:
    """The HTTP status that the close code of a WebSocket stands for, if the provider sent it.

    ``None`` for an ordinary end and for a code of the provider's own.
    """

def add_plain_error(kind: type[BaseException], /) -> None:
    """Adds a class whose exceptions are failures as long as they have no ``status_code``."""

def report_unraisable(error: BaseException, object: object, /) -> None:  # noqa: A002 (as in the interpreter's report)
    """Reports an exception of the user's code that must not reach the caller, by ``sys.unraisablehook``."""

def is_hint(retry_after: object, /) -> bool:
    """Whether an outcome may carry it: ``None``, or a number of seconds that the core accepts."""

def is_awaitable(result: object, /) -> bool:
    """Whether ``await`` accepts it."""

@disjoint_base
class Breaker:
    """The compiled part of ``halfopen.CircuitBreaker``."""

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Self: ...
    def _initialise(
        self,
        config: CircuitBreakerConfig,
        provider_id: str,
        clock: Callable[[], float] | None,
        call_timeout_seconds: float | None,
        classify: Callable[[Any], Outcome | Verdict | None] | None,
        judge: Callable[[Any], Outcome | Verdict | None] | None,
        judges_all: bool,
        /,
    ) -> None:
        """Makes it a closed breaker. Raises ``InvalidValueError`` if it is initialised already."""

    def _check_initialised(self) -> None:
        """Raises ``InvalidValueError`` if the breaker is not initialised."""

    @property
    def name(self) -> str:
        """The name of the circuit."""

    @property
    def provider_id(self) -> str:
        """The provider behind the circuit, a label of its metrics."""

    @property
    def mode(self) -> Mode:
        """How the circuit is operated: ``auto``, ``forced_open``, ``disabled`` or ``shadow``."""

    @property
    def missed_events(self) -> int:
        """How many transitions its listeners have missed because they were too slow; ``subscribe`` describes it."""

    def acquire(self, *, inside: Permit | None = None) -> Permit:
        """Asks for permission to make one call.

        ``inside`` is the permit of the call that makes this one. A call inside a probe takes no slot of its own and is
        not counted.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call.
        """

    def call_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Calls a plain function if the circuit admits the call.

        If ``func`` returns an awaitable, a future or a generator, the call ends when that ends.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call, otherwise whatever ``func`` raises.
        """

    def __enter__(self) -> Permit: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __aenter__(self) -> Coroutine[Any, Any, Permit]: ...
    def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> Coroutine[Any, Any, None]: ...
    def reset(self) -> None:
        """Closes the circuit and returns it to normal operation; the counters stay."""

    def force_open(self, duration_seconds: float | None = None) -> None:
        """Holds the circuit open for this many seconds (above 0, at most one year), or until it is reset.

        When the duration ends, the next call is a probe.
        """

    def disable(self) -> None:
        """Admits every call, without evaluating outcomes, until the circuit is reset or forced open."""

    def explain(self) -> str:
        """Explains in one sentence why the circuit is in its state, and what would change it."""

    def _difference(self, config: CircuitBreakerConfig) -> str | None: ...
    def is_idle(self) -> bool:
        """Whether replacing it with a new breaker would lose nothing; a ``Registry`` may then remove it."""

    def snapshot(self) -> str:
        """The state and the counters as a JSON document; calls in flight are saved as cancelled."""

    def restore(self, document: str) -> None:
        """Replaces the state with that of a snapshot and adds its counters.

        Raises ``InvalidValueError``, naming the part, for a document that is damaged, inconsistent or of another
        version; then nothing changes.
        """

    def _begin(self, func: Callable[..., Any], /) -> Call:
        """Begins a call of ``func``; its frame settles the result.

        Raises ``InvalidValueError`` for a value that is not callable.
        """

    def _begin_stream(self, generator: Any, /) -> Stream:
        """Begins the call that made this generator or async generator."""

    def _check_no_deadline(self) -> None:
        """Refuses a block if ``call_timeout_seconds`` is set, because it could not be cut off."""

    def _read_state(self) -> State: ...
    def _read_now(self) -> float: ...
    def _read_status(self) -> RawStatus: ...
    def _read_events(self, after: int) -> list[RawEvent]: ...
    def _ask_about_items(
        self, is_content: Callable[[Any], bool] | None, is_end: Callable[[Any], bool] | None, /
    ) -> None:
        """Sets the functions that streams ask about their items."""

    def _read_durations(
        self,
    ) -> list[tuple[Literal["success", "failure"], tuple[int, float, list[tuple[float, int]]]]]: ...
    def _read_first_items(self) -> tuple[int, float, list[tuple[float, int]]]: ...
    def _read_percentile(self, share: float, outcome: str) -> float | None: ...
    def _reconfigure(self, config: CircuitBreakerConfig) -> None: ...
    def _observe(self, observer: Observer) -> bool:
        """Tells ``observer`` about every call; false if there is an observer already."""

    def _keep_own_log(self) -> None:
        """Leaves the log of this breaker to its observer."""

    def _add_listener(self, listener: Callable[[RawEvent, float], object]) -> int: ...
    def _remove_listener(self, number: int) -> bool: ...

BUCKET_BOUNDS: tuple[float, ...]
"""The upper bounds of the histogram's buckets in seconds, without the last one, which is infinite."""
SHORTEST_HEDGE_SECONDS: float
"""The shortest delay of a hedge with a percentile, if the user sets no other."""

def keep_ended_metrics() -> None:
    """From now on, keeps the counters of breakers that are gone."""

def read_metrics() -> list[
    tuple[
        str,
        str,
        State | None,
        RawCounts,
        list[tuple[Reason, int]],
        list[tuple[State, State, int]],
        list[tuple[Literal["success", "failure"], tuple[float, list[int]]]],
        tuple[float, list[int]],
    ]
]:
    """The totals of all breakers by name and provider, including breakers that are gone.

    Each row holds the name; the provider; the worst state of the present breakers; the counters; the rejections by
    reason; the transitions; and as histograms, each a sum in seconds and the count of each bucket, the durations by
    outcome and the times to the first item of streams.
    """

def set_log(log: Log | None, /) -> None:
    """Sets or removes the object that logs what all breakers do."""

def set_telemetry(telemetry: Telemetry | None, /) -> bool:
    """Sets or removes the object that exports what all breakers do; false, without effect, if there is another one."""

def run_scenario(
    scenario: str, config: CircuitBreakerConfig | None, *, failover: str | None, count_rate_limits: bool
) -> str:
    """Runs a scenario and returns the report, both as JSON."""

def replay_log(log: str, config: CircuitBreakerConfig, circuit: str | None, /) -> tuple[str, str]:
    """Replays a log.

    Returns two results as JSON: as if calls of unknown outcome had succeeded, and as if they had failed.
    """

def check_policy(document: dict[str, Any], /) -> None:
    """Refuses a policy of which a field is not allowed; the document is that of ``Pool`` without providers."""

def check_provider(document: dict[str, Any], /) -> None:
    """Refuses a provider of which a field is not allowed."""

def replay_pool(log: str | bytes | bytearray, /) -> list[dict[str, Any]]:
    """Replays a log of a pool, a JSON document, and returns what each step shows.

    Raises ``InvalidValueError``, naming the field, for a document that is not a log.
    """
