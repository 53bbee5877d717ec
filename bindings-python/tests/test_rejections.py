"""Rejections of other breakers are ignored."""

from collections.abc import Callable
from typing import Any

import pytest

from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    InvalidValueError,
    Registry,
    RegistryFullError,
)
from nesting import CLOSED, OPEN, WAYS, raising, run


def rejection(breaker: CircuitBreaker) -> CircuitBreakerOpenError:
    breaker.force_open()
    with pytest.raises(CircuitBreakerOpenError) as rejected:
        breaker.acquire()
    return rejected.value


@pytest.mark.parametrize("name", WAYS)
def test_one_failure_behind_an_inner_breaker_does_not_open_the_outer_one(name: str) -> None:
    inner, outer = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1)), CircuitBreaker()
    errors = 0
    for _ in range(20):
        with pytest.raises((OSError, CircuitBreakerOpenError)) as caught:
            run(WAYS[name](outer, lambda: inner.call_sync(raising(OSError("gone")))))
        errors += caught.type is OSError
    assert (errors, inner.state, outer.state) == (1, OPEN, CLOSED)
    assert (outer.metrics.failed_calls, outer.metrics.ignored_calls) == (1, 19)


def test_a_group_of_rejections_is_ignored_and_another_group_fails(breaker: CircuitBreaker) -> None:
    rejected = rejection(CircuitBreaker())
    groups = {
        "ignored": [
            ExceptionGroup("all", [rejected, rejected]),
            ExceptionGroup("deep", [ExceptionGroup("inner", [rejected]), rejected]),
        ],
        "failed": [
            ExceptionGroup("mixed", [rejected, OSError()]),
            ExceptionGroup("deep", [rejected, ExceptionGroup("inner", [rejected, OSError()])]),
        ],
    }
    breaker = CircuitBreaker()
    for wanted, made in groups.items():
        for group in made:
            before = breaker.metrics
            with pytest.raises(ExceptionGroup):
                breaker.call_sync(raising(group))
            after = breaker.metrics
            assert after.ignored_calls - before.ignored_calls == (wanted == "ignored")
            assert after.failed_calls - before.failed_calls == (wanted == "failed")


@pytest.mark.parametrize("outcome", ["success", "failure", "ignored", "cancelled"])
def test_the_classifier_decides_about_rejections(outcome: Any) -> None:
    rejected = rejection(CircuitBreaker())
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1), classify=lambda _: outcome)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(raising(rejected))
    counted = {
        "success": breaker.metrics.successful_calls, "failure": breaker.metrics.failed_calls,
        "ignored": breaker.metrics.ignored_calls, "cancelled": breaker.metrics.cancelled_calls,
    }  # fmt: skip
    assert {name for name, count in counted.items() if count} == {outcome}


@pytest.mark.parametrize("error", [RegistryFullError(1), InvalidValueError("name", "x", "y"), OSError()])
def test_an_error_that_looks_like_a_rejection_counts(breaker: CircuitBreaker, error: Exception) -> None:
    with pytest.raises(type(error)):
        breaker.call_sync(raising(error))
    assert breaker.state is OPEN


def test_an_error_raised_from_a_rejection_counts(breaker: CircuitBreaker) -> None:
    error = LookupError("no provider is left")
    error.__cause__ = rejection(CircuitBreaker())
    with pytest.raises(LookupError):
        breaker.call_sync(raising(error))
    assert breaker.state is OPEN


@pytest.mark.parametrize("name", WAYS)
def test_the_error_that_is_being_handled_is_the_context_of_a_rejection(name: str) -> None:
    breaker, handled = CircuitBreaker(), OSError("handled")
    breaker.force_open()
    with pytest.raises(CircuitBreakerOpenError) as rejected:
        run(WAYS[name](breaker, int))
    assert rejected.value.__context__ is None
    try:
        raise handled
    except OSError:
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            run(WAYS[name](breaker, int))
    assert rejected.value.__context__ is handled


def test_the_error_that_is_being_handled_is_the_context_of_our_other_errors() -> None:
    breaker, handled = CircuitBreaker(), OSError("handled")
    refused: list[Callable[[], object]] = [
        lambda: breaker.force_open(-1),
        lambda: breaker.call_sync(5),  # type: ignore[arg-type]
        lambda: Registry(0),
    ]
    for refuse in refused:
        try:
            raise handled
        except OSError:
            with pytest.raises(InvalidValueError) as error:
                refuse()
        assert error.value.__context__ is handled
