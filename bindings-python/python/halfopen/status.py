"""What can be read of a breaker, in Python's own types."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from math import inf
from time import time
from typing import Any

from halfopen._core import CircuitBreakerConfig
from halfopen.vocabulary import Cause, Mode, RawEvent, RawStatus, TypedDict


# As the replaced module wrote it: a `StrEnum` prints in another way, and logs may be searched for that.
class CircuitBreakerState(str, Enum):  # noqa: UP042
    """Where a circuit stands; equal to its plain string."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class CircuitBreakerMetrics:
    """A reading of a breaker's counters; the times are aware, in UTC, or ``None`` before the first."""

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


@dataclass(frozen=True, slots=True)
class Event:
    """A change of state, with the numbers that decided it."""

    sequence: int
    at: datetime
    from_state: CircuitBreakerState
    to_state: CircuitBreakerState
    cause: Cause
    generation: int
    consecutive_failures: int
    consecutive_successes: int
    retry_after: float | None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long calls took, in seconds."""

    # Read by pydantic: JSON has no infinity, and the default would write the last bound as `null`.
    __pydantic_config__ = {"ser_json_inf_nan": "strings"}  # noqa: RUF012

    count: int
    total_seconds: float
    buckets: list[tuple[float, int]]
    """For each bucket its upper bound, the last one infinite, and the calls that took at most so long."""


class CircuitBreakerStatus(TypedDict):
    """A breaker's status, ready for JSON."""

    name: str
    provider_id: str
    state: str
    mode: Mode
    retry_after_seconds: float | None
    metrics: dict[str, Any]
    config: dict[str, Any]
    failure_count: int


class WallClock:
    """Turns a breaker's clock into dates.

    A date is worked out when it is read: the wall clock's time now, less the age of the moment on the breaker's clock.
    So a wall clock that is set right makes every date right, those of the past too.

    The rule, which is the same in every language:

    - ``offset = wall now - breaker's clock now``, both in seconds, and ``date = offset + moment``.
    - Each reading works the offset out afresh. It keeps the one that the reading before used while the two differ by
      less than ``TOLERANCE_SECONDS``, and takes the fresh one otherwise. So the same moment has the same date at every
      reading, although two clocks are never read at the same instant and the wall clock is slewed.
    - All dates of one reading use one offset. A listener's event is a reading of its own, made when it is delivered.

    The age is that of the breaker's clock: where that one stands still while a machine sleeps, moments before the sleep
    are dated later by as long as it slept.
    """

    __slots__ = ("_offset",)
    TOLERANCE_SECONDS = 1.0

    def __init__(self) -> None:
        self._offset = inf

    def at(self, now_seconds: float) -> "Dates":
        """The dates of a reading that was made at this moment of the breaker's clock."""
        fresh = time() - now_seconds
        # Threads may race here: each then has one of two offsets that are both right.
        kept = self._offset
        if abs(fresh - kept) >= self.TOLERANCE_SECONDS:
            self._offset = kept = fresh
        return Dates(kept)


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of one reading."""

    offset: float

    def date(self, seconds: float) -> datetime:
        """The date of a moment on the breaker's clock."""
        return datetime.fromtimestamp(self.offset + seconds, UTC)

    def date_or_none(self, seconds: float | None) -> datetime | None:
        """The same for a moment that may not have come yet."""
        return None if seconds is None else self.date(seconds)


def metrics_of(raw: RawStatus, wall: WallClock) -> CircuitBreakerMetrics:
    """The counters of a reading."""
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
    """A reading as the document that operators and tests read."""
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
    """A transition as the core announces it."""
    return Event(
        sequence=raw["sequence"],
        at=dates.date(raw["at_seconds"]),
        from_state=CircuitBreakerState(raw["from_state"]),
        to_state=CircuitBreakerState(raw["to_state"]),
        cause=raw["cause"],
        generation=raw["generation"],
        consecutive_failures=raw["consecutive_failures"],
        consecutive_successes=raw["consecutive_successes"],
        retry_after=raw["retry_after_seconds"],
    )
