"""Fixtures: a breaker that opens at its first failure, its manual clock, a provider and its URL, a log that fails."""

import logging
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


class Broken(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        raise OSError(f"no space left for {record.name}")


@pytest.fixture
def broken_log() -> Iterator[None]:
    """Each record of ``halfopen`` also goes to a handler that fails."""
    logger, handler = logging.getLogger("halfopen"), Broken()
    logger.addHandler(handler)
    yield
    logger.removeHandler(handler)
