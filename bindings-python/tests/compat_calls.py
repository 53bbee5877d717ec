"""Calls of a breaker of ``halfopen.compat`` that fail or are rejected."""

import pytest

from halfopen.compat import CircuitBreaker, CircuitBreakerOpenError


def failing() -> None:
    raise ConnectionError("token=secret")


def fails(breaker: CircuitBreaker) -> None:
    with pytest.raises(ConnectionError):
        breaker.call_sync(failing)


def rejects(breaker: CircuitBreaker) -> CircuitBreakerOpenError:
    with pytest.raises(CircuitBreakerOpenError) as caught:
        breaker.call_sync(failing)
    return caught.value
