"""Retries around and inside a breaker, as docs/retries.md says."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import stamina
from tenacity import (
    AsyncRetrying,
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_not_exception_type,
    stop_after_attempt,
    wait_none,
)

from halfopen import CircuitBreaker, CircuitBreakerOpenError, ManualClock

DOWN_SECONDS = 100


class Provider:
    """A provider that is down at first."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.calls: list[float] = []

    def ask(self) -> str:
        self.calls.append(self.clock())
        if self.clock() < DOWN_SECONDS:
            raise ConnectionError("down")
        return "well"

    async def ask_async(self) -> str:
        return self.ask()


@pytest.fixture
def flaky(clock: ManualClock) -> Provider:
    return Provider(clock)


@pytest.fixture
def stamina_sleeps(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(time, "sleep", clock.advance)
    stamina.instrumentation.set_on_retry_hooks([])
    yield
    stamina.instrumentation.set_on_retry_hooks(None)


def wait_for_circuit(state: RetryCallState) -> float:
    error = state.outcome and state.outcome.exception()
    return (error.retry_after or 0) if isinstance(error, CircuitBreakerOpenError) else 0


def is_worth_a_wait(error: BaseException) -> bool:
    return not isinstance(error, CircuitBreakerOpenError) or error.retry_after is not None


def on(error: Exception) -> bool | float:
    if isinstance(error, CircuitBreakerOpenError):
        return error.retry_after or False
    return isinstance(error, ConnectionError)


def test_a_rejection_that_is_excluded_ends_the_retry(breaker: CircuitBreaker, flaky: Provider) -> None:
    tried = retry_if_not_exception_type(CircuitBreakerOpenError)
    retrying = Retrying(retry=tried, wait=wait_none(), stop=stop_after_attempt(9), reraise=True)
    with pytest.raises(CircuitBreakerOpenError) as caught:
        retrying(breaker(flaky.ask))
    assert caught.value.retry_after == 30
    assert (len(flaky.calls), breaker.metrics.rejected_calls) == (1, 1)


async def test_a_rejection_that_is_excluded_ends_the_retry_of_a_coroutine(
    breaker: CircuitBreaker, flaky: Provider
) -> None:
    tried = retry_if_not_exception_type(CircuitBreakerOpenError)
    retrying = AsyncRetrying(retry=tried, wait=wait_none(), stop=stop_after_attempt(9), reraise=True)
    with pytest.raises(CircuitBreakerOpenError):
        await retrying(breaker(flaky.ask_async))
    assert (len(flaky.calls), breaker.metrics.rejected_calls) == (1, 1)


def test_a_rejection_is_nothing_that_stamina_is_told_to_retry(breaker: CircuitBreaker, flaky: Provider) -> None:
    with stamina.set_testing(True, attempts=9), pytest.raises(CircuitBreakerOpenError):
        stamina.retry(on=ConnectionError)(breaker(flaky.ask))()
    assert len(flaky.calls) == 1


def test_tenacity_waits_for_as_long_as_the_circuit_is_open(
    breaker: CircuitBreaker, flaky: Provider, clock: ManualClock
) -> None:
    retrying = Retrying(
        retry=retry_if_exception(is_worth_a_wait),
        wait=wait_for_circuit,
        stop=stop_after_attempt(20),
        sleep=clock.advance,
        reraise=True,
    )
    assert retrying(breaker(flaky.ask)) == "well"
    # One call when the circuit is closed, and one probe at the end of each wait: none is rejected twice.
    assert flaky.calls == [0, 30, 60, 90, 120]
    assert (breaker.metrics.rejected_calls, breaker.state) == (4, "closed")


@pytest.mark.usefixtures("stamina_sleeps")
def test_stamina_waits_for_as_long_as_the_circuit_is_open(breaker: CircuitBreaker, flaky: Provider) -> None:
    retried: Callable[[], str] = stamina.retry(on=on, attempts=20, timeout=None, wait_jitter=0)(breaker(flaky.ask))
    assert retried() == "well"
    assert len(flaky.calls) == 5
    assert breaker.metrics.rejected_calls == 4


def test_a_circuit_that_is_held_open_without_end_is_not_waited_for(
    breaker: CircuitBreaker, flaky: Provider, clock: ManualClock
) -> None:
    breaker.force_open()
    retrying = Retrying(retry=retry_if_exception(is_worth_a_wait), sleep=clock.advance, reraise=True)
    with pytest.raises(CircuitBreakerOpenError):
        retrying(breaker(flaky.ask))
    with stamina.set_testing(True, attempts=9), pytest.raises(CircuitBreakerOpenError):
        stamina.retry(on=on)(breaker(flaky.ask))()
    assert (breaker.metrics.rejected_calls, flaky.calls, clock()) == (2, [], 0)


@pytest.mark.parametrize("inside", [True, False])
def test_the_order_decides_whether_attempts_or_series_count(clock: ManualClock, flaky: Provider, inside: bool) -> None:
    breaker = CircuitBreaker("gemini", failure_threshold=9, clock=clock)

    def retried(function: Callable[[], Any]) -> Callable[[], Any]:
        return Retrying(stop=stop_after_attempt(3), wait=wait_none(), reraise=True).wraps(function)

    ask = breaker(retried(flaky.ask)) if inside else retried(breaker(flaky.ask))
    with pytest.raises(ConnectionError):
        ask()
    assert (len(flaky.calls), breaker.metrics.failed_calls) == (3, 1 if inside else 3)


def test_waits_inside_the_call_make_it_slow(clock: ManualClock, flaky: Provider) -> None:
    breaker = CircuitBreaker("gemini", failure_threshold=9, slow_call_seconds=60, clock=clock)
    retrying = Retrying(stop=stop_after_attempt(9), wait=lambda _: 50, sleep=clock.advance)
    assert breaker(retrying.wraps(flaky.ask))() == "well"
    assert (breaker.metrics.successful_calls, breaker.metrics.slow_calls) == (1, 1)
