"""Calls nested in a probe of the same breaker share its permit."""

import asyncio
import contextvars
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from greenlet import greenlet

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, ManualClock
from nesting import CLOSED, NESTED, PLAIN_WAYS, WAYS, layers, opened, raising, run


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
        # A separate probe: it takes the slot and counts.
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
    before = {variable.name: value for variable, value in contextvars.copy_context().items()}.get("halfopen_marks")
    for way in PLAIN_WAYS.values():
        for _ in range(10):
            assert way(breaker, lambda: "answer") == "answer"
    after = {variable.name: value for variable, value in contextvars.copy_context().items()}.get("halfopen_marks")
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


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_entering_the_context_manager_of_a_stream_is_part_of_the_probe(clock: ManualClock, kind: str) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)

    @breaker
    def request() -> str:
        return "sent"

    @contextmanager
    def plain() -> Iterator[Iterator[str]]:
        yield iter([request()])

    @asynccontextmanager
    async def asynchronous() -> AsyncIterator[AsyncIterator[str]]:
        async def items() -> AsyncIterator[str]:
            yield sent

        await asyncio.sleep(0)
        sent = request()
        yield items()

    async def read() -> list[str]:
        if kind == "plain":
            with breaker.stream(plain()) as stream:
                with pytest.raises(CircuitBreakerOpenError):
                    request()  # the consumer's own
                return list(stream)
        async with breaker.stream(asynchronous()) as answers:
            with pytest.raises(CircuitBreakerOpenError):
                request()
            return [item async for item in answers]

    before = breaker.metrics.total_calls
    assert await read() == ["sent"]
    assert breaker.state is CLOSED
    assert breaker.metrics.total_calls - before == 1


@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_context_manager_that_fails_to_be_entered_leaves_its_probe(clock: ManualClock, kind: str) -> None:
    breaker = opened(clock, half_open_max_calls=1, success_threshold=1)

    @contextmanager
    def plain() -> Iterator[Iterator[str]]:
        raise ConnectionError
        yield iter(())

    @asynccontextmanager
    async def asynchronous() -> AsyncIterator[Iterator[str]]:
        raise ConnectionError
        yield iter(())

    async def enter() -> None:
        if kind == "plain":
            breaker.stream(plain()).__enter__()
        else:
            await breaker.stream(asynchronous()).__aenter__()

    with pytest.raises(ConnectionError):
        await enter()
    assert breaker.state == "open"
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()
    clock.advance(60)
    breaker.acquire().success()
    assert breaker.state is CLOSED


def test_a_probe_of_one_breaker_is_no_probe_of_another(clock: ManualClock) -> None:
    one = opened(clock, half_open_max_calls=1, success_threshold=1)
    other = opened(clock, half_open_max_calls=1, success_threshold=1)
    clock.advance(60)
    taken = other.acquire()

    def inside() -> str:
        with pytest.raises(CircuitBreakerOpenError):
            other.acquire()
        return one.call_sync(lambda: "shared")

    assert one.call_sync(inside) == "shared"
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
            # A call inside a call that shares the permit also shares it.
            seen.append(breaker.call_sync(lambda: "shared"))

    with breaker.acquire() as permit:
        thread = threading.Thread(target=work, args=(permit,))
        thread.start()
        thread.join()
    assert seen == ["probes_busy", "shared"]
    assert breaker.state is CLOSED


def test_a_greenlet_has_a_context_of_its_own_unless_it_gets_a_copy(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1)
    seen: list[str] = []

    def work() -> None:
        try:
            seen.append(breaker.call_sync(lambda: "shared"))
        except CircuitBreakerOpenError as rejected:
            seen.append(rejected.reason)

    with breaker.acquire():
        greenlet(work).switch()
        copied = greenlet(work)
        copied.gr_context = contextvars.copy_context()
        copied.switch()
    assert seen == ["probes_busy", "shared"]


def test_a_permit_without_a_block_marks_nothing(clock: ManualClock) -> None:
    breaker = opened(clock, half_open_max_calls=1)
    permit = breaker.acquire()
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()
    assert permit.success()


def test_nested_calls_of_a_closed_circuit_count_separately(breaker: CircuitBreaker) -> None:
    assert breaker.call_sync(lambda: breaker.call_sync(lambda: breaker.metrics.in_flight)) == 2
    assert breaker.metrics.successful_calls == 2
