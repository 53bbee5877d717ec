"""The types of names, dictionaries and functions that the API takes and returns."""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol, TypeAlias

from halfopen._pydantic_hooks import WINDOW

if TYPE_CHECKING:
    from halfopen._core import Need

# Pydantic takes typing's own from Python 3.12 on.
if sys.version_info >= (3, 12):
    from typing import TypedDict as TypedDict  # noqa: PLC0414
else:
    from typing_extensions import TypedDict as TypedDict  # noqa: PLC0414

__all__ = [
    "Cause",
    "ConfigFields",
    "ErrorCode",
    "Mode",
    "Outcome",
    "Reason",
    "State",
    "TimeoutName",
    "Window",
    "WindowOfCalls",
    "WindowOfSeconds",
]

# from make generate: python literals; do not edit
State = Literal["closed", "open", "half_open"]
Mode = Literal["auto", "forced_open", "disabled", "shadow"]
Outcome = Literal["success", "failure", "ignored", "cancelled"]
Reason = Literal["open", "probes_busy", "forced_open"]
Cause = Literal[
    "consecutive_failures",
    "failure_rate",
    "slow_call_rate",
    "timeout_elapsed",
    "probes_succeeded",
    "probe_failed",
    "probe_slow",
    "forced",
    "reset",
    "disabled",
]
Scope = Literal["provider", "key", "model", "key_and_model"]
Role = Literal["normal", "probe", "unhealthy", "last_resort"]
PassReason = Literal[
    "disabled",
    "draining",
    "missing_capability",
    "too_small",
    "tried",
    "open",
    "probes_busy",
    "forced_open",
    "cooling_down",
    "full",
    "reserved",
]
Strategy = Literal["priority_list", "round_robin", "random", "best_performance", "highest_availability"]
OnExhausted = Literal["fail", "wait", "last_resort"]
ErrorCode = Literal[
    "CIRCUIT_OPEN",
    "CALL_TIMEOUT",
    "INVALID_VALUE",
    "NAME_CONFLICT",
    "REGISTRY_FULL",
    "ALL_PROVIDERS_FAILED",
    "PROVIDER_UNAVAILABLE",
    "STREAM_BROKEN",
]
# end
TimeoutName = Literal[
    "call_timeout_seconds",
    "first_item_timeout_seconds",
    "idle_timeout_seconds",
    "attempt_timeout_seconds",
    "deadline_seconds",
]
"""The settings of a breaker and of an orchestrator that cut off calls and streams."""


class Verdict(NamedTuple):
    """The classification of a call. Waits are in seconds."""

    outcome: Outcome
    """How the breaker counts the call."""
    retry_after: float | None = None
    """How long the provider asked to be left alone, if it failed."""
    scope: Scope | None = None
    """The key, model or provider that the verdict is about; ``None`` if it is only about this one call."""
    cooldown: float | None = None
    """How long the key or the model should cool down; ``None`` with such a scope if the provider did not say."""


Classifier: TypeAlias = Callable[[Exception], Outcome | Verdict | None]
"""A function from the exception of a call to an outcome, or ``None`` for the default rules."""
Judge: TypeAlias = Callable[[Any], Outcome | Verdict | None]
"""A function from the result of a call to an outcome, or ``None`` for the default rules."""
ExceptionTypes: TypeAlias = type[BaseException] | tuple[type[BaseException], ...]
"""An exception type or a tuple of them, as in ``except``."""


class WindowOfCalls(TypedDict):
    """A window of the most recent calls."""

    calls: int


class WindowOfSeconds(TypedDict):
    """A window of the most recent seconds."""

    seconds: int


Window = Annotated[WindowOfCalls | WindowOfSeconds, WINDOW]


