"""``first_item_timeout_seconds`` and ``idle_timeout_seconds`` cut off async streams; the consumer's time is free."""

import asyncio
import contextlib
import gc
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from consumers import counts
from halfopen import CallTimeoutError, CircuitBreaker, InvalidValueError, Registry, compat

SHORT = 0.01
LONG = 30.0
BACKENDS = ["asyncio", "trio"]


def stream_of(*waits: float, then: float = 0) -> Callable[[], AsyncIterator[int]]:
    """A stream with these waits before its items, and another one before its end."""

    async def stream() -> AsyncIterator[int]:
        for number, wait in enumerate(waits):
            await anyio.sleep(wait)
            yield number
        await anyio.sleep(then)

    return stream


WAYS: dict[str, Callable[[CircuitBreaker, Any], Any]] = {
    "decorated": lambda breaker, stream: breaker(stream)(),
    "returned": lambda breaker, stream: breaker.call_sync(stream),
    "guarded": lambda breaker, stream: breaker.stream(stream()),
}


async def drain(stream: AsyncIterator[Any], received: list[Any], pause: float = 0) -> None:
    async for item in stream:
        received.append(item)
        await anyio.sleep(pause)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("stream", "limit", "expected"),
    [
        (stream_of(LONG), "first_item_timeout_seconds", []),
        (stream_of(0, 0, LONG), "idle_timeout_seconds", [0, 1]),
        (stream_of(0, then=LONG), "idle_timeout_seconds", [0]),
    ],
)
def test_a_wait_that_is_too_long_is_cut_off_and_fails(
    way: str, backend: str, stream: Any, limit: str, expected: list[int]
) -> None:
    timeouts: Any = {"first_item_timeout_seconds": LONG, "idle_timeout_seconds": LONG, limit: 10 * SHORT}
    breaker = CircuitBreaker(**timeouts)
    received = list[int]()

    async def main() -> None:
        with pytest.raises(CallTimeoutError, match=limit) as caught:
            await drain(WAYS[way](breaker, stream), received)
        assert caught.value.limit == limit
        if asyncio_task := backend == "asyncio" and asyncio.current_task():
            assert asyncio_task.cancelling() == 0

    anyio.run(main, backend=backend)
    assert received == expected
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_the_time_of_the_consumer_is_free(way: str, backend: str) -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=20 * SHORT, idle_timeout_seconds=20 * SHORT)
    received = list[int]()

    async def main() -> None:
        stream = WAYS[way](breaker, stream_of(0, 0, 0))
        await anyio.sleep(25 * SHORT)
        await drain(stream, received, pause=25 * SHORT)

    anyio.run(main, backend=backend)
    assert received == [0, 1, 2]
    assert counts(breaker) == (1, 0, 0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_stream_may_take_longer_than_each_of_its_waits(backend: str) -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=60 * SHORT, idle_timeout_seconds=30 * SHORT)
    received = list[int]()
    anyio.run(drain, breaker(stream_of(10 * SHORT, *[4 * SHORT] * 10))(), received, backend=backend)
    assert received == list(range(11))
    assert counts(breaker) == (1, 0, 0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_items_that_are_no_content_do_not_extend_the_wait_for_the_first_one(backend: str) -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=10 * SHORT, is_content=lambda item: item >= 100)
    received = list[int]()

    async def main() -> None:
        with pytest.raises(CallTimeoutError, match="first_item_timeout_seconds"):
            await drain(breaker(stream_of(*[3 * SHORT] * 50))(), received)

    anyio.run(main, backend=backend)
    assert 0 < len(received) < 5
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("way", WAYS)
def test_a_deadline_around_the_consumer_is_neutral(way: str, backend: str) -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=LONG, idle_timeout_seconds=LONG)

    async def main() -> None:
        with anyio.move_on_after(SHORT) as scope:
            await drain(WAYS[way](breaker, stream_of(0, LONG)), [])
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 0, 1, 0)


async def test_if_both_deadlines_expire_the_one_around_the_consumer_wins() -> None:
    breaker = CircuitBreaker(idle_timeout_seconds=SHORT)
    around = asyncio.timeout(LONG)

    async def stream() -> AsyncIterator[int]:
        yield 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            around.reschedule(0)
            await asyncio.Event().wait()

    with pytest.raises(TimeoutError) as caught:
        async with around:
            await drain(breaker(stream)(), [])
    assert not isinstance(caught.value, CallTimeoutError)
    assert counts(breaker) == (0, 0, 1, 0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_scope_around_the_consumer_that_expires_in_the_same_turn_of_the_loop_wins(backend: str) -> None:
    breaker = CircuitBreaker(idle_timeout_seconds=SHORT)

    async def stream() -> AsyncIterator[int]:
        yield 1
        time.sleep(3 * SHORT)  # noqa: ASYNC251  # the loop finds both deadlines expired
        await anyio.sleep_forever()

    async def main() -> None:
        with anyio.move_on_after(2 * SHORT) as scope:
            await drain(breaker(stream)(), [])
        assert scope.cancelled_caught

    anyio.run(main, backend=backend)
    assert counts(breaker) == (0, 0, 1, 0)


async def test_a_stream_that_goes_on_although_it_was_cut_off() -> None:
    async def stubborn() -> AsyncIterator[int]:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        yield 1

    breaker, received = CircuitBreaker(first_item_timeout_seconds=SHORT), list[int]()
    await drain(breaker(stubborn)(), received)
    task = asyncio.current_task()
    assert task
    assert (received, task.cancelling()) == ([1], 0)


async def test_each_item_may_be_taken_by_another_task() -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=LONG, idle_timeout_seconds=20 * SHORT)
    stream = breaker(stream_of(0, 0, LONG))()
    for number in range(2):
        assert await asyncio.create_task(anext(stream)) == number  # type: ignore[arg-type]  # mypy wants a coroutine
    with pytest.raises(CallTimeoutError):
        await asyncio.create_task(anext(stream))  # type: ignore[arg-type]
    assert counts(breaker) == (0, 1, 0, 0)


