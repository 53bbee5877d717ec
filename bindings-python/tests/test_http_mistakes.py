"""Mistakes of the caller count against no provider: in a request, and in reading its response."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, cast

import aiohttp
import httpx
import pytest
import requests
from aiohttp import web
from requests.adapters import BaseAdapter

from halfopen import CircuitBreaker
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.classify import every_exception_is_a_failure
from halfopen.httpx import guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from halfopen.types import Outcome
from http_clients import counts

BODY = b"one line\n" * 50_000


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("provider")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=BODY)

    application = web.Application()
    application.add_routes([web.get("/", answer)])
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    yield f"http://{host}:{port}/"
    await runner.cleanup()


# Reading, in aiohttp


async def consume(parts: AsyncIterator[bytes]) -> None:
    async for _ in parts:
        raise TypeError("the consumer's own")


Read = Callable[[Any], Awaitable[Any]]
MISREADINGS: dict[str, Read] = {
    "json with a wrong argument": lambda response: response.json(loads=len, nonsense=1),
    "read of a text": lambda response: response.content.read("all"),
    "too many arguments": lambda response: response.content.read(1, 2, 3),
    "readexactly of a text": lambda response: response.content.readexactly("all"),
    "readuntil a number": lambda response: response.content.readuntil(5),
    "readuntil nothing": lambda response: response.content.readuntil(b""),
    "iter_chunked of a text": lambda response: consume(response.content.iter_chunked("all")),
    "an error in the loop": lambda response: consume(response.content.iter_any()),
}


@pytest.mark.parametrize("name", MISREADINGS)
async def test_a_wrong_way_to_read_is_no_end(breaker: CircuitBreaker, url: str, name: str) -> None:
    async with aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]) as session:
        async with session.get(url) as response:
            with pytest.raises((TypeError, ValueError)):
                await MISREADINGS[name](response)
            assert counts(breaker) == {"in_flight": 1}
        assert counts(breaker) == {"cancelled": 1}
        async with session.get(url) as response:
            with pytest.raises((TypeError, ValueError)):
                await MISREADINGS[name](response)
            await response.read()
        assert counts(breaker) == {"cancelled": 1, "successful": 1}


async def test_more_bytes_than_a_whole_answer_has(breaker: CircuitBreaker, url: str) -> None:
    async with (
        aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]) as session,
        session.get(url) as response,
    ):
        with pytest.raises(EOFError):
            await response.content.readexactly(len(BODY) + 1)
        assert counts(breaker) == {"successful": 1}


# Requesting


def broken_body() -> Iterator[bytes]:
    yield b"a part"
    raise TypeError("the caller's own")


async def broken_async_body() -> AsyncIterator[bytes]:
    yield b"a part"
    raise TypeError("the caller's own")


@pytest.mark.parametrize(
    "arguments", [{"data": broken_async_body}, {"headers": lambda: {"a": "b\nc"}}, {"headers": lambda: {"a": 5}}]
)
async def test_a_wrong_request_of_aiohttp(breaker: CircuitBreaker, url: str, arguments: dict[str, Any]) -> None:
    async with aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]) as session:
        with pytest.raises((TypeError, ValueError, aiohttp.ClientConnectionError)):
            await session.post(url, **{name: make() for name, make in arguments.items()})
    assert counts(breaker) == {"ignored": 1}


# It reads the request before it answers.
TRANSPORT = httpx.MockTransport(lambda _: httpx.Response(200))


class ReadingAdapter(BaseAdapter):
    """Reads the body of the request, which raises."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        raise AssertionError(list(cast("Iterator[bytes]", request.body)))

    def close(self) -> None:
        """Has nothing to close."""


async def test_a_wrong_body_of_an_asynchronous_client(breaker: CircuitBreaker) -> None:
    async with httpx.AsyncClient(transport=guarded_async_transport(TRANSPORT, breaker)) as client:
        with pytest.raises(TypeError):
            await client.post("http://provider", content=broken_async_body())
    assert counts(breaker) == {"ignored": 1}


def test_a_wrong_body_of_a_plain_client(breaker: CircuitBreaker) -> None:
    with httpx.Client(transport=guarded_transport(TRANSPORT, breaker)) as client, pytest.raises(TypeError):
        client.post("http://provider", content=broken_body())
    assert counts(breaker) == {"ignored": 1}
    with requests.Session() as session:
        session.mount("http://", CircuitBreakerAdapter(ReadingAdapter(), breaker))
        with pytest.raises(TypeError):
            session.post("http://provider", data=broken_body())
    assert counts(breaker) == {"ignored": 2}


def failure(_: Exception) -> Outcome:
    return "failure"


@pytest.mark.parametrize(
    "rules", [{"classify": every_exception_is_a_failure}, {"count": TypeError}, {"classify": failure}]
)
def test_a_breakers_own_rules_decide(rules: dict[str, Any]) -> None:
    breaker = CircuitBreaker("provider", **rules)
    with httpx.Client(transport=guarded_transport(TRANSPORT, breaker)) as client, pytest.raises(TypeError):
        client.post("http://provider", content=broken_body())
    assert counts(breaker) == {"failed": 1}
