"""``breaker.stream`` of ``connect`` of websockets: entering, awaiting and iterating over it make real connections."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
import trio
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosedError
from websockets.sync.client import ClientConnection as PlainConnection
from websockets.sync.client import connect as plain_connect
from websockets.trio.client import connect as trio_connect

from consumers import counts
from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError
from socket_server import Handler, dies_after_one_message, says_nothing, served, three_messages


async def hangs_after_one_message(socket: ServerConnection) -> None:
    await socket.send("0")
    await socket.wait_closed()


async def receive(socket: ClientConnection, received: list[Any]) -> None:
    async for message in socket:
        received.append(message)  # noqa: PERF401  # what came before an error counts too


async def entered(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    async with breaker.stream(connect(url, proxy=None)) as socket:
        assert isinstance(socket, ClientConnection)
        await receive(socket, received)


async def awaited(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    async with await breaker.stream(connect(url, proxy=None)) as socket:
        await receive(socket, received)


CASES: list[tuple[Handler, type[Exception] | None, int, tuple[int, ...]]] = [
    (three_messages, None, 3, (1, 0, 0, 0)),
    (dies_after_one_message, ConnectionClosedError, 1, (0, 1, 0, 0)),
    (hangs_after_one_message, CallTimeoutError, 1, (0, 1, 0, 0)),
    (says_nothing, CallTimeoutError, 0, (0, 1, 0, 0)),
]


@pytest.mark.parametrize(("handler", "error", "number", "expected"), CASES)
@pytest.mark.parametrize("way", [entered, awaited])
async def test_the_messages_of_a_connection_are_the_items(
    way: Callable[..., Any],
    handler: Handler,
    error: type[Exception] | None,
    number: int,
    expected: tuple[int, ...],
) -> None:
    breaker = CircuitBreaker(first_item_timeout_seconds=0.2, idle_timeout_seconds=0.2)
    received: list[Any] = []
    async with served(handler) as url, asyncio.timeout(10):
        if error is None:
            await way(breaker, url, received)
        else:
            with pytest.raises(error):
                await way(breaker, url, received)
    assert len(received) == number
    assert counts(breaker) == expected


@pytest.mark.parametrize("way", [entered, awaited])
async def test_a_connection_that_is_refused_is_a_failure(way: Callable[..., Any]) -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    async with served(says_nothing) as url:
        pass
    with pytest.raises(ConnectionRefusedError):
        await way(breaker, url, [])
    assert counts(breaker) == (0, 1, 0, 0)
    with pytest.raises(CircuitBreakerOpenError):
        await way(breaker, url, [])


async def entered_in_trio(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    async with breaker.stream(trio_connect(url, proxy=None)) as socket:
        async for message in socket:
            received.append(message)  # noqa: PERF401  # what came before an error counts too


def entered_plainly(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    with breaker.stream(plain_connect(url, proxy=None)) as socket:
        assert isinstance(socket, PlainConnection)
        received.extend(socket)


def guarded_plainly(breaker: CircuitBreaker, url: str, received: list[Any]) -> None:
    with plain_connect(url, proxy=None) as socket:
        received.extend(breaker.stream(socket))


OTHERS: dict[str, Callable[..., None]] = {
    "trio": lambda *args: trio.run(entered_in_trio, *args),
    "plain, entered": entered_plainly,
    "plain, open": guarded_plainly,
}


@pytest.mark.parametrize("way", OTHERS)
async def test_connections_without_asyncio(way: str) -> None:
    breaker, received = CircuitBreaker(failure_threshold=1), list[Any]()
    async with served(three_messages) as url, asyncio.timeout(10):
        await asyncio.to_thread(OTHERS[way], breaker, url, received)
    assert received == ["0", "1", "2"]
    async with served(dies_after_one_message) as url, asyncio.timeout(10):
        with pytest.raises(ConnectionClosedError):
            await asyncio.to_thread(OTHERS[way], breaker, url, received)
    assert counts(breaker) == (1, 1, 0, 0)


async def test_iterating_makes_one_connection_after_the_other() -> None:
    breaker, received = CircuitBreaker(), list[Any]()
    async with served(dies_after_one_message) as url, asyncio.timeout(10):
        async for socket in breaker.stream(connect(url, proxy=None)):
            received.append(await socket.recv())
            if len(received) == 2:
                break
        else:
            pytest.fail("connect ends only when it is left")
    assert received == ["0", "0"]
