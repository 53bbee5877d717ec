"""Guarded plain functions that return aiohttp's requests, and malformed chunks, against loopback servers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError
from halfopen.aiohttp import CircuitBreakerMiddleware


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=2))


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text="answer", status=int(request.query.get("status", "200")))

    async def echo(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    application = web.Application()
    application.add_routes([web.get("/", answer), web.get("/socket", echo)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/"
    await runner.cleanup()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(raise_for_status=True, timeout=aiohttp.ClientTimeout(5)) as session:
        yield session


async def test_a_request_is_entered(breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str) -> None:
    get = breaker(session.get)
    async with get(url) as response:
        assert await response.text() == "answer"
        assert breaker.metrics.successful_calls == 1
    assert response.closed
    assert breaker.metrics.in_flight == 0


async def test_a_request_is_awaited(breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str) -> None:
    get = breaker(session.get)
    response = await get(url)
    assert await response.text() == "answer"
    both = await asyncio.gather(get(url), asyncio.create_task(get(url)))
    assert [answer.status for answer in both] == [200, 200]
    for answer in [response, *both]:
        answer.release()
    assert (breaker.metrics.successful_calls, breaker.metrics.in_flight) == (3, 0)


@pytest.mark.parametrize("way", ["entered", "awaited"])
async def test_a_request_that_fails_opens_the_circuit(
    breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str, way: str
) -> None:
    get = breaker(session.get)

    async def ask() -> None:
        if way == "entered":
            async with get(url, params={"status": "503"}):
                raise AssertionError("entered")
        await get(url, params={"status": "503"})

    for _ in range(2):
        with pytest.raises(aiohttp.ClientResponseError, match="Service Unavailable"):
            await ask()
    with pytest.raises(CircuitBreakerOpenError):
        await ask()
    assert breaker.metrics.failed_calls == 2


async def test_an_error_in_the_block_is_the_callers(
    breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str
) -> None:
    get = breaker(session.get)
    for _ in range(3):
        with pytest.raises(KeyError):
            async with get(url):
                raise KeyError("no such item in the answer")
    assert (breaker.metrics.successful_calls, breaker.metrics.failed_calls) == (3, 0)


async def test_a_request_that_is_never_made_returns_its_permit(
    breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str
) -> None:
    breaker(session.get)(url).close()
    assert (breaker.metrics.cancelled_calls, breaker.metrics.in_flight) == (1, 0)


async def test_a_web_socket_is_connected(breaker: CircuitBreaker, session: aiohttp.ClientSession, url: str) -> None:
    connect: Any = breaker(session.ws_connect)
    async with connect(url + "socket") as socket:
        await socket.send_str("hello")
        assert await socket.receive_str() == "hello"
    assert breaker.metrics.successful_calls == 1


HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
MALFORMED = b"no size\r\n"


@pytest.mark.parametrize("guards", [(), (CircuitBreakerMiddleware,)], ids=["unguarded", "guarded"])
@pytest.mark.parametrize("together", [True, False], ids=["beside the head", "after the head"])
async def test_a_malformed_chunk(
    breaker: CircuitBreaker, guards: tuple[type[CircuitBreakerMiddleware], ...], together: bool
) -> None:
    has_head = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(HEAD + MALFORMED if together else HEAD)
        await has_head.wait()
        writer.write(MALFORMED)
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(
            middlewares=[guard(breaker) for guard in guards], timeout=aiohttp.ClientTimeout(total=0.5)
        ) as session,
    ):
        host, port = server.sockets[0].getsockname()[:2]
        if together:
            with pytest.raises(aiohttp.ClientResponseError, match="Invalid character in chunk size"):
                await session.get(f"http://{host}:{port}")
            has_head.set()
        else:
            async with session.get(f"http://{host}:{port}") as response:
                has_head.set()
                # The compiled parser of aiohttp 3.14 drops the body before it raises, so the error reaches nobody
                # who reads the body, not even when the connection closes: only the total timeout ends the wait. When
                # this test fails, that is fixed, and the test of the other clients can have aiohttp again.
                with pytest.raises(TimeoutError):
                    await response.read()
    assert (breaker.metrics.failed_calls, breaker.metrics.total_calls) == (len(guards), len(guards))
