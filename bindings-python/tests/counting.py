"""Failing calls, and what a breaker has counted of them."""

import asyncio
from typing import Any

import httpx

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock


def breaker_of(**rules: Any) -> CircuitBreaker:
    return CircuitBreaker("provider", failure_threshold=60_000, **rules)


def failed_and_ignored(breaker: CircuitBreaker) -> tuple[int, int]:
    assert breaker.metrics.in_flight == 0
    return breaker.metrics.failed_calls, breaker.metrics.ignored_calls


def fail(number: int = 0) -> None:
    raise OSError(number)


async def fail_soon(number: int = 0) -> None:
    await asyncio.sleep(0)
    raise OSError(number)


def response(status: int = 503) -> httpx.Response:
    return httpx.Response(status, request=httpx.Request("GET", "http://provider"))


def lived() -> CircuitBreaker:
    """A breaker with a success, a failure and a transition."""
    config = CircuitBreakerConfig(name="gemini", failure_threshold=1)
    breaker = CircuitBreaker(config, provider_id="google", clock=ManualClock())
    breaker.acquire().success()
    breaker.acquire().failure()
    return breaker
