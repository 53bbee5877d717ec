"""Calls inside calls of one breaker: a probe's ride on its permit, and one error counts once."""

import asyncio
import contextlib
import contextvars
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import Mock

import pytest

from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    CircuitBreakerState,
    InvalidValueError,
    ManualClock,
    RegistryFullError,
)

OPEN, CLOSED = CircuitBreakerState.OPEN, CircuitBreakerState.CLOSED


def run(way: Any) -> Any:
    """What a way to call gives, whatever it takes to get it."""
    return asyncio.run(way) if asyncio.iscoroutine(way) else way


async def last_of(stream: AsyncIterator[Any]) -> Any:
    return [item async for item in stream][-1]


async def awaited(function: Callable[[], Any]) -> Any:
    await asyncio.sleep(0)
    result = function()
    return await result if asyncio.iscoroutine(result) else result


def in_a_block(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    with breaker:
        return function()


async def in_an_async_block(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    async with breaker:
        return await awaited(function)


def with_a_permit(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    with breaker.acquire():
        return function()


async def with_a_permit_async(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    async with breaker.acquire():
        return await awaited(function)


def by_a_generator(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    @breaker
    def stream() -> Iterator[Any]:
        yield function()
        yield function()

    return list(stream())[-1]


def by_an_async_generator(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    @breaker
    async def stream() -> AsyncIterator[Any]:
        yield await awaited(function)
        yield await awaited(function)

    return last_of(stream())


def by_a_later_stream(breaker: CircuitBreaker, function: Callable[[], Any]) -> Any:
    def stream() -> Iterator[Any]:
        yield function()

    return list(breaker.call_sync(stream))[-1]


Way = Callable[[CircuitBreaker, Callable[[], Any]], Any]
PLAIN_WAYS: dict[str, Way] = {
    "decorated": lambda breaker, function: breaker(lambda: function())(),  # noqa: PLW0108 (a new function each time)
    "call_sync": lambda breaker, function: breaker.call_sync(function),
    "block": in_a_block,
    "permit": with_a_permit,
    "generator": by_a_generator,
    "stream of call_sync": by_a_later_stream,
}
ASYNC_WAYS: dict[str, Way] = {
    "decorated coroutine": lambda breaker, function: breaker(awaited)(function),
    "call": lambda breaker, function: breaker.call(awaited, function),
    "coroutine of call_sync": lambda breaker, function: breaker.call_sync(awaited, function),
    "async block": in_an_async_block,
    "async permit": with_a_permit_async,
    "async generator": by_an_async_generator,
    "to_thread": lambda breaker, function: asyncio.to_thread(breaker.call_sync, function),
}
WAYS = PLAIN_WAYS | ASYNC_WAYS
AWAITING = ASYNC_WAYS.keys() - {"to_thread"}
NESTED = [(outer, inner) for outer in WAYS for inner in WAYS if outer in AWAITING or inner in PLAIN_WAYS]


def opened(clock: ManualClock, **fields: Any) -> CircuitBreaker:
    """A breaker that has opened, and whose next call is a probe."""
    breaker = CircuitBreaker(CircuitBreakerConfig(**fields), clock=clock)
    for _ in range(breaker.config.failure_threshold or 1):
        breaker.acquire().failure()
    assert breaker.state is OPEN
    clock.advance(breaker.config.timeout_seconds)
    return breaker


def layers(breaker: CircuitBreaker, ways: list[Way], innermost: Callable[[], Any]) -> Callable[[], Any]:
    """A call of each way inside that of the way before it."""
    function = innermost
    for way in reversed(ways):
        function = _layer(breaker, way, function)
    return function


def _layer(breaker: CircuitBreaker, way: Way, inner: Callable[[], Any]) -> Callable[[], Any]:
    return lambda: way(breaker, inner)


def raising(error: BaseException) -> Callable[[], Any]:
    def function() -> Any:
        raise error

    return function


# Riding


def test_fifty_rounds_of_two_layers_all_recover(clock: ManualClock) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(half_open_max_calls=1), clock=clock)

    @breaker
    def query() -> int:
        return 1

    @breaker
    def get_user() -> int:
        return query()

    recovered = 0
    for _ in range(50):
        breaker.force_open(1)
        clock.advance(1)
        for _ in range(breaker.config.success_threshold):
            assert get_user() == 1
        recovered += breaker.state is CLOSED
    assert recovered == 50
    assert (breaker.metrics.failed_calls, breaker.metrics.rejected_calls) == (0, 0)


def test_a_recursion_of_four_with_all_defaults_recovers(clock: ManualClock) -> None:
    breaker = opened(clock)

    @breaker
    def depth(left: int) -> int:
        return 0 if left == 0 else 1 + depth(left - 1)

    before = breaker.metrics.total_calls
    assert [depth(3), depth(3)] == [3, 3]
    assert breaker.state is CLOSED
    assert (breaker.metrics.total_calls - before, breaker.metrics.rejected_calls) == (2, 0)


@pytest.mark.parametrize(("outer", "inner"), NESTED)
def test_every_nested_call_shares_the_probes_permit(clock: ManualClock, outer: str, inner: str) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)
    before = breaker.metrics
    innermost = Mock(return_value="answer")
    assert run(layers(breaker, [WAYS[outer], WAYS[inner]], innermost)()) == "answer"
    after = breaker.metrics
    assert breaker.state is CLOSED
    assert (after.total_calls - before.total_calls, after.rejected_calls, after.in_flight) == (1, 0, 0)
    assert after.successful_calls == 1


@pytest.mark.parametrize(("outer", "inner"), NESTED)
def test_every_failing_nested_call_fails_as_one_probe(clock: ManualClock, outer: str, inner: str) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)
    before = breaker.metrics
    with pytest.raises(OSError, match="gone"):
        run(layers(breaker, [WAYS[outer], WAYS[inner]], raising(OSError("gone")))())
    after = breaker.metrics
    assert breaker.events()[-1].cause == "probe_failed"
    assert (after.failed_calls - before.failed_calls, after.total_calls - before.total_calls) == (1, 1)
    assert after.in_flight == 0


def test_a_task_started_inside_a_probe_shares_its_permit_while_the_probe_runs(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)

    @breaker
    async def inner() -> str:
        return "answer"

    @breaker
    async def outer() -> list[str]:
        return await asyncio.gather(*(inner() for _ in range(5)))

    assert asyncio.run(outer()) == ["answer"] * 5
    assert breaker.state is CLOSED


def test_a_mark_does_not_outlive_its_probe(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=5)

    async def main() -> None:
        over = asyncio.Event()

        async def background() -> Any:
            await over.wait()
            return breaker.acquire()

        @breaker
        async def outer() -> asyncio.Task[Any]:
            return asyncio.ensure_future(background())

        task = await outer()
        over.set()
        before = breaker.metrics.total_calls
        permit = await task
        # A probe of its own: it takes the slot and counts.
        assert breaker.metrics.total_calls == before + 1
        with pytest.raises(CircuitBreakerOpenError):
            breaker.acquire()
        assert permit.success()

    asyncio.run(main())
    assert breaker.metrics.consecutive_successes == 2


def test_a_mark_keeps_nothing_alive(clock: ManualClock) -> None:
    async def main() -> None:
        breaker = opened(clock)
        gone = weakref.ref(breaker)

        @breaker
        async def outer() -> asyncio.Task[Any]:
            return asyncio.ensure_future(asyncio.Event().wait())

        task = await outer()
        del breaker, outer
        gc.collect()
        assert gone() is None
        task.cancel()

    asyncio.run(main())


def test_marks_do_not_accumulate(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=255, success_threshold=255)
    before = {variable.name: value for variable, value in contextvars.copy_context().items()}.get("halfopen_probes")
    for way in PLAIN_WAYS.values():
        for _ in range(10):
            assert way(breaker, lambda: "answer") == "answer"
    after = {variable.name: value for variable, value in contextvars.copy_context().items()}.get("halfopen_probes")
    assert after is before is None


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_the_consumer_of_a_probing_stream_does_not_share_its_permit(clock: ManualClock, kind: str) -> None:
    breaker = opened(clock, half_open_max_calls=1)

    @breaker
    def plain() -> Iterator[int]:
        yield 1

    @breaker
    async def asynchronous() -> AsyncIterator[int]:
        yield 1

    stream: Any = plain() if kind == "plain" else asynchronous()
    assert (next(stream) if kind == "plain" else await anext(stream)) == 1
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(lambda: "the slot is taken")


def test_a_probe_of_one_breaker_is_no_probe_of_another(clock: ManualClock) -> None:
    one = opened(clock, half_open_max_calls=1, success_threshold=1)
    other = opened(clock, half_open_max_calls=1, success_threshold=1)
    clock.advance(60)
    taken = other.acquire()

    def inside() -> str:
        with pytest.raises(CircuitBreakerOpenError):
            other.acquire()
        return one.call_sync(lambda: "rides")

    assert one.call_sync(inside) == "rides"
    assert taken.success()
    assert one.state is other.state is CLOSED


def test_a_plain_thread_needs_the_permit_as_an_argument(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)
    seen: list[str] = []

    def work(permit: Any) -> None:
        try:
            breaker.acquire().success()
        except CircuitBreakerOpenError as rejected:
            seen.append(rejected.reason)
        with breaker.acquire(inside=permit):
            # What is made inside a riding call rides on the same probe.
            seen.append(breaker.call_sync(lambda: "rides"))

    with breaker.acquire() as permit:
        thread = threading.Thread(target=work, args=(permit,))
        thread.start()
        thread.join()
    assert seen == ["probes_busy", "rides"]
    assert breaker.state is CLOSED


def test_a_permit_without_a_block_marks_nothing(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1)
    permit = breaker.acquire()
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()
    assert permit.success()


def test_nested_calls_of_a_closed_circuit_count_separately(breaker: CircuitBreaker) -> None:
    assert breaker.call_sync(lambda: breaker.call_sync(lambda: breaker.metrics.in_flight)) == 2
    assert breaker.metrics.successful_calls == 2


# One error


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
    # A thread of `to_thread` is a context of its own, out of which nothing is told.
    failed = 2 if inner == "to_thread" else 1
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (failed, 2 - failed)


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


@pytest.mark.parametrize("order", ["first", "last"])
def test_one_error_object_of_concurrent_calls_counts_each_time(order: str) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    error = OSError("the very same")

    async def main() -> None:
        turns = [asyncio.Event() for _ in range(5)]

        @breaker
        async def provider(number: int) -> None:
            await turns[number].wait()
            raise error

        tasks = [asyncio.ensure_future(provider(number)) for number in range(5)]
        await asyncio.sleep(0)
        for turn in turns if order == "first" else reversed(turns):
            turn.set()
            await asyncio.sleep(0)
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (5, 0)


def test_one_error_object_in_five_threads_counts_each_time() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    error, together = OSError("the very same"), threading.Barrier(5)

    def provider() -> None:
        together.wait()
        raise error

    with ThreadPoolExecutor(5) as pool:
        futures = [pool.submit(breaker.call_sync, provider) for _ in range(5)]
    assert [future.exception() for future in futures] == [error] * 5
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (5, 0)


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
    """Can be referred to weakly, as every exception whose class is written in Python."""


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
        # Python makes it where the one before has been.
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


# Rejections


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
