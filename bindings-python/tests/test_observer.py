"""Somebody who keeps books of a breaker's calls hears of each, whichever way it is made, and can harm none."""

import gc
import sys
from collections.abc import AsyncGenerator
from typing import Any
from weakref import ref

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, ManualClock


class Books:
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


def failing() -> None:
    raise ConnectionError


async def test_it_hears_of_every_way_to_call(breaker: CircuitBreaker, clock: ManualClock) -> None:
    books = Books(clock)
    assert breaker.observe(books)
    assert not breaker.observe(Books(clock)), "there is one already"

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


def test_a_call_that_rides_on_another_is_in_no_books(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    books = Books(clock)
    breaker.observe(books)
    probe = breaker.acquire()
    breaker.acquire(inside=probe).failure()
    assert "failure" not in [line[0] for line in books.lines]
    probe.success()
    assert books.lines.count("admitted") == 1
    assert breaker.metrics.total_calls == 2


def test_its_error_is_the_one_for_the_caller(breaker: CircuitBreaker, clock: ManualClock) -> None:
    class Own(Exception):
        pass

    class Raising(Books):
        def rejected(self, retry_after: float | None, reason: str) -> Exception:
            return Own(retry_after, reason)

    breaker.observe(Raising(clock))
    breaker.acquire().failure()
    with pytest.raises(Own) as caught:
        breaker.call_sync(failing)
    assert caught.value.args == (29.0 + 1.0, "open")


def test_what_it_raises_harms_no_call(breaker: CircuitBreaker, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        def admitted(self) -> None:
            raise ValueError

        def rejected(self, _retry_after: float | None, _reason: str) -> None:
            raise ValueError

        def settled(self, _outcome: str, _seconds: float | None) -> None:
            raise ValueError

    reported: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda fault: reported.append(fault.exc_type))
    breaker.observe(Broken())
    assert breaker.call_sync(lambda: 7) == 7
    with pytest.raises(ConnectionError):
        breaker.call_sync(failing)
    with pytest.raises(CircuitBreakerOpenError):
        breaker.call_sync(failing)
    assert reported == [ValueError] * 5
    assert breaker.metrics.in_flight == 0


@pytest.mark.parametrize("step", ["admitted", "rejected", "settled"])
def test_an_interrupt_while_it_writes_is_not_lost(breaker: CircuitBreaker, clock: ManualClock, step: str) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    books = Books(clock)
    setattr(books, step, interrupt)
    breaker.observe(books)
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
    books = Books(ManualClock())
    books.lines.append(breaker)
    breaker.observe(books)
    alive = ref(breaker)
    del breaker, books
    gc.collect()
    assert alive() is None
