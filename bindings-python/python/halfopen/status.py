"""What can be read of a breaker, in Python's own types."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypedDict

from halfopen._core import CircuitBreakerConfig
from halfopen.vocabulary import Cause, Mode, RawEvent, RawStatus


class CircuitBreakerState(StrEnum):
    """Where a circuit stands; equal to its plain string."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"

    # The replaced module's enumeration printed as any `str, Enum` does, and logs may be searched for that.
    __str__ = object.__str__


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

    The two clocks are compared once, so that the same moment is always the same date.
    """

    def __init__(self, now_seconds: float) -> None:
        self._origin = datetime.now(UTC).timestamp() - now_seconds

    def date(self, seconds: float) -> datetime:
        """The date of a moment on the breaker's clock."""
        return datetime.fromtimestamp(self._origin + seconds, UTC)

    def date_or_none(self, seconds: float | None) -> datetime | None:
        """The same for a moment that may not have come yet."""
        return None if seconds is None else self.date(seconds)


def metrics_of(raw: RawStatus, wall: WallClock) -> CircuitBreakerMetrics:
    """The counters of a reading."""
    values: dict[str, Any] = {**raw}
    counted = {name: values[name] for name in CircuitBreakerMetrics.__dataclass_fields__ if name in values}
    return CircuitBreakerMetrics(
        **counted,
        last_failure_time=wall.date_or_none(raw["last_failure_seconds"]),
        last_success_time=wall.date_or_none(raw["last_success_seconds"]),
        last_state_change=wall.date_or_none(raw["last_state_change_seconds"]),
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


def event_of(raw: RawEvent, wall: WallClock) -> Event:
    """A transition as the core announces it."""
    return Event(
        sequence=raw["sequence"],
        at=wall.date(raw["at_seconds"]),
        from_state=CircuitBreakerState(raw["from_state"]),
        to_state=CircuitBreakerState(raw["to_state"]),
        cause=raw["cause"],
        generation=raw["generation"],
        consecutive_failures=raw["consecutive_failures"],
        consecutive_successes=raw["consecutive_successes"],
        retry_after=raw["retry_after_seconds"],
    )
