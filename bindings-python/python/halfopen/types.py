"""Types of names and dictionaries, for type checkers."""

import sys
from typing import Literal, Protocol

# Pydantic takes typing's own from Python 3.12 on.
if sys.version_info >= (3, 12):
    from typing import TypedDict as TypedDict  # noqa: PLC0414
else:
    from typing_extensions import TypedDict as TypedDict  # noqa: PLC0414

Outcome = Literal["success", "failure", "ignored", "cancelled"]
State = Literal["closed", "open", "half_open"]
Mode = Literal["auto", "forced_open", "disabled", "shadow"]


class WindowOfCalls(TypedDict):
    """A window of the most recent calls."""

    calls: int


class WindowOfSeconds(TypedDict):
    """A window of the most recent seconds."""

    seconds: int


Window = WindowOfCalls | WindowOfSeconds


class ConfigFields(TypedDict, total=False):
    """The fields of ``CircuitBreakerConfig``, as keyword arguments."""

    name: str
    failure_threshold: int | None
    success_threshold: int
    timeout_seconds: float
    half_open_max_calls: int
    failure_rate_threshold: float | None
    slow_call_seconds: float | None
    slow_call_rate_threshold: float | None
    window: Window
    minimum_calls: int
    timeout_multiplier: float
    max_timeout_seconds: float | None
    timeout_jitter: float
    probe_timeout_seconds: float | None
    cancel_failure_after_seconds: float | None
    shadow: bool
    record_durations: bool


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


class RawCounts(TypedDict):
    """The counters since the breaker was made."""

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


class RawStatus(RawCounts):
    """State, mode and counters of a breaker; times are seconds on its clock."""

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


class RawEvent(TypedDict):
    """A change of state; times are seconds on the breaker's clock."""

    sequence: int
    at_seconds: float
    from_state: State
    to_state: State
    cause: Cause
    generation: int
    consecutive_failures: int
    consecutive_successes: int
    retry_after_seconds: float | None


class Observer(Protocol):
    """Is told about every call of a breaker."""

    def admitted(self) -> None:
        """A call was admitted."""

    def rejected(self, retry_after: float | None, reason: Reason, /) -> Exception | None:
        """A call was rejected. The breaker raises the returned exception instead of ``CircuitBreakerOpenError``."""

    def settled(self, outcome: Outcome, seconds: float | None, /) -> None:
        """A call was counted with this outcome. ``seconds`` is ``None`` if durations are not recorded.

        ``sys.exception()`` returns the exception that ended the call, if any.
        """
