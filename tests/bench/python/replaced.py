"""A breaker as backends write it themselves: the kind of module that `halfopen.compat` replaces.

It takes an asyncio lock twice for each call, keeps its metrics in a pydantic model, and looks up its Prometheus
labels at each event.
"""

import asyncio
import functools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ParamSpec, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import BaseModel

P = ParamSpec("P")
R = TypeVar("R")

REGISTRY = CollectorRegistry()
CALLS = Counter("circuit_breaker_calls", "Calls", ["name", "outcome"], registry=REGISTRY)
SECONDS = Histogram("circuit_breaker_call_seconds", "Durations", ["name"], registry=REGISTRY)


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Metrics(BaseModel):
    total_calls: int = 0
    success_count: int = 0
    failure_count: int = 0
    rejected_count: int = 0
    consecutive_failures: int = 0
    last_success_time: datetime | None = None
    last_failure_time: datetime | None = None


class CircuitOpenError(Exception):
    """The circuit is open."""


class ReplacedBreaker:
    def __init__(self, name: str, failure_threshold: int, timeout: timedelta) -> None:
        self.name = name
        self.failure_threshold = failure_threshold
        self.timeout = timeout
        self.state = State.CLOSED
        self.opened_at: datetime | None = None
        self.metrics = Metrics()
        self._lock = asyncio.Lock()

    def __call__(self, function: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
        @functools.wraps(function)
        async def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            await self._admit()
            start = time.monotonic()
            try:
                result = await function(*args, **kwargs)
            except Exception:
                SECONDS.labels(name=self.name).observe(time.monotonic() - start)
                await self._failed()
                raise
            SECONDS.labels(name=self.name).observe(time.monotonic() - start)
            await self._succeeded()
            return result

        return guarded

    async def _admit(self) -> None:
        async with self._lock:
            self._count("attempted")
            self.metrics.total_calls += 1
            if self.state is State.OPEN:
                if self.opened_at is None or datetime.now(UTC) - self.opened_at < self.timeout:
                    self.metrics.rejected_count += 1
                    self._count("rejected")
                    raise CircuitOpenError(f"circuit {self.name} is open")
                self.state = State.HALF_OPEN

    async def _succeeded(self) -> None:
        async with self._lock:
            self._count("success")
            self.metrics.success_count += 1
            self.metrics.consecutive_failures = 0
            self.metrics.last_success_time = datetime.now(UTC)
            if self.state is State.HALF_OPEN:
                self.state = State.CLOSED

    async def _failed(self) -> None:
        async with self._lock:
            self._count("failure")
            self.metrics.failure_count += 1
            self.metrics.consecutive_failures += 1
            self.metrics.last_failure_time = datetime.now(UTC)
            if self.metrics.consecutive_failures >= self.failure_threshold:
                self.state = State.OPEN
                self.opened_at = self.metrics.last_failure_time

    def _count(self, outcome: str) -> None:
        CALLS.labels(name=self.name, outcome=outcome).inc()
