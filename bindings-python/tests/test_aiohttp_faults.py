"""Faults that aiohttp reports in its own way: a total timeout while it connects, a body that broke off unread."""

import asyncio
import socket
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest

from halfopen import CircuitBreaker
from halfopen.aiohttp import CircuitBreakerMiddleware
from http_clients import counts

Reading = Callable[[aiohttp.ClientResponse], Awaitable[object]]


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("provider")


@asynccontextmanager
async def silent_server() -> AsyncGenerator[str]:
    """A URL whose server takes connections and never answers the greeting of TLS."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"https://127.0.0.1:{server.getsockname()[1]}"


async def test_a_total_timeout_that_ends_the_connecting_is_a_failure(breaker: CircuitBreaker) -> None:
    timeout = aiohttp.ClientTimeout(total=0.05)
    async with (
        silent_server() as url,
        aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)], timeout=timeout) as session,
    ):
        with pytest.raises(TimeoutError):
            await session.get(url)
    assert counts(breaker) == {"failed": 1}
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


async def test_a_deadline_of_the_caller_that_ends_the_connecting_is_neutral(breaker: CircuitBreaker) -> None:
    async with (
        silent_server() as url,
        aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]) as session,
    ):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await session.get(url)
    assert counts(breaker) == {"cancelled": 1}


async def all_of(parts: AsyncIterable[object]) -> list[object]:
    return [part async for part in parts]


async def read_nowait(response: aiohttp.ClientResponse) -> bytes:
    return response.content.read_nowait()


READINGS: dict[str, Reading] = {
    "read": lambda response: response.read(),
    "text": lambda response: response.text(),
    "content.read": lambda response: response.content.read(),
    "content.read(5)": lambda response: response.content.read(5),
    "readexactly": lambda response: response.content.readexactly(5),
    "readline": lambda response: response.content.readline(),
    "read_nowait": read_nowait,
    "iter_any": lambda response: all_of(response.content.iter_any()),
}


def reader_of(response: aiohttp.ClientResponse) -> aiohttp.StreamReader:
    reader: aiohttp.StreamReader = vars(response.content)["_inner"]
    return reader


@asynccontextmanager
async def broken_body(breaker: CircuitBreaker) -> AsyncGenerator[aiohttp.ClientResponse]:
    """A response whose body has broken off before anybody has read it."""
    has_head = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
        await has_head.wait()
        writer.write(b"half of it")
        writer.close()

    async with (
        await asyncio.start_server(answer, "127.0.0.1", 0) as server,
        aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]) as session,
    ):
        host, port = server.sockets[0].getsockname()[:2]
        async with session.get(f"http://{host}:{port}") as response:
            has_head.set()
            # The reader that aiohttp itself feeds: an error of the guarded one would reach the breaker.
            with pytest.raises(aiohttp.ClientPayloadError):
                await reader_of(response).read()
            yield response


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
async def test_a_body_that_broke_off_before_it_is_read_is_a_failure(breaker: CircuitBreaker, reading: Reading) -> None:
    async with broken_body(breaker) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await reading(response)
        assert counts(breaker) == {"failed": 1}


async def test_a_body_that_broke_off_and_is_never_read_is_a_failure_when_it_is_closed(breaker: CircuitBreaker) -> None:
    async with broken_body(breaker) as response:
        assert counts(breaker) == {"in_flight": 1}
    assert response.closed
    assert counts(breaker) == {"failed": 1}
