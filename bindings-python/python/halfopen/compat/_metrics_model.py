"""The counters, as a pydantic model."""

from datetime import datetime

from pydantic import BaseModel


class CircuitBreakerMetrics(BaseModel):
    """The counters of a breaker. Times are aware and in UTC, or ``None`` before the first such event."""

    total_calls: int = 0
    successful_calls: int = 0
    failed_calls: int = 0
    rejected_calls: int = 0
    state_transitions: int = 0
    consecutive_failures: int = 0
    consecutive_successes: int = 0
    last_failure_time: datetime | None = None
    last_success_time: datetime | None = None
    last_state_change: datetime | None = None
