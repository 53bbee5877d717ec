"""Fixtures: a breaker that opens at its first failure, the manual clock that it uses, and a provider with its URL."""

from collections.abc import Iterator

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock
from provider import Provider


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    config = CircuitBreakerConfig(
        name="gemini", failure_threshold=1, success_threshold=1, timeout_seconds=30, half_open_max_calls=1
    )
    return CircuitBreaker(config, provider_id="google", clock=clock)


@pytest.fixture
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture
def url(provider: Provider) -> str:
    return provider.openai_url + "/chat/completions"
