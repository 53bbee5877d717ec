"""The circuit breaker."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property, partialmethod
from inspect import isasyncgenfunction, isgeneratorfunction
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, ParamSpec, TypeAlias, TypeVar, Unpack, overload

from halfopen._arguments import (
    calls_kind,
    check_config,
    check_coroutine_function,
    check_function,
    check_functions,
    check_seconds,
    config_of,
    guarded_descriptor,
    has_refused_arguments,
    is_coroutine_function,
    refuse_plain_stream,
)
from halfopen._classify import Rules, rules_of
from halfopen._core import Breaker, Call, CircuitBreakerConfig, GuardedFunction, is_awaitable
from halfopen._deadline import Deadline
from halfopen._guard_stream import guard_stream
from halfopen._sealed import Sealed, SetByInit, made_once
from halfopen._stream_items import checked_item_function
from halfopen._stream_timeouts import StreamTimeouts
from halfopen._streams import guarded_async_generator_function, guarded_generator_function
from halfopen._wrap import wrap
from halfopen.session import Session
from halfopen.status import (
    STATES,
    CircuitBreakerMetrics,
    CircuitBreakerState,
    CircuitBreakerStatus,
    Durations,
    Event,
    WallClock,
    event_of,
    metrics_of,
    status_of,
)
from halfopen.types import Classifier, ConfigFields, ExceptionTypes, Judge

P = ParamSpec("P")
R = TypeVar("R")
Guardable: TypeAlias = (
    "Callable[..., Any] | classmethod[Any, Any, Any] | property | cached_property[Any] | partialmethod[Any]"
)
F = TypeVar("F", bound=Guardable)

_SWITCH = "call reset(), force_open() or disable()"
PER_BREAKER = (
    *("clock", "classify", "judge", "ignore", "count", "is_content", "is_end"),
    *("call_timeout_seconds", "first_item_timeout_seconds", "idle_timeout_seconds"),
)
"""The arguments that a ``Registry`` passes on to each of its breakers."""


class CircuitBreaker(Sealed, Breaker):
    """A circuit breaker, shared by any number of tasks, event loops and threads.

    There are four ways to guard a call: the decorator ``@breaker``; ``await breaker.call(func, …)`` and
    ``breaker.call_sync(func, …)``; ``async with breaker:`` and ``with breaker:``; and ``permit = breaker.acquire()``,
    followed by ``permit.success()`` or another method of the permit.

    ``config`` is the name of the circuit, with the fields of ``CircuitBreakerConfig`` as keyword arguments, or a
    ``CircuitBreakerConfig``. ``provider_id`` is a label of its metrics. ``clock`` returns seconds, as
    ``time.monotonic`` does; the default is the system's monotonic clock.

    By default an exception is a failure unless it says nothing about the provider, and so is a response with an error
    status; ``halfopen.classify`` has the rules. Exceptions of the types in ``ignore`` are ``"ignored"`` instead, and
    those of the types in ``count`` a ``"failure"``; if both match, the nearest base class counts. ``classify`` returns
    the outcome for an exception and ``judge`` the outcome for a result: ``"success"``, ``"failure"``, ``"ignored"``,
    ``"cancelled"``, a ``Verdict``, or ``None`` for the default.

    ``call_timeout_seconds`` cuts off each call of a coroutine function after this time with ``CallTimeoutError``, which
    is a failure. It applies to ``@breaker`` and to ``await breaker.call(…)``. Plain functions and blocks cannot be cut
    off, so such a breaker refuses them.

    For streams: ``first_item_timeout_seconds`` limits the waits for the first item, all together, and
    ``idle_timeout_seconds`` each wait for a further one. Both cut off async streams with ``CallTimeoutError``; the time
    of the consumer does not count. ``is_content`` returns whether an item counts as the first one (the default: every
    item). ``is_end`` returns whether an item completes the stream, which is then a success; a stream that ends without
    such an item is a failure.

    A subclass may have an ``__init__`` with other arguments, which calls ``super().__init__(config, provider_id, …)``.
    Until then, each use of the breaker raises ``InvalidValueError``.

    Raises ``InvalidValueError``, naming the argument or the field, for a value that is not allowed.

    >>> import asyncio
    >>> from halfopen import CircuitBreaker
    >>> breaker = CircuitBreaker("gemini", failure_threshold=3)
    >>> @breaker
    ... async def ask(prompt: str) -> str:
    ...     return prompt.upper()
    >>> asyncio.run(ask("hello"))
    'HELLO'
    """

    _config: CircuitBreakerConfig
    _wall: WallClock
    _rules: Rules
    _deadline: Deadline | None = None
    _is_content: Callable[[Any], bool] | None
    _is_end: Callable[[Any], bool] | None
    _stream_timeouts: StreamTimeouts | None = None

    # `_deadline` is a plain default, because each call reads it; `_begin` refuses an uninitialised breaker.
    if not TYPE_CHECKING:
        _config = _wall = _rules = _is_content = _is_end = SetByInit()

    _instead: ClassVar[Mapping[str, str]] = {
        **{
            field: f"call reconfigure(breaker.config.model_copy(update={{'{field}': …}}))"
            for field in CircuitBreakerConfig.__dataclass_fields__
        },
        **made_once("CircuitBreaker", "name", "provider_id", *PER_BREAKER),
        "config": "call reconfigure(config)",
        "state": _SWITCH,
        "mode": _SWITCH,
        "metrics": "each access reads the counters anew",
        "missed_events": "it counts by itself",
    }
    _no_attribute = "call reconfigure(config) to change a setting; a subclass may have attributes of its own"

    # The docstring of the class describes the arguments.
    def __init__(
        self,
        config: CircuitBreakerConfig | str | None = None,
        provider_id: str = "unknown",
        *,
        clock: Callable[[], float] | None = None,
        classify: Classifier | None = None,
        judge: Judge | None = None,
        ignore: ExceptionTypes = (),
        count: ExceptionTypes = (),
        call_timeout_seconds: float | None = None,
        first_item_timeout_seconds: float | None = None,
        idle_timeout_seconds: float | None = None,
        is_content: Callable[[Any], bool] | None = None,
        is_end: Callable[[Any], bool] | None = None,
        **fields: Unpack[ConfigFields],
    ) -> None:
        checked = config_of(config, fields)
        check_functions(clock, classify, judge)
        rules = rules_of(classify, judge, ignore, count)
        seconds = check_seconds("call_timeout_seconds", call_timeout_seconds)
        first_item_seconds = check_seconds("first_item_timeout_seconds", first_item_timeout_seconds)
        idle_seconds = check_seconds("idle_timeout_seconds", idle_timeout_seconds)
        content, end = checked_item_function("is_content", is_content), checked_item_function("is_end", is_end)
        self._initialise(checked, provider_id, clock, seconds, *rules.for_core())
        if content is not None or end is not None:
            self._ask_about_items(content, end)
        # Without the check of assignments, which would make the construction take half as long again.
        store = object.__setattr__
        store(self, "_config", checked)
        store(self, "_wall", WallClock())
        store(self, "_rules", rules)
        store(self, "_is_content", content)
        store(self, "_is_end", end)
        store(self, "_deadline", None if seconds is None else Deadline(checked.name, seconds))
        if first_item_seconds is not None or idle_seconds is not None:
            store(self, "_stream_timeouts", StreamTimeouts(checked.name, first_item_seconds, idle_seconds))

    def __call__(self, func: F) -> F:
        """Guards a function: plain, coroutine, generator or async generator function. The result is of the same kind.

        A ``staticmethod``, ``classmethod``, ``partialmethod``, ``property`` or ``cached_property`` also keeps its kind;
        of a property, reading is guarded. A class is guarded as a function that creates instances. The parameters and
        defaults are copied now, so later changes to ``func`` have no effect on the guarded function.

        Raises ``InvalidValueError`` for anything else.
        """
        self._check_initialised()
        function: Any = func
        guarded: Any = guarded_descriptor(self, function)
        if guarded is not None:
            pass
        elif calls_kind(isasyncgenfunction, function):
            guarded = guarded_async_generator_function(self, function, self._stream_timeouts)
        elif self._deadline is not None:
            check_coroutine_function(function, self._deadline.seconds)
            guarded = wrap(
                _COROUTINE_WITH_DEADLINE,
                function,
                of_any_arguments=_COROUTINE_OF_ANY_ARGUMENTS_WITH_DEADLINE,
                _begin=self._begin,
                _start=self._deadline.start,
                _raised_at_once=_raised_at_once,
            )
        elif calls_kind(is_coroutine_function, function):
            guarded = wrap(
                _COROUTINE,
                function,
                of_any_arguments=_COROUTINE_OF_ANY_ARGUMENTS,
                _begin=self._begin,
                _raised_at_once=_raised_at_once,
            )
        elif calls_kind(isgeneratorfunction, function):
            if self._stream_timeouts is not None:
                refuse_plain_stream("func", function)
            guarded = guarded_generator_function(self._begin_stream, function)
        else:
            guarded = wrap(_PLAIN, function, _run=GuardedFunction(self, function).run)
        result: F = guarded
        return result

    @overload
    async def call(self, func: Callable[P, Awaitable[R]], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    @overload
    async def call(self, func: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R: ...
    async def call(self, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Calls ``func`` if the circuit admits the call, and awaits the result if it is awaitable.

        If ``func`` returns a generator, the call ends when the generator ends. ``call_timeout_seconds`` limits the time
        of awaiting.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call, otherwise whatever ``func`` raises.
        """
        # Not in a local variable: one more would move the coroutine to a larger size class of the allocator (20 ns).
        if self._deadline is not None:
            return await self._call_within(self._deadline, func, *args, **kwargs)
        call = self._begin(func)
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            _raised_at_once(call, func, error)
            raise
        awaitable: Any = result
        try:
            # A coroutine, as nearly always, needs no call to see that it is one.
            if type(result) is CoroutineType or is_awaitable(result):
                result = await awaitable
        except BaseException as error:
            call.raised(error)
            raise
        return call.returned(result)

    async def _call_within(self, deadline: Deadline, func: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        scope = deadline.start()
        call = self._begin(func)
        try:
            result = func(*args, **kwargs)
        except BaseException as error:
            _raised_at_once(call, func, error)
            raise
        try:
            if is_awaitable(result):
                async with scope:
                    result = await result
        except BaseException as error:
            call.raised(error)
            raise
        return call.returned(result)

    def stream(self, source: R) -> R:
        """Guards a stream that was opened without the breaker: an iterator, an async iterator or a context manager.

        An iterable with ``close``, such as the event streams of botocore, is a stream too.

        The result keeps the methods and attributes of ``source``. The call begins now, or when the context manager is
        entered, and ends with the stream. ``breaker(func)`` and ``breaker.call(func)`` guard generators, stream objects
        that have ``close`` and ``response``, and context managers that can only be entered, without this method.

        Raises ``CircuitBreakerOpenError`` if the circuit rejects the call, and ``InvalidValueError`` for anything else.
        """
        self._check_initialised()
        guarded: R = guard_stream(self, source)
        return guarded

    def session(self) -> Session:
        """A session for one ``async with`` or ``with``, for connections that last: see ``Session``."""
        self._check_initialised()
        return Session(self)

    @property
    def config(self) -> CircuitBreakerConfig:
        """The configuration in force."""
        return self._config

    @property
    def call_timeout_seconds(self) -> float | None:
        """The time after which a call of a coroutine function is cut off."""
        self._check_initialised()
        return None if self._deadline is None else self._deadline.seconds

    @property
    def state(self) -> CircuitBreakerState:
        """The state now; ``half_open`` as soon as the wait is over, even if no call has come yet."""
        return STATES[self._read_state()]

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        """The counters; each access reads them anew."""
        return metrics_of(self._read_status(), self._wall)

    def get_status(self) -> CircuitBreakerStatus:
        """State, mode, counters and configuration, as a document ready for JSON."""
        return status_of(self._read_status(), self.config, self.provider_id, self._wall)

    def durations(self) -> dict[Literal["success", "failure"], Durations]:
        """Durations of calls, by outcome."""
        return {outcome: Durations(*read) for outcome, read in self._read_durations()}

    def first_item_durations(self) -> Durations:
        """The times from the call to the first item of streams, without the time of the consumer."""
        return Durations(*self._read_first_items())

    def percentile(self, share: float, outcome: Literal["success", "failure"] = "success") -> float | None:
        """The duration in seconds that this share of calls (0 to 1) with that outcome did not exceed.

        Interpolated within its bucket, as Prometheus' ``histogram_quantile`` does; ``None`` before the first call.
        """
        return self._read_percentile(share, outcome)

    def events(self, after: int = 0) -> list[Event]:
        """The recorded transitions with a sequence number above ``after``, oldest first."""
        raw_events = self._read_events(after)
        dates = self._wall.at(self._read_now())
        return [event_of(raw, dates) for raw in raw_events]

    def reconfigure(self, config: CircuitBreakerConfig) -> None:
        """Replaces the whole configuration, except the name; state, mode, counters and a running wait stay.

        Thresholds apply from the next event on. If the shape of the window changes, the window starts empty.
        """
        check_config(config)
        config = config.model_copy(update={"name": self.name})
        self._reconfigure(config)
        self._config = config

    def subscribe(self, listener: Callable[[Event], object]) -> Callable[[], bool]:
        """Calls ``listener`` with each further transition, in order, and returns a function that unsubscribes it.

        The listener runs inside the guarded call, so it should be quick. Other threads do not wait for it, and their
        transitions are delivered when it returns: the newest 4,096, and ``missed_events`` counts the others. Exceptions
        that it raises go to ``sys.unraisablehook`` and affect no call.

        Raises ``InvalidValueError`` if ``listener`` is not a plain function, for example a coroutine function.
        """
        check_function("listener", listener, "a plain function of one event", 1)
        wall = self._wall
        number = self._add_listener(lambda raw, now: listener(event_of(raw, wall.at(now))))
        return lambda: self._remove_listener(number)

    def __repr__(self) -> str:
        if "_deadline" not in vars(self):
            return f"<{type(self).__name__}, not initialised>"
        return f"<{type(self).__name__} {self.name!r} provider={self.provider_id!r} state={self._read_state()}>"


def _raised_at_once(call: Call, func: Callable[..., Any], error: BaseException) -> None:
    """Ends a call whose function raised this. Wrong arguments say nothing about the provider."""
    if has_refused_arguments(func, error):
        call.cancelled()
    else:
        call.raised(error)


_PLAIN = """
def guarded({parameters}):
    return _run({arguments})
"""

# A signal handler may raise between any two instructions. The call is an object from the start, so it is settled when
# the frame drops it.
_COROUTINE = """
async def guarded({parameters}):
    _call = _begin(_func)
    try:
        return _call.returned(await _func({arguments}))
    except BaseException as _error:
        _call.raised(_error)
        raise
"""

_COROUTINE_WITH_DEADLINE = """
async def guarded({parameters}):
    _scope = _start()
    _call = _begin(_func)
    try:
        async with _scope:
            _result = await _func({arguments})
        return _call.returned(_result)
    except BaseException as _error:
        _call.raised(_error)
        raise
"""

# The parameters of a method, a partial or another object cannot be copied. Wrong arguments to it show only in the call,
# so the error of the call is looked at.
_OF_ANY_ARGUMENTS = ("_call.raised(_error)", "_raised_at_once(_call, _func, _error)")
_COROUTINE_OF_ANY_ARGUMENTS = _COROUTINE.replace(*_OF_ANY_ARGUMENTS)
_COROUTINE_OF_ANY_ARGUMENTS_WITH_DEADLINE = _COROUTINE_WITH_DEADLINE.replace(*_OF_ANY_ARGUMENTS)
