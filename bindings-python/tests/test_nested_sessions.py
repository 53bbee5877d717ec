"""Sessions of one breaker inside each other share the permit of a probe, until the outer one is healthy."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from consumers import counts
from halfopen import CircuitBreaker, ManualClock, Session
from nesting import CLOSED, OPEN, opened


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    """A breaker whose next call is its only probe."""
    return opened(clock, half_open_max_calls=1, success_threshold=1)


async def two_blocks(breaker: CircuitBreaker, use: Callable[[Session, Session], Any]) -> None:
    async with breaker.session() as outer, breaker.session() as inner:
        use(outer, inner)


async def plain_blocks(breaker: CircuitBreaker, use: Callable[[Session, Session], Any]) -> None:
    with breaker.session() as outer, breaker.session() as inner:
        use(outer, inner)


async def exit_stack(breaker: CircuitBreaker, use: Callable[[Session, Session], Any]) -> None:
    async with AsyncExitStack() as stack:
        outer = await stack.enter_async_context(breaker.session())
        use(outer, await stack.enter_async_context(breaker.session()))


async def other_task(breaker: CircuitBreaker, use: Callable[[Session, Session], Any]) -> None:
    async def inside(outer: Session) -> None:
        async with breaker.session() as inner:
            use(outer, inner)

    async with breaker.session() as outer:
        await asyncio.create_task(inside(outer))


ways = pytest.mark.parametrize("way", [two_blocks, plain_blocks, exit_stack, other_task])


@ways
async def test_the_outer_session_votes_and_the_inner_one_does_not(breaker: CircuitBreaker, way: Any) -> None:
    before = breaker.metrics.total_calls

    def use(outer: Session, inner: Session) -> None:
        assert breaker.metrics.total_calls == before + 1
        assert inner.healthy()
        assert (breaker.state, breaker.metrics.in_flight) == ("half_open", 1)
        assert outer.healthy()
        assert (breaker.state, breaker.metrics.in_flight) == (CLOSED, 0)

    await way(breaker, use)
    assert breaker.metrics.total_calls == before + 1


@ways
async def test_an_outer_session_that_was_never_healthy_gives_the_slot_back(breaker: CircuitBreaker, way: Any) -> None:
    cancelled = breaker.metrics.cancelled_calls
    await way(breaker, lambda _, inner: inner.healthy())
    assert (breaker.state, breaker.metrics.in_flight) == ("half_open", 0)
    assert breaker.metrics.cancelled_calls == cancelled + 1
    breaker.acquire().success()
    assert breaker.state == CLOSED


@ways
async def test_a_death_before_the_outer_session_was_healthy_is_one_failure(breaker: CircuitBreaker, way: Any) -> None:
    def die(_: Session, inner: Session) -> None:
        inner.healthy()
        raise OSError("lost")

    failed = breaker.metrics.failed_calls
    with pytest.raises(OSError, match="lost"):
        await way(breaker, die)
    assert (breaker.state, breaker.metrics.in_flight) == (OPEN, 0)
    assert breaker.metrics.failed_calls == failed + 1


async def test_a_session_inside_a_healthy_one_has_a_permit_of_its_own(breaker: CircuitBreaker) -> None:
    async with breaker.session() as outer:
        outer.healthy()
        async with breaker.session() as inner:
            assert (breaker.state, breaker.metrics.in_flight) == (CLOSED, 1)
            inner.healthy()
            assert breaker.metrics.in_flight == 0


async def test_sessions_of_a_closed_circuit_have_a_permit_each() -> None:
    breaker = CircuitBreaker()
    async with breaker.session() as outer, breaker.session() as inner:
        assert breaker.metrics.in_flight == 2
        inner.healthy()
        outer.healthy()
    assert counts(breaker) == (2, 0, 0, 0)


async def test_sessions_of_other_tasks_share_nothing(breaker: CircuitBreaker) -> None:
    async def one(breaker: CircuitBreaker) -> str:
        async with breaker.session() as session:
            await asyncio.sleep(0)
            session.healthy()
        return "admitted"

    answers = await asyncio.gather(one(breaker), one(breaker), return_exceptions=True)
    assert [getattr(answer, "code", answer) for answer in answers] == ["admitted", "CIRCUIT_OPEN"]
