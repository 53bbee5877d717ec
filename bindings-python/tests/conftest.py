"""Fixtures: a breaker that opens at its first failure, and the manual clock that it uses."""

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    config = CircuitBreakerConfig(
        name="gemini", failure_threshold=1, success_threshold=1, timeout_seconds=30, half_open_max_calls=1
    )
    return CircuitBreaker(config, provider_id="google", clock=clock)
