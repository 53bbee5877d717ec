"""Outcomes of exceptions."""

import asyncio
import logging
import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerState
from judged import raising


class Unprintable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even a text")


@pytest.mark.parametrize("giving_up", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
async def test_cancellation_is_no_failure(breaker: CircuitBreaker, giving_up: type[BaseException]) -> None:
    def block() -> None:
        with breaker:
            raise giving_up

    gives_up = raising(giving_up())
    ways: list[Callable[[], None]] = [lambda: breaker.call_sync(gives_up), breaker(gives_up), block]
    for way in ways:
        with pytest.raises(giving_up):
            way()
    assert breaker.state is CircuitBreakerState.CLOSED
    assert breaker.metrics.cancelled_calls == 3


async def test_a_cancelled_probe_frees_its_slot(breaker: CircuitBreaker, clock: Any) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    started = asyncio.Event()

    async def hang() -> None:
        started.set()
        await asyncio.Event().wait()

    for cancelled in range(1, 4):
        started.clear()
        task = asyncio.create_task(breaker.call(hang))
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (cancelled, 0)
    assert await breaker.call(lambda: "admitted") == "admitted"
    assert breaker.state is CircuitBreakerState.CLOSED


def test_trio_cancels_as_asyncio_does(breaker: CircuitBreaker) -> None:
    async def main() -> None:
        with trio.CancelScope() as scope:
            async with breaker:
                scope.cancel()
                await trio.sleep_forever()

    trio.run(main)
    assert breaker.metrics.cancelled_calls == 1


def test_a_timeout_raised_inside_the_call_is_a_failure(breaker: CircuitBreaker) -> None:
    with pytest.raises(TimeoutError):
        breaker.call_sync(raising(TimeoutError()))
    assert breaker.state is CircuitBreakerState.OPEN


def test_an_exception_without_a_text_breaks_nothing(breaker: CircuitBreaker) -> None:
    with pytest.raises(Unprintable):
        breaker.call_sync(raising(Unprintable()))
    assert breaker.metrics.failed_calls == 1


def test_the_classifier_decides(clock: Any) -> None:
    config = CircuitBreakerConfig(failure_threshold=1)
    breaker = CircuitBreaker(
        config, clock=clock, classify=lambda e: "ignored" if isinstance(e, KeyError) else "failure"
    )
    with pytest.raises(KeyError):
        breaker.call_sync(raising(KeyError("the caller's fault")))
    assert (breaker.state, breaker.metrics.ignored_calls) == (CircuitBreakerState.CLOSED, 1)
    with pytest.raises(OSError, match="route"):
        breaker.call_sync(raising(OSError("no route")))
    assert breaker.state is CircuitBreakerState.OPEN


@pytest.mark.parametrize("answer", ["nonsense", [], 3])
def test_an_invalid_outcome_of_a_classifier_counts_as_failure(answer: Any, caplog: pytest.LogCaptureFixture) -> None:
    breaker = CircuitBreaker(classify=lambda _: answer)
    with pytest.raises(OSError, match="secret"):
        breaker.call_sync(raising(OSError("https://user:secret@host")))
    assert (breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0)
    assert "secret" not in caplog.text
    assert "OSError" in caplog.text


def test_an_exception_of_a_classifier_leaks_no_permit(caplog: pytest.LogCaptureFixture) -> None:
    def classify(error: Exception) -> Any:
        raise ValueError("secret") from error

    breaker = CircuitBreaker(classify=classify)
    with caplog.at_level(logging.WARNING, "halfopen"), pytest.raises(OSError, match="mine"):
        breaker.call_sync(raising(OSError("mine")))
    assert (breaker.metrics.failed_calls, breaker.metrics.in_flight) == (1, 0)
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


def ways_to_call(breaker: CircuitBreaker, function: Callable[[], None]) -> list[Callable[[], None]]:
    async def coroutine() -> None:
        function()

    def block() -> None:
        with breaker:
            function()

    return [
        breaker(function),
        lambda: breaker.call_sync(function),
        lambda: asyncio.run(breaker(coroutine)()),
        lambda: asyncio.run(breaker.call(coroutine)),
        lambda: asyncio.run(breaker.call(function)),
        block,
    ]


def test_secrets_in_the_url_of_an_exception_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    def confused(error: Exception) -> Any:
        raise ValueError(f"what is {error}?")

    caplog.set_level(logging.DEBUG)
    error = OSError("https://user:secret@host")
    classifiers: list[Callable[[Exception], Any]] = [lambda _: "failure", lambda _: "nonsense", confused]
    for classify in classifiers:
        breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1), classify=classify)
        for way in ways_to_call(breaker, raising(error)):
            breaker.reset()
            with pytest.raises(OSError, match="secret"):
                way()
        assert "secret" not in f"{breaker.explain()} {breaker.metrics} {breaker.events()} {breaker!r}"
    assert "classify= raised" in caplog.text
    assert "secret" not in caplog.text


def test_a_classifier_runs_as_inside_an_except_block() -> None:
    seen: list[tuple[BaseException | None, BaseException]] = []
    error = OSError("mine")
    outer = KeyError("handled around the call")

    def classify(error: Exception) -> Any:
        seen.append((sys.exception(), error))
        return "ignored"

    breaker = CircuitBreaker(classify=classify)
    for way in ways_to_call(breaker, raising(error)):
        try:
            raise outer
        except KeyError:
            with pytest.raises(OSError, match="mine"):
                way()
            assert sys.exception() is outer
    assert seen == [(error, error)] * 6
    assert breaker.metrics.ignored_calls == 6


def test_cancellation_in_a_classifier_is_no_failure() -> None:
    def classify(_: Exception) -> Any:
        raise KeyboardInterrupt

    breaker = CircuitBreaker(classify=classify)
    for way in ways_to_call(breaker, raising(OSError("mine"))):
        with pytest.raises(KeyboardInterrupt):
            way()
    metrics = breaker.metrics
    assert (metrics.cancelled_calls, metrics.failed_calls, metrics.in_flight) == (6, 0, 0)
