"""The words and documents that the core speaks in, for type checkers."""

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
    """The last so many calls."""

    calls: int


class WindowOfSeconds(TypedDict):
    """The last so many seconds."""

    seconds: int


Window = WindowOfCalls | WindowOfSeconds
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
    """The lifetime counters."""

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
    """A reading of a breaker; moments are seconds on its clock."""

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
    """A change of state; moments are seconds on the breaker's clock."""

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
    """Keeps books of the calls of a breaker."""

    def admitted(self) -> None:
        """A call has been admitted."""

    def rejected(self, retry_after: float | None, reason: Reason, /) -> Exception | None:
        """A call has been rejected; what is returned is raised instead of a ``CircuitBreakerOpenError``."""

    def settled(self, outcome: Outcome, seconds: float | None, /) -> None:
        """A call was counted with this outcome; ``None`` seconds where durations are not recorded.

        Where an exception ended it, that is what ``sys.exception()`` returns.
        """
