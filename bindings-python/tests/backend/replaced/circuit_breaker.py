"""The module that ``halfopen.compat`` replaces, as that backend had it: its interface, behaviour and defects."""

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from prometheus_client import Counter, Gauge, Histogram
from pydantic import BaseModel, Field

logger = logging.getLogger("app.patterns.circuit_breaker")

circuit_breaker_state = Gauge("circuit_breaker_state", "0 closed, 1 half-open, 2 open.", ["name", "provider"])
circuit_breaker_calls_total = Counter(
    "circuit_breaker_calls_total", "Calls through circuit breakers.", ["name", "provider", "status"]
)
circuit_breaker_state_transitions = Counter(
    "circuit_breaker_state_transitions_total",
    "Changes of state of circuit breakers.",
    ["name", "provider", "from_state", "to_state"],
)
circuit_breaker_call_duration = Histogram(
    "circuit_breaker_call_duration_seconds",
    "How long calls through circuit breakers took.",
    ["name", "provider", "status"],
)


class CircuitBreakerState(str, Enum):  # noqa: UP042 (as it was)
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class CircuitBreakerConfig(BaseModel):
    name: str = "default"
    failure_threshold: int = Field(default=5, ge=1)
    success_threshold: int = Field(default=2, ge=1)
    timeout_seconds: float = Field(default=60.0, gt=0)
    half_open_max_calls: int = Field(default=3, ge=1)


class CircuitBreakerMetrics(BaseModel):
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


class CircuitBreakerOpenError(Exception):
    def __init__(self, circuit_name: str, retry_after: float) -> None:
        self.circuit_name = circuit_name
        self.retry_after = retry_after
        super().__init__(f"Circuit breaker '{circuit_name}' is OPEN. Retry after {retry_after:.1f} seconds.")


