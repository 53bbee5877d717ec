"""An error that passes through several nested calls counts once."""

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig
from nesting import AWAITING, CLOSED, NESTED, PLAIN_WAYS, WAYS, layers, raising, run


@pytest.mark.parametrize("name", [*PLAIN_WAYS, *sorted(AWAITING)])
def test_one_error_through_five_layers_is_one_failure(name: str) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=2))
    error = OSError("gone")
    with pytest.raises(OSError, match="gone") as caught:
        run(layers(breaker, [WAYS[name]] * 5, raising(error))())
    assert caught.value is error
    assert breaker.state is CLOSED
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 4)


@pytest.mark.parametrize(("outer", "inner"), NESTED)
@pytest.mark.parametrize("kind", ["of Python's", "of the host's"])
def test_an_error_through_two_layers_is_one_failure(outer: str, inner: str, kind: str) -> None:
    class Own(OSError):
        pass

    breaker = CircuitBreaker()
    with pytest.raises(OSError, match="gone"):
        run(
            layers(
                breaker, [WAYS[outer], WAYS[inner]], raising(OSError("gone") if kind == "of Python's" else Own("gone"))
            )()
        )
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 1)


def test_a_layer_that_raises_another_error_is_another_failure(breaker: CircuitBreaker) -> None:
    breaker = CircuitBreaker()

    def outer() -> None:
        try:
            breaker.call_sync(raising(OSError("inner")))
        except OSError as error:
            raise LookupError("outer") from error

    with pytest.raises(LookupError):
        breaker.call_sync(outer)
    assert breaker.metrics.failed_calls == 2


def test_a_retry_that_raises_one_of_its_errors_counts_each_attempt_once() -> None:
    for chosen in (0, 1, 2):
        breaker = CircuitBreaker()

        def outer(breaker: CircuitBreaker = breaker, chosen: int = chosen) -> None:
            errors = []
            for attempt in range(3):
                try:
                    breaker.call_sync(raising(OSError(attempt)))
                except OSError as error:
                    errors.append(error)
            raise errors[chosen]

        with pytest.raises(OSError, match=str(chosen)):
            breaker.call_sync(outer)
        assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (3, 1)


def test_the_same_error_object_raised_by_later_calls_counts_each_time() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    provider = Mock(side_effect=OSError("the very same"))

    def outer() -> None:
        for _ in range(3):
            with contextlib.suppress(OSError):
                breaker.call_sync(provider)

    breaker.call_sync(outer)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (3, 0)
    for _ in range(3):
        with pytest.raises(OSError, match="same"):
            breaker.call_sync(provider)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (6, 0)


async def test_one_error_object_of_concurrent_calls_counts_each_time() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    error = OSError("the very same")
    turns = [asyncio.Event() for _ in range(5)]

    @breaker
    async def provider(number: int) -> None:
        await turns[number].wait()
        raise error

    tasks = [asyncio.ensure_future(provider(number)) for number in range(5)]
    await asyncio.sleep(0)
    for turn in turns:
        turn.set()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (5, 0)


def test_one_error_object_in_five_threads_counts_each_time() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    error = OSError("the very same")
    begun, may_fail = [threading.Event() for _ in range(5)], [threading.Event() for _ in range(5)]

    def provider(number: int) -> None:
        begun[number].set()
        assert may_fail[number].wait(60)
        raise error

    with ThreadPoolExecutor(5) as pool:
        futures = []
        for number in range(5):
            futures.append(pool.submit(breaker.call_sync, provider, number))
            assert begun[number].wait(60)
        for number in range(5):
            may_fail[number].set()
            assert futures[number].exception() is error
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (5, 0)


def test_a_call_that_ran_while_another_did_and_raised_its_error_before_it_counts_as_inside_it() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    error, outer_runs, inner_failed = OSError("the very same"), threading.Event(), threading.Event()

    def outer() -> None:
        outer_runs.set()
        assert inner_failed.wait(60)
        raise error

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(breaker.call_sync, outer)
        assert outer_runs.wait(60)
        with pytest.raises(OSError, match="same"):
            breaker.call_sync(raising(error))
        inner_failed.set()
        assert future.exception() is error
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 1)


def test_layers_of_two_breakers_count_once_each() -> None:
    one, other = CircuitBreaker(), CircuitBreaker()

    def inside(breaker: CircuitBreaker, function: Callable[[], Any]) -> Callable[[], Any]:
        return lambda: breaker.call_sync(function)

    function = raising(OSError("gone"))
    for breaker in (one, other, one, other):
        function = inside(breaker, function)
    with pytest.raises(OSError, match="gone"):
        function()
    for breaker in (one, other):
        assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 1)


class OwnError(Exception):
    """Supports weak references, as all exception classes written in Python do."""


@pytest.mark.parametrize("kind", [OwnError, OSError])
def test_a_counted_error_is_not_kept_alive(kind: type[Exception]) -> None:
    breaker = CircuitBreaker()

    class Payload:
        pass

    gone: list[weakref.ref[Any]] = []

    def fails() -> None:
        payload = Payload()
        gone.append(weakref.ref(payload))
        raise kind(payload)

    def outer() -> str:
        with contextlib.suppress(kind):
            breaker.call_sync(fails)
        assert gone[0]() is None
        return "fine"

    assert breaker.call_sync(outer) == "fine"
    assert gone[0]() is None

    with pytest.raises(kind):
        breaker.call_sync(lambda: breaker.call_sync(fails))
    assert gone[1]() is None
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (2, 1)


def test_an_error_at_the_address_of_a_freed_error_counts() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1000))

    def outer() -> None:
        with contextlib.suppress(OSError):
            breaker.call_sync(raising_anew)
        # Python allocates it at the address of the previous one.
        raise OSError

    def raising_anew() -> None:
        raise OSError

    for _ in range(100):
        with pytest.raises(OSError):  # noqa: PT011 (without a text it is as small as the one before)
            breaker.call_sync(outer)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (200, 0)


def test_an_error_is_neither_marked_nor_changed() -> None:
    breaker = CircuitBreaker()
    error = OwnError("mine")
    with pytest.raises(OwnError):
        layers(breaker, [PLAIN_WAYS["call_sync"]] * 3, raising(error))()
    assert (vars(error), error.args, error.__cause__, error.__context__) == ({}, ("mine",), None, None)
