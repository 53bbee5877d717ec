"""A failure counts once, through sessions, permits and streams."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from counting import breaker_of, fail, fail_soon, failed_and_ignored
from halfopen import CircuitBreaker


@pytest.fixture
def breaker() -> CircuitBreaker:
    return breaker_of()


# Sessions


@pytest.mark.parametrize("when", ["before", "after"])
def test_an_error_of_a_call_inside_a_healthy_session(breaker: CircuitBreaker, when: str) -> None:
    def live() -> None:
        with breaker.session() as session:
            if when == "after":
                session.healthy()
            try:
                breaker.call_sync(fail)
            except OSError:
                session.healthy()
                raise

    with pytest.raises(OSError, match="0"):
        live()
    assert failed_and_ignored(breaker) == (1, 0)
    with pytest.raises(OSError, match="0"):
        breaker(live)()
    assert failed_and_ignored(breaker) == (2, 1)


def test_an_error_of_a_session_inside_a_session(breaker: CircuitBreaker) -> None:
    def live() -> None:
        with breaker.session() as outer:
            outer.healthy()
            with breaker.session() as inner:
                inner.healthy()
                fail()

    with pytest.raises(OSError, match="0"):
        live()
    assert failed_and_ignored(breaker) == (1, 0)


async def test_an_error_of_a_task_inside_a_healthy_session(breaker: CircuitBreaker) -> None:
    async def live() -> None:
        async with breaker.session() as session:
            session.healthy()
            await asyncio.create_task(breaker(fail_soon)())

    with pytest.raises(OSError, match="0"):
        await live()
    assert failed_and_ignored(breaker) == (1, 0)


def test_a_session_that_is_forgotten_notes_nothing_any_more(breaker: CircuitBreaker) -> None:
    session = breaker.session()
    session.__enter__()
    session.healthy()
    del session
    error = OSError("shared")

    def raise_it() -> None:
        raise error

    for _ in range(2):
        with pytest.raises(OSError, match="shared"):
            breaker.call_sync(raise_it)
    assert failed_and_ignored(breaker) == (2, 0)


# Permits and streams


def test_the_error_for_which_a_permit_is_settled(breaker: CircuitBreaker) -> None:
    @breaker
    def outer() -> None:
        permit = breaker.acquire()
        try:
            fail()
        except OSError:
            permit.failure()
            raise

    with pytest.raises(OSError, match="0"):
        outer()
    assert failed_and_ignored(breaker) == (1, 1)


async def test_the_error_of_a_stream(breaker: CircuitBreaker) -> None:
    @breaker
    def stream() -> Iterator[int]:
        yield 1
        breaker.call_sync(fail)

    with pytest.raises(OSError, match="0"):
        breaker(lambda: list(stream()))()
    assert failed_and_ignored(breaker) == (1, 2)

    @breaker
    async def async_stream() -> AsyncIterator[int]:
        yield 1
        await asyncio.create_task(breaker(fail_soon)())

    @breaker
    async def outer() -> list[int]:
        return [item async for item in async_stream()]

    with pytest.raises(OSError, match="0"):
        await outer()
    assert failed_and_ignored(breaker) == (2, 4)
