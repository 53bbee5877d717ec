"""Exceptions that the compiled part judges by their class alone."""

from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig


class ProviderError(Exception):
    """Says nothing about a status."""


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=1000))


def fail(breaker: CircuitBreaker, error: BaseException) -> None:
    def call() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        breaker.call_sync(call)
    assert raised.value is error


def counts(breaker: CircuitBreaker) -> tuple[int, int]:
    return breaker.metrics.failed_calls, breaker.metrics.ignored_calls


@pytest.mark.parametrize("kind", [ProviderError, ConnectionError, ValueError, OSError])
def test_each_exception_of_a_plain_class_is_a_failure(breaker: CircuitBreaker, kind: type[Exception]) -> None:
    for _ in range(3):
        fail(breaker, kind())
    assert counts(breaker) == (3, 0)


def test_an_exception_with_a_status_is_judged_by_it(breaker: CircuitBreaker) -> None:
    fail(breaker, ProviderError())
    wrong: Any = ProviderError()
    wrong.status_code = 400
    fail(breaker, wrong)
    broken: Any = ProviderError()
    broken.status_code = 503
    fail(breaker, broken)
    assert counts(breaker) == (2, 1)


def test_a_class_that_gets_a_status_later_is_judged_by_it(breaker: CircuitBreaker) -> None:
    class Changed(Exception):
        pass

    fail(breaker, Changed())
    Changed.status_code = property(lambda _: 404)  # type: ignore[attr-defined]
    fail(breaker, Changed())
    assert counts(breaker) == (1, 1)


def test_a_class_that_computes_attributes_is_asked_each_time(breaker: CircuitBreaker) -> None:
    class Computed(Exception):
        def __getattr__(self, name: str) -> Any:
            if name == "status_code":
                return self.args[0]
            raise AttributeError(name)

    for status in (500, 400, 503):
        fail(breaker, Computed(status))
    assert counts(breaker) == (2, 1)


def test_a_breakers_own_rules_come_first(breaker: CircuitBreaker) -> None:
    fail(breaker, ProviderError())
    ignoring = CircuitBreaker("own", ignore=ProviderError)
    fail(ignoring, ProviderError())
    classifying = CircuitBreaker("own", classify=lambda _: "ignored")
    fail(classifying, ProviderError())
    assert counts(ignoring) == counts(classifying) == (0, 1)
