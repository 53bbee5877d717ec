"""An observer is told about each call, however it is made, and cannot affect it."""

import gc
import inspect
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any
from weakref import ref

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, ManualClock


class BreakerObserver:
    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.lines: list[Any] = []

    def admitted(self) -> None:
        self.lines.append("admitted")
        self.clock.advance(1)

    def rejected(self, retry_after: float | None, reason: str) -> Exception | None:
        self.lines.append((reason, retry_after))
        return None

    def settled(self, outcome: str, seconds: float | None) -> None:
        self.lines.append((outcome, seconds))


async def awaited(way: Callable[[], Any]) -> None:
    result = way()
    if inspect.isawaitable(result):
        await result


def failing() -> None:
    raise ConnectionError


async def test_it_is_told_about_every_way_to_call(breaker: CircuitBreaker, clock: ManualClock) -> None:
    books = BreakerObserver(clock)
    assert breaker._observe(books)
    assert not breaker._observe(BreakerObserver(clock)), "there is one already"

    @breaker
    async def stream() -> AsyncGenerator[int, None]:
        yield 1

    assert [item async for item in stream()] == [1]
    breaker.call_sync(lambda: None)
    with breaker:
        pass
    async with breaker:
        pass
    breaker.acquire().ignore()
    breaker.acquire()
    with pytest.raises(ConnectionError):
        await breaker.call(failing)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()
    ended = [*["success"] * 4, "ignored", "cancelled", "failure"]
    expected = [line for outcome in ended for line in ("admitted", (outcome, 1.0))]
    assert books.lines == [*expected, ("open", 30.0)]


def test_it_is_not_told_about_a_call_that_shares_a_permit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    books = BreakerObserver(clock)
    breaker._observe(books)
    probe = breaker.acquire()
    breaker.acquire(inside=probe).failure()
    assert "failure" not in [line[0] for line in books.lines]
    probe.success()
    assert books.lines.count("admitted") == 1
    assert breaker.metrics.total_calls == 2


async def test_it_can_read_the_exception_that_ended_a_call(clock: ManualClock) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=99))
    found: list[Any] = []

    class Asking(BreakerObserver):
        def settled(self, _outcome: str, _seconds: float | None) -> None:
            found.append(sys.exception())

    breaker._observe(Asking(clock))

    @breaker
    async def stream() -> AsyncGenerator[int, None]:
        yield 1
        raise ConnectionError

    @breaker
    def generator() -> Generator[int, None, None]:
        yield 1
        raise ConnectionError

    def in_a_block() -> None:
        with breaker:
            raise ConnectionError

    async def in_an_async_block() -> None:
        async with breaker:
            raise ConnectionError

    ways: list[Callable[[], Any]] = [
        lambda: breaker.call_sync(failing),
        breaker(failing),
        lambda: list(generator()),
        in_a_block,
        in_an_async_block,
        lambda: breaker.call(failing),
    ]
    for way in ways:
        with pytest.raises(ConnectionError) as caught:
            await awaited(way)
        assert found.pop() is caught.value
        assert not found
    items = stream()
    await anext(items)
    with pytest.raises(ConnectionError) as caught:
        await anext(items)
    assert found == [caught.value]
    breaker.acquire().failure()
    assert found[1:] == [None]


def test_the_caller_gets_its_error(breaker: CircuitBreaker, clock: ManualClock) -> None:
    class Own(Exception):
        pass

    class Raising(BreakerObserver):
        def rejected(self, retry_after: float | None, reason: str) -> Exception:
            return Own(retry_after, reason)

    breaker._observe(Raising(clock))
    breaker.acquire().failure()
    with pytest.raises(Own) as caught:
        breaker.call_sync(failing)
    assert caught.value.args == (29.0 + 1.0, "open")


def test_its_exceptions_affect_no_call(breaker: CircuitBreaker, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def admitted(self) -> None:
            raise ValueError

        def rejected(self, _retry_after: float | None, _reason: str) -> None:
            raise ValueError

        def settled(self, _outcome: str, _seconds: float | None) -> None:
            raise ValueError

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: reported.append(fault.exc_type))
    breaker._observe(Broken())
    assert breaker.call_sync(lambda: 7) == 7
    with pytest.raises(ConnectionError):
        breaker.call_sync(failing)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(failing)
    assert reported == [ValueError] * 5
    assert breaker.metrics.in_flight == 0


@pytest.mark.parametrize("step", ["admitted", "rejected", "settled"])
def test_an_interrupt_during_a_notification_is_not_lost(breaker: CircuitBreaker, clock: ManualClock, step: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    books = BreakerObserver(clock)
    setattr(books, step, interrupt)
    breaker._observe(books)
    if step == "rejected":
        breaker.acquire().failure()
    before = breaker.metrics.total_calls

    def call_and_go_on() -> None:
        breaker.call_sync(lambda: None)
        for _ in range(1000):
            pass

    with pytest.raises(KeyboardInterrupt):
        call_and_go_on()
    assert breaker.metrics.in_flight == 0
    assert breaker.metrics.total_calls == before + (step != "rejected")


def test_it_keeps_no_breaker_alive() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig())
    books = BreakerObserver(ManualClock())
    books.lines.append(breaker)
    breaker._observe(books)
    alive = ref(breaker)
    del breaker, books
    gc.collect()
    assert alive() is None
