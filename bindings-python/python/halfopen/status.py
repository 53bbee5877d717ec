"""Readings of a breaker, in Python's own types."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import inf
from time import time
from typing import Any

from halfopen._core import CircuitBreakerConfig
from halfopen.types import Cause, Mode, RawEvent, RawStatus, TypedDict

__all__ = ["CircuitBreakerMetrics", "CircuitBreakerState", "CircuitBreakerStatus", "Durations", "Event"]


# Not a `StrEnum`, which prints differently: log searches may depend on the text of the replaced module.
class CircuitBreakerState(str, Enum):  # noqa: UP042
    """The state of a circuit; equal to its plain string."""

    # from make generate: python states; do not edit
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    # end


STATES = {state.value: state for state in CircuitBreakerState}
"""The states by their names. ``CircuitBreakerState(name)`` fails at interpreter exit since Python 3.13."""


# Without slots, here and below: with them, Python 3.11 refuses an unknown attribute by a `TypeError` about `super`.
@dataclass(frozen=True)
class CircuitBreakerMetrics:
    """The counters of a breaker. Times are aware and in UTC, or ``None`` before the first such event."""

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
    state_transitions: int
    consecutive_failures: int
    consecutive_successes: int
    window_calls: int
    window_failed: int
    window_slow: int
    last_failure_time: datetime | None
    last_success_time: datetime | None
    last_state_change: datetime | None


@dataclass(frozen=True)
class Event:
    """A change of state, with the numbers that caused it."""

    sequence: int
    at: datetime
    from_state: CircuitBreakerState
    to_state: CircuitBreakerState
    cause: Cause
    generation: int
    consecutive_failures: int
    consecutive_successes: int
    retry_after: float | None


@dataclass(frozen=True)
class Durations:
    """Durations of calls, in seconds."""

    # For pydantic: JSON has no infinity, and by default pydantic would write the last bound as `null`.
    __pydantic_config__ = {"ser_json_inf_nan": "strings"}  # noqa: RUF012

    count: int
    total_seconds: float
    buckets: list[tuple[float, int]]
    """Pairs of an upper bound, of which the last one is infinite, and the number of calls up to that duration."""


class CircuitBreakerStatus(TypedDict):
    """State, mode, counters and configuration of a breaker, ready for JSON."""

    name: str
    provider_id: str
    state: str
    mode: Mode
    retry_after_seconds: float | None
    metrics: dict[str, Any]
    config: dict[str, Any]
    failure_count: int


class WallClock:
    """Converts times of a breaker's clock to dates.

    A date is computed when it is read: the present wall clock time, minus the age on the breaker's clock. So after a
    correction of the wall clock all dates are right, also dates of the past.

    The rule is the same in every language:

    - ``offset = wall clock now - breaker's clock now``, both in seconds, and ``date = offset + time``.
    - Each reading computes a new offset. If it differs from the previous one by less than ``TOLERANCE_SECONDS``, the
      previous one is used. So the same event has the same date at every reading, although the two clocks cannot be read
      at the same instant and the wall clock may be slewed.
    - All dates of one reading use one offset. An event is read when it is delivered to a listener.

    If the breaker's clock stops while the machine sleeps, events before the sleep get dates that are too late by the
    duration of the sleep.
    """

    __slots__ = ("_offset",)
    TOLERANCE_SECONDS = 1.0

    def __init__(self) -> None:
        self._offset = inf

    def at(self, now_seconds: float) -> "Dates":
        """The dates for a reading at this time of the breaker's clock."""
        fresh = time() - now_seconds
        # If threads race here, each uses one of two offsets that are both right.
        kept = self._offset
        if abs(fresh - kept) >= self.TOLERANCE_SECONDS:
            self._offset = kept = fresh
        return Dates(kept)


@dataclass(frozen=True, slots=True)
class Dates:
    """Computes the dates of one reading."""

    offset: float

    def date(self, seconds: float) -> datetime:
        """The date of a time of the breaker's clock."""
        return datetime.fromtimestamp(self.offset + seconds, UTC)

    def date_or_none(self, seconds: float | None) -> datetime | None:
        """The same for a time that may be missing."""
        return None if seconds is None else self.date(seconds)


def metrics_of(raw: RawStatus, wall: WallClock) -> CircuitBreakerMetrics:
    """Converts a reading to counters."""
    dates = wall.at(raw["now_seconds"])
    values: dict[str, Any] = {**raw}
    counted = {name: values[name] for name in CircuitBreakerMetrics.__dataclass_fields__ if name in values}
    return CircuitBreakerMetrics(
        **counted,
        last_failure_time=dates.date_or_none(raw["last_failure_seconds"]),
        last_success_time=dates.date_or_none(raw["last_success_seconds"]),
        last_state_change=dates.date_or_none(raw["last_state_change_seconds"]),
    )


def status_of(raw: RawStatus, config: CircuitBreakerConfig, provider_id: str, wall: WallClock) -> CircuitBreakerStatus:
    """Converts a reading to a status document."""
    metrics = metrics_of(raw, wall)
    numbers = {name: getattr(metrics, name) for name in CircuitBreakerMetrics.__dataclass_fields__}
    dates = {name: value.isoformat() for name, value in numbers.items() if isinstance(value, datetime)}
    fields = config.model_dump()
    return {
        "name": fields.pop("name"),
        "provider_id": provider_id,
        "state": raw["state"],
        "mode": raw["mode"],
        "retry_after_seconds": raw["retry_after_seconds"],
        "metrics": {**numbers, **dates, "success_rate": raw["success_rate"]},
        "config": fields,
        "failure_count": raw["consecutive_failures"],
    }


def event_of(raw: RawEvent, dates: Dates) -> Event:
    """Converts a transition of the core to an event."""
    return Event(
        sequence=raw["sequence"],
        at=dates.date(raw["at_seconds"]),
        from_state=STATES[raw["from_state"]],
        to_state=STATES[raw["to_state"]],
        cause=raw["cause"],
        generation=raw["generation"],
        consecutive_failures=raw["consecutive_failures"],
        consecutive_successes=raw["consecutive_successes"],
        retry_after=raw["retry_after_seconds"],
    )
