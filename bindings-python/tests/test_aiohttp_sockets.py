"""Sockets of aiohttp, whose items end without an error however the connection ends, against a real server."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from consumers import drain
from halfopen import CircuitBreaker

Handler = Callable[[web.WebSocketResponse, web.Request], Awaitable[None]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    async def accept(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str("hello")
        await handler(socket, request)
        return socket

    app = web.Application()
    app.router.add_get("/", accept)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


def closing(code: int) -> Handler:
    async def close(socket: web.WebSocketResponse, _: web.Request) -> None:
        await socket.close(code=code)

    return close


async def abort(_: web.WebSocketResponse, request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()


async def talk(socket: web.WebSocketResponse, _: web.Request) -> None:
    async for message in socket:
        await socket.send_str(message.data)


def counts(breaker: CircuitBreaker) -> tuple[int, int, int, int]:
    """Successes, failures, ignored calls, cancelled calls."""
    read = breaker.metrics
    return read.successful_calls, read.failed_calls, read.ignored_calls, read.cancelled_calls


SUCCESS, FAILURE, IGNORED, CANCELLED = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)


@pytest.mark.parametrize("is_open", [True, False])
@pytest.mark.parametrize(
    ("handler", "close_code", "expected"),
    [
        (closing(1000), 1000, SUCCESS),
        (closing(1001), 1001, SUCCESS),
        (closing(1008), 1008, IGNORED),
        (closing(1011), 1011, FAILURE),
        (closing(1012), 1012, FAILURE),
        (closing(4000), 4000, SUCCESS),
        (abort, 1006, FAILURE),
    ],
)
async def test_a_guarded_socket_is_judged_by_its_close_code(
    handler: Handler, close_code: int, expected: tuple[int, ...], is_open: bool
) -> None:
    breaker = CircuitBreaker("voice")
    async with served(handler) as url, aiohttp.ClientSession() as client, asyncio.timeout(30):
        if is_open:
            socket = breaker.stream(await client.ws_connect(url))
            messages = await drain(socket)
        else:
            async with breaker.stream(client.ws_connect(url)) as socket:
                messages = await drain(socket)
        assert socket.close_code == close_code
    assert [message.data for message in messages] == ["hello"]
    assert counts(breaker) == expected


async def test_a_socket_that_the_consumer_leaves_is_neutral() -> None:
    breaker = CircuitBreaker("voice")
    async with (
        served(talk) as url,
        aiohttp.ClientSession() as client,
        asyncio.timeout(30),
        breaker.stream(client.ws_connect(url)) as socket,
    ):
        assert (await anext(socket)).data == "hello"
        await socket.send_str("hello?")
        assert (await anext(socket)).data == "hello?"
    assert counts(breaker) == CANCELLED


@pytest.mark.parametrize("handler", [closing(1011), abort])
async def test_a_session_over_a_socket_sees_a_death_by_the_close_code(handler: Handler) -> None:
    breaker = CircuitBreaker("voice")

    async def listen(client: aiohttp.ClientSession, url: str) -> None:
        async with breaker.session() as session, client.ws_connect(url) as socket:
            async for _ in socket:
                session.healthy()
            if socket.close_code in {1006, 1011}:
                raise ConnectionError(socket.close_code)

    async with served(handler) as url, aiohttp.ClientSession() as client, asyncio.timeout(30):
        with pytest.raises(ConnectionError):
            await listen(client, url)
    assert counts(breaker) == (1, 1, 0, 0)
