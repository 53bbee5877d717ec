"""``breaker.session()``: the first real event is a success, and a later death is a failure of its own."""

import asyncio
import contextvars
import functools
from contextlib import AbstractAsyncContextManager
from typing import Any

import anyio
import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError

from consumers import counts
from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, InvalidValueError, ManualClock
from socket_server import dies_after_one_message, says_nothing, served, three_messages

SHORT = 0.01
LONG = 30.0


def opened(clock: ManualClock, **fields: Any) -> CircuitBreaker:
    """A breaker that opened and whose next call is a probe."""
    breaker = CircuitBreaker("voice", failure_threshold=1, half_open_max_calls=1, clock=clock, **fields)
    breaker.acquire().failure()
    clock.advance(60)
    return breaker


def session_of(breaker: CircuitBreaker, error: BaseException | None, *, is_healthy: bool = True) -> None:
    """A session that ends with this error."""
    with breaker.session() as session:
        if is_healthy:
            session.healthy()
        if error:
            raise error


# With a real server and client


async def listen(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    """An application that receives messages until the server closes."""
    async with breaker.session() as session, connect(url, proxy=None) as socket:
        async for message in socket:
            session.healthy()
            received.append(message)


async def test_a_session_that_ends_normally_is_one_success() -> None:
    breaker, received = CircuitBreaker("voice"), list[Any]()
    async with served(three_messages) as url:
        await listen(breaker, url, received)
    assert received == ["0", "1", "2"]
    assert counts(breaker) == (1, 0, 0, 0)


async def test_a_session_holds_no_permit_after_its_first_message() -> None:
    breaker = CircuitBreaker("voice")
    async with served(three_messages) as url, breaker.session() as session, connect(url, proxy=None) as socket:
        assert counts(breaker) == (0, 0, 0, 1)
        await socket.recv()
        assert session.healthy()
        assert counts(breaker) == (1, 0, 0, 0)
        assert not session.healthy()
    assert counts(breaker) == (1, 0, 0, 0)


async def test_a_connection_that_dies_later_is_a_failure_of_its_own() -> None:
    breaker = CircuitBreaker("voice")
    async with served(dies_after_one_message) as url:
        with pytest.raises(ConnectionClosedError):
            await listen(breaker, url, [])
    assert counts(breaker) == (1, 1, 0, 0)


async def test_sessions_that_die_together_open_the_circuit() -> None:
    breaker = CircuitBreaker("voice", failure_threshold=3)
    is_down = asyncio.Event()

    async def dies_with_the_others(socket: ServerConnection) -> None:
        await socket.send("0")
        await is_down.wait()
        socket.transport.abort()

    async with served(dies_with_the_others) as url:
        received = list[Any]()
        sessions = [asyncio.create_task(listen(breaker, url, received)) for _ in range(3)]
        async with asyncio.timeout(LONG):
            while len(received) < 3:  # noqa: ASYNC110 (the tasks set no event)
                await asyncio.sleep(0.001)
        assert counts(breaker) == (3, 0, 0, 0)
        is_down.set()
        results = await asyncio.gather(*sessions, return_exceptions=True)
        assert all(isinstance(result, ConnectionClosedError) for result in results)
        assert counts(breaker) == (3, 3, 0, 0)
        with pytest.raises(CircuitBreakerOpenError):
            await listen(breaker, url, [])


async def test_a_refused_connection_is_a_failure() -> None:
    breaker = CircuitBreaker("voice")
    async with served(three_messages) as url:
        pass
    with pytest.raises(OSError):  # noqa: PT011 (the text is the system's)
        await listen(breaker, url, [])
    assert counts(breaker) == (0, 1, 0, 0)


async def test_a_server_that_says_nothing_is_cut_off() -> None:
    breaker = CircuitBreaker("voice", call_timeout_seconds=10 * SHORT)
    async with served(says_nothing) as url:
        with pytest.raises(CallTimeoutError):
            await listen(breaker, url, [])
    assert counts(breaker) == (0, 1, 0, 0)


async def test_the_deadline_ends_with_the_first_message() -> None:
    breaker = CircuitBreaker("voice", call_timeout_seconds=60 * SHORT)

    async def pauses(socket: ServerConnection) -> None:
        await socket.send("0")
        await asyncio.sleep(70 * SHORT)
        await socket.send("1")

    received = list[Any]()
    async with served(pauses) as url:
        await listen(breaker, url, received)
    assert received == ["0", "1"]
    assert counts(breaker) == (1, 0, 0, 0)


async def test_cancelling_the_application_is_neutral() -> None:
    breaker = CircuitBreaker("voice")
    async with served(says_nothing) as url:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(listen(breaker, url, []), 20 * SHORT)
    assert counts(breaker) == (0, 0, 1, 0)


# Probes


def test_a_session_gives_its_probe_slot_back_when_it_is_healthy(clock: ManualClock) -> None:
    breaker = opened(clock, success_threshold=2)
    with breaker.session() as session:
        # In another context, because calls inside the session share its permit.
        with pytest.raises(CircuitBreakerOpenError):
            contextvars.Context().run(breaker.acquire)
        session.healthy()
        assert breaker.state == "half_open"
        breaker.acquire().success()
        assert breaker.state == "closed"


def test_an_unhealthy_session_frees_its_slot_and_votes_on_an_error_only(clock: ManualClock) -> None:
    breaker = opened(clock, success_threshold=1)
    with breaker.session():
        pass
    assert breaker.state == "half_open"
    with pytest.raises(OSError, match="lost"), breaker.session():
        raise OSError("lost")
    assert breaker.state == "open"


@pytest.mark.parametrize("state", ["open", "half_open"])
def test_the_death_of_an_older_session_counts_nothing_in_another_state(clock: ManualClock, state: str) -> None:
    breaker = CircuitBreaker("voice", failure_threshold=1, half_open_max_calls=1, clock=clock)
    session = breaker.session()
    session.__enter__().healthy()
    breaker.acquire().failure()
    if state == "half_open":
        clock.advance(60)
    before = breaker.metrics
    session.__exit__(OSError, OSError("lost"), None)
    assert breaker.state == state
    assert breaker.metrics == before


# Errors


def test_the_death_of_a_session_from_before_a_reset_counts_nothing(clock: ManualClock) -> None:
    breaker = CircuitBreaker("voice", failure_threshold=1, clock=clock)
    session = breaker.session()
    session.__enter__().healthy()
    breaker.reset()
    session.__exit__(ConnectionError, ConnectionError(), None)
    assert (breaker.state, counts(breaker)) == ("closed", (1, 0, 0, 0))


def test_the_death_of_a_session_from_before_an_outage_counts_nothing(clock: ManualClock) -> None:
    breaker = CircuitBreaker("voice", failure_threshold=1, success_threshold=1, clock=clock)
    session = breaker.session()
    session.__enter__().healthy()
    breaker.acquire().failure()
    clock.advance(60)
    breaker.acquire().success()
    assert breaker.state == "closed"
    session.__exit__(ConnectionError, ConnectionError(), None)
    assert (breaker.state, counts(breaker)) == ("closed", (2, 1, 0, 0))


def test_an_error_of_another_kind_is_judged_by_the_classifier() -> None:
    breaker = CircuitBreaker("voice", classify=lambda error: "ignored" if isinstance(error, KeyError) else "failure")
    for error in (KeyError(), OSError()):
        with pytest.raises(type(error)):
            session_of(breaker, error)
    assert counts(breaker) == (2, 1, 0, 0)
    assert breaker.metrics.ignored_calls == 1


@pytest.mark.parametrize("is_healthy", [False, True])
def test_giving_up_is_neutral(is_healthy: bool) -> None:
    breaker = CircuitBreaker("voice")
    with pytest.raises(KeyboardInterrupt):
        session_of(breaker, KeyboardInterrupt(), is_healthy=is_healthy)
    assert counts(breaker) == (int(is_healthy), 0, int(not is_healthy), 0)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_deadline_in_either_event_loop(backend: str) -> None:
    breaker = CircuitBreaker("voice", call_timeout_seconds=SHORT)

    async def main() -> None:
        with pytest.raises(CallTimeoutError):
            async with breaker.session():
                await anyio.sleep_forever()
        async with breaker.session() as session:
            session.healthy()
            await anyio.sleep(2 * SHORT)

    anyio.run(main, backend=backend)
    assert counts(breaker) == (1, 1, 0, 0)


def test_a_session_is_entered_once() -> None:
    breaker = CircuitBreaker("voice")
    session = breaker.session()
    with pytest.raises(InvalidValueError, match="not entered"):
        session.healthy()
    with session:
        assert not session.is_healthy
    with pytest.raises(InvalidValueError, match="a new session"), session:
        pass
    assert breaker.metrics.total_calls == 1


def test_a_block_with_a_deadline_is_refused_without_an_event_loop() -> None:
    breaker = CircuitBreaker("voice", call_timeout_seconds=LONG)
    with pytest.raises(InvalidValueError, match="call_timeout_seconds"), breaker.session():
        pass
    assert breaker.metrics.total_calls == 0


def test_a_session_that_is_dropped_returns_its_permit() -> None:
    breaker = CircuitBreaker("voice")
    breaker.session().__enter__()
    assert counts(breaker) == (0, 0, 1, 0)


async def test_a_session_is_an_async_context_manager_of_its_type() -> None:
    breaker = CircuitBreaker("voice")
    entered: AbstractAsyncContextManager[Any] = breaker.session()
    async with entered as session:
        assert session is entered


async def test_many_sessions_lose_no_permit() -> None:
    breaker = CircuitBreaker("voice", failure_threshold=None, failure_rate_threshold=1.0)

    async def one(number: int) -> None:
        async with breaker.session() as session:
            await asyncio.sleep(0)
            if number % 2:
                session.healthy()
            await asyncio.sleep(0)
            if number % 3 == 0:
                raise OSError(number)

    tasks = [asyncio.create_task(one(number)) for number in range(600)]
    await asyncio.sleep(0)
    for task in tasks[::5]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert breaker.metrics.in_flight == 0
    assert functools.reduce(int.__add__, counts(breaker)) == breaker.metrics.total_calls