def test_an_item_that_another_event_loop_takes_is_not_cut_off() -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=LONG, idle_timeout_seconds=LONG)
    stream = breaker(stream_of(0, 0))()
    received: list[int | None] = []
    for _ in range(3):
        loop = asyncio.new_event_loop()
        received.append(loop.run_until_complete(anext(stream, None)))
        loop.close()
    assert (received, counts(breaker)) == ([0, 1, None], (1, 0, 0, 0))


async def test_no_timer_stays_behind() -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=LONG, idle_timeout_seconds=LONG)
    loop: Any = asyncio.get_running_loop()
    for stop_early in (False, True):
        async with contextlib.aclosing(breaker(stream_of(0, 0))()) as stream:  # type: ignore[type-var]
            async for _ in stream:
                if stop_early:
                    break
        assert [timer for timer in loop._scheduled if not timer.cancelled()] == []
    assert counts(breaker) == (1, 0, 1, 0)


@pytest.mark.parametrize("way", WAYS)
async def test_a_stream_in_a_cycle_is_collected_in_silence(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", reported.append)
    breaker = CircuitBreaker(idle_timeout_seconds=30)
    stream = WAYS[way](breaker, stream_of(0, 0))
    assert await anext(stream) == 0
    cycle = [stream]
    cycle.append(cycle)
    del stream, cycle
    gc.collect()
    # The event loop closes the generator inside.
    await asyncio.sleep(0)
    assert reported == []
    assert counts(breaker) == (0, 0, 1, 0)


def test_a_plain_generator_cannot_be_cut_off() -> None:
    def plain() -> Iterator[int]:
        yield 1

    breaker = CircuitBreaker(idle_timeout_seconds=LONG)
    with pytest.raises(InvalidValueError, match="read timeout"):
        breaker(plain)
    assert breaker(len)("abc") == 3


@pytest.mark.parametrize(
    "guard",
    [
        lambda breaker, plain: breaker.stream(plain()),
        lambda breaker, plain: breaker.stream(iter(list(plain()))),
        lambda breaker, plain: breaker.stream(contextlib.contextmanager(plain)()),
        lambda breaker, plain: breaker.call_sync(plain),
    ],
)
def test_neither_can_any_other_plain_stream(guard: Callable[[CircuitBreaker, Any], Any]) -> None:
    def plain() -> Iterator[int]:
        yield 1

    breaker = CircuitBreaker(idle_timeout_seconds=LONG)
    with pytest.raises(InvalidValueError, match="read timeout"):
        guard(breaker, plain)
    assert counts(breaker)[:2] == (0, 0)
    assert breaker.metrics.in_flight == 0


def test_a_plain_context_manager_has_no_deadline() -> None:
    @contextlib.contextmanager
    def plain() -> Iterator[Iterator[int]]:
        yield iter([1])

    breaker = CircuitBreaker(call_timeout_seconds=LONG)
    with pytest.raises(InvalidValueError, match="call_timeout_seconds"):
        breaker.stream(plain())


@pytest.mark.parametrize("name", ["first_item_timeout_seconds", "idle_timeout_seconds"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), True, "5"])
def test_a_bad_timeout_is_refused_by_name(name: str, seconds: Any) -> None:
    fields: dict[str, Any] = {name: seconds}
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(**fields)
    assert refused.value.field == name


def test_without_a_task_a_stream_is_refused_before_its_call_begins() -> None:
    breaker = CircuitBreaker(idle_timeout_seconds=LONG)
    with pytest.raises(RuntimeError, match="asyncio or trio"):
        anext(breaker(stream_of(0))()).__await__().send(None)
    assert breaker.metrics.total_calls == 0


SETTINGS: dict[str, Any] = {
    "first_item_timeout_seconds": 0.01,
    "idle_timeout_seconds": 0.02,
    "is_content": lambda item: item > 0,
    "is_end": lambda item: item == 9,
}


@pytest.mark.parametrize("kind", ["in a registry", "of the replaced interface"])
async def test_every_breaker_takes_the_settings_of_streams(kind: str) -> None:
    breaker: Any = (
        Registry(1, **SETTINGS).get_or_create("gemini")
        if kind == "in a registry"
        else compat.CircuitBreaker(compat.CircuitBreakerConfig(name="gemini"), **SETTINGS)
    )

    async def items(*given: int) -> AsyncIterator[int]:
        for item in given:
            yield item
        if given[-1] != 9:
            await asyncio.Event().wait()

    async def limit_of(*given: int) -> str:
        with pytest.raises(CallTimeoutError) as cut_off:
            [item async for item in breaker.stream(items(*given))]
        return cut_off.value.limit

    assert await limit_of(0) == "first_item_timeout_seconds"
    assert await limit_of(0, 1) == "idle_timeout_seconds"
    assert [item async for item in breaker.stream(items(0, 1, 9))] == [0, 1, 9]
    assert (breaker.metrics.failed_calls, breaker.metrics.successful_calls) == (2, 1)
    assert breaker.first_item_durations().count == 2


@pytest.mark.parametrize("field", SETTINGS)
def test_a_registry_refuses_bad_settings_of_streams(field: str) -> None:
    bad: Any = {field: "bad"}
    with pytest.raises(InvalidValueError) as refused:
        Registry(1, **bad)
    assert refused.value.field == field
