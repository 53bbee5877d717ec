"""A call that returns a context manager which yields a stream ends with that stream."""

import gc
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import (
    asynccontextmanager,
    closing,
    contextmanager,
    nullcontext,
)
from io import StringIO
from typing import Any

import httpx2
import pytest

from consumers import counts, drain
from halfopen import CircuitBreaker, CircuitBreakerOpenError, InvalidValueError, ManualClock

SUCCESS, FAILURE, CANCELLED, NOTHING = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 0)


async def items(error: Exception | None = None) -> AsyncGenerator[int, None]:
    yield 1
    yield 2
    if error is not None:
        raise error


@asynccontextmanager
async def opened(refusal: Exception | None = None, cut: Exception | None = None) -> AsyncGenerator[Any, None]:
    if refusal is not None:
        raise refusal
    yield items(cut)


@contextmanager
def opened_plainly(refusal: Exception | None = None, cut: Exception | None = None) -> Generator[Any, None, None]:
    if refusal is not None:
        raise refusal

    def plain_items() -> Generator[int, None, None]:
        yield 1
        yield 2
        if cut is not None:
            raise cut

    yield plain_items()


async def returning(*errors: Exception | None) -> Any:
    return opened(*errors)


async def entered(guard: Callable[..., Any], *errors: Exception | None) -> list[int]:
    async with guard(*errors) as stream:
        return await drain(stream)


async def entered_later(guard: Callable[..., Any], *errors: Exception | None) -> list[int]:
    async with await guard(*errors) as stream:
        return await drain(stream)


async def entered_plainly(guard: Callable[..., Any], *errors: Exception | None) -> list[int]:
    with guard(*errors) as stream:
        return list(stream)


def recovering() -> tuple[ManualClock, CircuitBreaker]:
    """Opens with the first failure; one probe at a time, and the first success closes it."""
    clock = ManualClock()
    breaker = CircuitBreaker(
        failure_threshold=1, success_threshold=1, half_open_max_calls=1, timeout_seconds=1, clock=clock
    )
    return clock, breaker


KINDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "async": (opened, entered),
    "async, returned by a coroutine": (returning, entered_later),
    "plain": (opened_plainly, entered_plainly),
}


@pytest.mark.parametrize("kind", KINDS)
async def test_the_call_ends_with_the_stream(kind: str) -> None:
    opening, entering = KINDS[kind]
    for errors, expected in (((), SUCCESS), ((OSError("down"),), FAILURE), ((None, OSError("cut")), FAILURE)):
        breaker = CircuitBreaker()
        if errors:
            with pytest.raises(OSError, match=r"down|cut"):
                await entering(breaker(opening), *errors)
        else:
            assert await entering(breaker(opening)) == [1, 2]
        assert counts(breaker) == expected


@pytest.mark.parametrize("kind", KINDS)
async def test_two_breakers_count_it(kind: str) -> None:
    opening, entering = KINDS[kind]
    outer, inner = CircuitBreaker("outer"), CircuitBreaker("inner")
    assert await entering(outer(inner(opening))) == [1, 2]
    assert (counts(outer), counts(inner)) == (SUCCESS, SUCCESS)


async def test_one_that_is_never_entered_is_cancelled() -> None:
    clock, breaker = recovering()
    with pytest.raises(OSError, match="down"):
        await entered(breaker(opened), OSError("down"))
    clock.advance(1)
    manager = breaker(opened)()
    with pytest.raises(CircuitBreakerOpenError):
        breaker(opened)()
    del manager
    gc.collect()
    assert counts(breaker) == (0, 1, 1, 0)
    assert await entered(breaker(opened)) == [1, 2]
    assert breaker.state == "closed"


async def test_a_consumer_that_leaves_early_is_no_failure() -> None:
    breaker = CircuitBreaker()
    async with breaker(opened)() as stream:
        assert await anext(stream) == 1
    assert counts(breaker) == CANCELLED


async def test_the_time_before_it_is_entered_is_not_the_provider_s() -> None:
    breaker = CircuitBreaker(slow_call_seconds=5, clock=(clock := ManualClock()))

    @asynccontextmanager
    async def slowly() -> AsyncGenerator[Any, None]:
        clock.advance(2)
        yield items()

    manager = breaker(slowly)()
    clock.advance(60)
    async with manager as stream:
        assert await drain(stream) == [1, 2]
    assert breaker.durations()["success"].total_seconds == 2


async def test_entering_it_inside_a_probe_is_part_of_the_probe() -> None:
    clock, breaker = recovering()

    @asynccontextmanager
    async def asking_twice(*errors: Exception) -> AsyncGenerator[Any, None]:
        async with breaker(opened)(*errors) as stream:
            yield stream

    with pytest.raises(OSError, match="down"):
        await entered(breaker(asking_twice), OSError("down"))
    clock.advance(1)
    assert await entered(breaker(asking_twice)) == [1, 2]
    assert breaker.state == "closed"


async def test_a_request_of_httpx_is_judged_by_its_response() -> None:
    for status, expected in ((200, SUCCESS), (503, FAILURE)):
        breaker = CircuitBreaker()
        transport = httpx2.MockTransport(lambda _, status=status: httpx2.Response(status))
        async with (
            httpx2.AsyncClient(transport=transport) as client,
            breaker(client.stream)("GET", "http://provider") as response,
        ):
            assert response.status_code == status
        assert counts(breaker) == expected


async def test_what_is_entered_and_used_otherwise_too_is_a_plain_value() -> None:
    breaker = CircuitBreaker()
    values = (nullcontext(1), closing(StringIO()), StringIO(), httpx2.Client())
    for value in values:
        assert breaker.call_sync(iter([value]).__next__) is value
    assert counts(breaker) == (len(values), 0, 0, 0)


def test_a_plain_one_cannot_be_cut_off() -> None:
    breaker = CircuitBreaker(idle_timeout_seconds=1)
    with pytest.raises(InvalidValueError, match="async stream"):
        breaker(opened_plainly)()
    assert counts(breaker) == CANCELLED
