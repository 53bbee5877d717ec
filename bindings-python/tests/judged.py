"""Errors, responses and counts for tests of the default rules."""

from collections.abc import Callable
from typing import Any

import pytest

from halfopen import CircuitBreaker
from halfopen.classify import Verdict
from halfopen.types import Outcome

FAILURE = Verdict("failure", None, "provider")


class StatusError(Exception):
    """An error with the attributes of those of SDKs, and a name that the rules do not know."""

    def __init__(self, status_code: Any, headers: Any = None, body: Any = None) -> None:
        self.status_code = status_code
        self.headers = headers
        self.body = body


class FakeResponse:
    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status_code
        self.headers = headers or {}


FakeResponse.__module__, FakeResponse.__qualname__ = "httpx", "Response"


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def counted(breaker: CircuitBreaker) -> list[Outcome]:
    """The outcomes that it has counted."""
    metrics = breaker.metrics
    counts: list[tuple[Outcome, int]] = [
        ("success", metrics.successful_calls),
        ("failure", metrics.failed_calls),
        ("ignored", metrics.ignored_calls),
        ("cancelled", metrics.cancelled_calls),
    ]
    return [outcome for outcome, count in counts for _ in range(count)]


def outcome_of(error: BaseException, **rules: Any) -> Outcome:
    breaker = CircuitBreaker(**rules)
    with pytest.raises(type(error)):
        breaker.call_sync(raising(error))
    [outcome] = counted(breaker)
    return outcome