class CircuitBreaker:
    def __init__(self, config: CircuitBreakerConfig, provider_id: str = "unknown") -> None:
        self.config = config
        self.provider_id = provider_id
        self._state = CircuitBreakerState.CLOSED
        self._metrics = CircuitBreakerMetrics()
        self._opened_at: datetime | None = None
        self._half_open_calls = 0
        self._lock = asyncio.Lock()
        self._tell_state()
        logger.info("Circuit breaker '%s' initialized for provider '%s'", config.name, provider_id)

    @property
    def state(self) -> CircuitBreakerState:
        return self._state

    @property
    def metrics(self) -> CircuitBreakerMetrics:
        return self._metrics.model_copy()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        @functools.wraps(func)
        async def guarded(*args: Any, **kwargs: Any) -> Any:
            return await self.call(func, *args, **kwargs)

        return guarded

    async def call(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        async with self._lock:
            self._admit()
        self._metrics.total_calls += 1
        self._count("attempted")
        began = time.monotonic()
        try:
            result = func(*args, **kwargs)
            if asyncio.iscoroutine(result):
                result = await result
        except Exception as error:
            self._observe("failure", began)
            async with self._lock:
                self._failed(error)
            raise
        self._observe("success", began)
        async with self._lock:
            self._succeeded()
        return result

    async def reset(self) -> None:
        async with self._lock:
            self._enter(CircuitBreakerState.CLOSED)
            self._metrics.consecutive_failures = 0
            self._metrics.consecutive_successes = 0
            logger.info("Circuit breaker '%s' manually reset", self.config.name)

    async def force_open(self) -> None:
        async with self._lock:
            self._enter(CircuitBreakerState.OPEN)
            self._opened_at = datetime.now(UTC)
            logger.info("Circuit breaker '%s' manually opened", self.config.name)

    def get_status(self) -> dict[str, Any]:
        metrics = self._metrics
        ended = metrics.successful_calls + metrics.failed_calls
        dates = {
            field: value.isoformat() if (value := getattr(metrics, field)) else None
            for field in ("last_failure_time", "last_success_time", "last_state_change")
        }
        return {
            "name": self.config.name,
            "provider_id": self.provider_id,
            "state": self._state.value,
            "retry_after_seconds": self._left() if self._state is CircuitBreakerState.OPEN else None,
            "metrics": {
                **metrics.model_dump(),
                **dates,
                "success_rate": 100 * metrics.successful_calls / ended if ended else 0.0,
            },
            "config": self.config.model_dump(exclude={"name"}),
            "failure_count": metrics.consecutive_failures,
        }

    def _admit(self) -> None:
        if self._state is CircuitBreakerState.OPEN:
            if (left := self._left()) > 0:
                self._reject(left)
            self._enter(CircuitBreakerState.HALF_OPEN)
            self._half_open_calls = 0
        if self._state is CircuitBreakerState.HALF_OPEN:
            if self._half_open_calls >= self.config.half_open_max_calls:
                self._reject(5.0)
            self._half_open_calls += 1

    def _reject(self, retry_after: float) -> None:
        self._metrics.rejected_calls += 1
        self._count("rejected")
        logger.debug("Circuit breaker '%s' rejected a call", self.config.name)
        raise CircuitBreakerOpenError(self.config.name, retry_after)

    def _failed(self, error: Exception) -> None:
        metrics = self._metrics
        metrics.failed_calls += 1
        metrics.consecutive_failures += 1
        metrics.consecutive_successes = 0
        metrics.last_failure_time = datetime.now(UTC)
        self._count("failure")
        logger.warning(
            "Circuit breaker '%s': %s, %d in a row",
            self.config.name,
            type(error).__name__,
            metrics.consecutive_failures,
        )
        if self._state is CircuitBreakerState.HALF_OPEN:
            self._enter(CircuitBreakerState.OPEN)
        elif metrics.consecutive_failures >= self.config.failure_threshold:
            self._enter(CircuitBreakerState.OPEN)
            logger.error("Circuit breaker '%s' OPENED", self.config.name)

    def _succeeded(self) -> None:
        metrics = self._metrics
        metrics.successful_calls += 1
        metrics.consecutive_successes += 1
        metrics.consecutive_failures = 0
        metrics.last_success_time = datetime.now(UTC)
        self._count("success")
        if self._state is CircuitBreakerState.HALF_OPEN:
            if metrics.consecutive_successes >= self.config.success_threshold:
                self._enter(CircuitBreakerState.CLOSED)
                logger.info("Circuit breaker '%s' recovered", self.config.name)
            self._half_open_calls -= 1

    def _enter(self, state: CircuitBreakerState) -> None:
        left, self._state = self._state, state
        if left is state:
            return
        if state is CircuitBreakerState.OPEN:
            self._opened_at = datetime.now(UTC)
        self._metrics.state_transitions += 1
        self._metrics.last_state_change = datetime.now(UTC)
        self._metrics.consecutive_successes = 0
        circuit_breaker_state_transitions.labels(
            name=self.config.name, provider=self.provider_id, from_state=left.value, to_state=state.value
        ).inc()
        self._tell_state()
        logger.info("Circuit breaker '%s': %s -> %s", self.config.name, left.value, state.value)

    def _left(self) -> float:
        passed = (datetime.now(UTC) - self._opened_at).total_seconds() if self._opened_at else 0.0
        return max(0.0, self.config.timeout_seconds - passed)

    def _tell_state(self) -> None:
        number = {"closed": 0, "half_open": 1, "open": 2}[self._state.value]
        circuit_breaker_state.labels(name=self.config.name, provider=self.provider_id).set(number)

    def _count(self, status: str) -> None:
        circuit_breaker_calls_total.labels(name=self.config.name, provider=self.provider_id, status=status).inc()

    def _observe(self, status: str, began: float) -> None:
        circuit_breaker_call_duration.labels(name=self.config.name, provider=self.provider_id, status=status).observe(
            time.monotonic() - began
        )