class ConfigFields(TypedDict, total=False):
    """The fields of ``CircuitBreakerConfig``, as keyword arguments."""

    # from make generate: python typed dict; do not edit
    name: str
    """Identifies the circuit. Allowed: 1 to 128 printable characters. Default: ``"default"``."""
    failure_threshold: int | None
    """Consecutive failures that open the circuit; ``None`` switches this policy off.

    Allowed: a whole number from 1 to 65535, or ``None`` while another policy is on. Default: 5.
    """

    success_threshold: int
    """Consecutive probe successes that close the circuit. Allowed: a whole number from 1 to 255. Default: 2."""
    timeout_seconds: float
    """How long an open circuit waits before the first probe.

    Allowed: a number of seconds above 0, at most 31536000 (one year). Default: 60.0.
    """

    half_open_max_calls: int
    """Probes in flight at once. Allowed: a whole number from 1 to 255. Default: 3."""
    failure_rate_threshold: float | None
    """Failures / calls in the window that open the circuit.

    Allowed: a number above 0, at most 1, or ``None``. Default: ``None``.
    """

    slow_call_seconds: float | None
    """A call that takes this long or longer is slow.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None``. Default: ``None``.
    """

    slow_call_rate_threshold: float | None
    """Slow calls / calls in the window that open the circuit; needs ``slow_call_seconds``.

    Allowed: a number above 0, at most 1, or ``None``. Default: ``None``.
    """

    window: Window
    """The calls over which rates are computed, the last calls or those of the last seconds; used when a rate is set.

    Allowed: ``{"calls": 1 to 10000}`` or ``{"seconds": 1 to 3600}``. Default: ``{"calls": 100}``.
    """

    minimum_calls: int
    """Rates are not evaluated below this many calls; a window that counts calls must hold as many if a rate is set.

    Allowed: a whole number, at least 1. Default: 10.
    """

    timeout_multiplier: float
    """Each further opening waits this many times longer. Allowed: a number from 1 to 10. Default: 1.0."""
    max_timeout_seconds: float | None
    """The longest wait that the multiplier, the jitter or a hint can produce.

    Allowed: a number of seconds, at least ``timeout_seconds``, or ``None`` for one hour or ``timeout_seconds`` if that
    is more. Default: ``None``.
    """

    timeout_jitter: float
    """The wait is spread over ± this share of itself. Allowed: a number from 0 to 1. Default: 0.0."""
    probe_timeout_seconds: float | None
    """If all slots are taken and there was no probe activity for this long, the slots are reclaimed.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None`` for the same as ``timeout_seconds``.
    Default: ``None``.
    """

    cancel_failure_after_seconds: float | None
    """A call cancelled after running this long counts as a failure.

    Allowed: a number of seconds above 0 (and below 584 years), or ``None``. Default: ``None``.
    """

    shadow: bool
    """Decide and count, but reject nothing. Allowed: true or false. Default: False."""
    record_durations: bool
    """Record durations and the time of the last success; if off, the clock is read only where a rule needs it.

    Allowed: true or false. Default: True.
    """

    # end


class RawCounts(TypedDict):
    """The counters since the breaker was made."""

    # from make generate: python counts; do not edit
    total_calls: int
    successful_calls: int
    failed_calls: int
    ignored_calls: int
    cancelled_calls: int
    rejected_calls: int
    shadow_rejected: int
    slow_calls: int
    probe_timeouts: int
    in_flight: int
    # end


class RawStatus(RawCounts):
    """State, mode and counters of a breaker; times are seconds on its clock."""

    # from make generate: python status; do not edit
    now_seconds: float
    state: State
    mode: Mode
    retry_after_seconds: float | None
    generation: int
    success_rate: float
    consecutive_failures: int
    consecutive_successes: int
    window_calls: int
    window_failed: int
    window_slow: int
    state_transitions: int
    last_failure_seconds: float | None
    last_success_seconds: float | None
    last_state_change_seconds: float | None
    # end


class RawEvent(TypedDict):
    """A change of state; times are seconds on the breaker's clock."""

    # from make generate: python event; do not edit
    sequence: int
    at_seconds: float
    from_state: State
    to_state: State
    cause: Cause
    generation: int
    consecutive_failures: int
    consecutive_successes: int
    retry_after_seconds: float | None
    # end


class Asked(NamedTuple):
    """The situation of a call that asks a pool for a provider."""

    need: "Need | None" = None
    tried: Sequence[int] = ()
    """The providers that the call has tried, or must not get."""
    pin: int | None = None
    replayable: bool = True
    is_stream: bool = False
    larger_than: int | None = None


class Observer(Protocol):
    """Receives every call of a breaker."""

    def admitted(self) -> None:
        """A call was admitted."""

    def rejected(self, retry_after: float | None, reason: Reason, /) -> Exception | None:
        """A call was rejected. The breaker raises the returned exception instead of ``CircuitBreakerOpenError``."""

    def settled(self, outcome: Outcome, seconds: float | None, /) -> None:
        """A call was counted with this outcome. ``seconds`` is ``None`` if durations are not recorded.

        ``sys.exception()`` returns the exception that ended the call, if any.
        """


class Log(Protocol):
    """Receives what the breakers of this process do."""

    def changed(self, name: str, provider: str, event: RawEvent, /) -> None:
        """A circuit changed its state."""

    def rejected(self, name: str, provider: str, reason: Reason, retry_after: float | None, count: int, /) -> None:
        """Calls were rejected, ``count`` since the last report. The first is reported, then at most one a minute."""


class Telemetry(Protocol):
    """Receives what the breakers of this process do, in the context of the call."""

    def changed(self, name: str, provider: str, event: RawEvent, /) -> None:
        """A circuit changed its state."""

    def rejected(self, name: str, provider: str, reason: Reason, retry_after: float | None, /) -> None:
        """A call was rejected."""

    def settled(self, name: str, provider: str, outcome: Outcome, seconds: float | None, /) -> None:
        """A call was counted with this outcome. ``seconds`` is ``None`` if durations are not recorded."""

    def first_item(self, name: str, provider: str, seconds: float, /) -> None:
        """The first item of a stream came after this time."""
