"""Timeouts of the breaker in guarded HTTP clients."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx2
import pytest
import requests
from aiohttp import web
from aiohttp.test_utils import TestServer

from halfopen import CallTimeoutError, CircuitBreaker, InvalidValueError
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from http_clients import CLIENTS, STREAM, WHOLE, Client, counts
from provider import Fault, Late, NoAnswer, Provider, Stall

ASYNC_CLIENTS = [name for name in CLIENTS if "async" in name or name == "aiohttp"]


@pytest.mark.parametrize("name", ASYNC_CLIENTS)
async def test_a_deadline_of_the_breaker_cuts_a_request_off(name: str, url: str, provider: Provider) -> None:
    breaker = CircuitBreaker("gemini", call_timeout_seconds=0.05)
    provider.next(NoAnswer())
    with pytest.raises(CallTimeoutError) as late:
        await Client(name, breaker).status(url, WHOLE)
    assert late.value.seconds == 0.05
    assert counts(breaker) == {"failed": 1}
    assert provider.requests[0].abandoned.wait(5)
    assert await Client(name, breaker).status(url, STREAM) == 200


@pytest.mark.parametrize("name", ASYNC_CLIENTS)
@pytest.mark.parametrize("fault", [NoAnswer(), Late(60), Stall(share=0.1)], ids=str)
async def test_the_first_content_has_to_come_in_time(name: str, fault: Fault, url: str, provider: Provider) -> None:
    # `Stall` first sends the role of the answer, which is not content.
    breaker = CircuitBreaker("gemini", first_item_timeout_seconds=0.1)
    provider.next(fault)
    with pytest.raises(CallTimeoutError, match="first_item_timeout_seconds"):
        await Client(name, breaker).status(url, STREAM)
    assert counts(breaker) == {"failed": 1}
    assert provider.requests[0].abandoned.wait(5) or fault == Late(60)


@pytest.mark.parametrize("name", ASYNC_CLIENTS)
async def test_further_parts_have_to_come_in_time(name: str, url: str, provider: Provider) -> None:
    breaker = CircuitBreaker("gemini", first_item_timeout_seconds=60, idle_timeout_seconds=0.1)
    provider.next(Stall(share=0.5))
    seen: list[bytes] = []
    with pytest.raises(CallTimeoutError, match="idle_timeout_seconds"):
        async with Client(name, breaker).post(url, STREAM) as response:
            await response.read(seen.append)
    assert b"The " in b"".join(seen)
    assert counts(breaker) == {"failed": 1}
    assert provider.requests[0].abandoned.wait(5)


@pytest.mark.parametrize("name", ASYNC_CLIENTS)
async def test_a_slow_consumer_runs_into_no_timeout(name: str, url: str) -> None:
    breaker = CircuitBreaker("gemini", first_item_timeout_seconds=0.5, idle_timeout_seconds=0.5)
    async with Client(name, breaker).post(url, STREAM) as response:
        await asyncio.sleep(0.6)
        await response.read(lambda part: asyncio.sleep(0.6 if b"[DONE]" in part else 0))
    assert counts(breaker) == {"successful": 1}


async def test_a_body_that_is_read_at_once_may_take_longer_than_each_of_its_parts() -> None:
    breaker = CircuitBreaker("gemini", first_item_timeout_seconds=0.6, idle_timeout_seconds=0.6)

    async def slow_bytes(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(5):
            await asyncio.sleep(0.2)
            await response.write(b"part")
        return response

    app = web.Application()
    app.router.add_get("/", slow_bytes)
    middleware = CircuitBreakerMiddleware(breaker)
    reads: list[Callable[[aiohttp.ClientResponse], Awaitable[bytes]]] = [
        lambda response: response.read(),
        lambda response: response.content.read(-1),
        lambda response: response.content.readexactly(20),
    ]
    async with TestServer(app) as server, aiohttp.ClientSession(middlewares=[middleware]) as session:
        for read in reads:
            async with session.get(server.make_url("/")) as response:
                assert await read(response) == b"part" * 5
    assert counts(breaker) == {"successful": 3}


@pytest.mark.parametrize("field", ["call_timeout_seconds", "first_item_timeout_seconds", "idle_timeout_seconds"])
async def test_a_plain_client_refuses_a_timeout_that_it_could_not_keep(url: str, field: str) -> None:
    timeouts: dict[str, Any] = {field: 0.05}
    breaker = CircuitBreaker("gemini", **timeouts)
    makes: list[Callable[[], object]] = [
        lambda: guarded_transport(httpx2.HTTPTransport(), breaker),
        lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), breaker),
    ]
    for make in makes:
        with pytest.raises(InvalidValueError, match="set the client's own timeout") as refused:
            make()
        assert refused.value.field == field
    for name in set(CLIENTS).difference(ASYNC_CLIENTS):
        with pytest.raises(InvalidValueError, match="set the client's own timeout"):
            await Client(name, lambda _: breaker).status(url, WHOLE)
    assert counts(breaker) == {}


@pytest.mark.parametrize("name", ASYNC_CLIENTS)
@pytest.mark.parametrize("fault", [NoAnswer(), Stall()], ids=str)
async def test_a_cancelled_request_counts_against_nobody(
    name: str, fault: Fault, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.next(fault)
    task = asyncio.create_task(Client(name, breaker).status(url, STREAM))
    await asyncio.to_thread(provider.wait_for_requests, 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert counts(breaker) == {"cancelled": 1}
    assert provider.requests[0].abandoned.wait(5)
