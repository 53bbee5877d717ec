"""Closing a client ends its requests in flight. That says nothing about the provider."""

import asyncio
from collections.abc import Awaitable, Callable
from threading import Event
from types import ModuleType
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest

from halfopen import CircuitBreaker
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.classify import every_exception_is_a_failure
from halfopen.httpx import guarded_async_transport, guarded_transport
from http_clients import ERRORS, STREAM, counts
from provider import Fault, NoAnswer, Provider, Stall

Begin = Callable[[], object]
Wait = Callable[[], Awaitable[object]]


async def by_httpx(library: Any, breaker: CircuitBreaker, url: str, begin: Begin, wait: Wait) -> None:
    client = library.Client(transport=guarded_transport(library.HTTPTransport(), breaker))

    def ask() -> None:
        with client.stream("POST", url, json=STREAM) as response:
            for _ in response.iter_bytes():
                begin()

    task = asyncio.create_task(asyncio.to_thread(ask))
    await wait()
    client.close()
    await task


async def by_httpx_async(library: Any, breaker: CircuitBreaker, url: str, begin: Begin, wait: Wait) -> None:
    client = library.AsyncClient(transport=guarded_async_transport(library.AsyncHTTPTransport(), breaker))

    async def ask() -> None:
        async with client.stream("POST", url, json=STREAM) as response:
            async for _ in response.aiter_bytes():
                begin()

    task = asyncio.create_task(ask())
    await wait()
    await client.aclose()
    await task


async def by_httpx_in_a_block(library: Any, breaker: CircuitBreaker, url: str, begin: Begin, wait: Wait) -> None:
    transport = guarded_async_transport(library.AsyncHTTPTransport(), breaker)

    async def ask(client: Any) -> None:
        async with client.stream("POST", url, json=STREAM) as response:
            async for _ in response.aiter_bytes():
                begin()

    async with library.AsyncClient(transport=transport) as client:
        task = asyncio.create_task(ask(client))
        await wait()
    await task


async def by_aiohttp(_: ModuleType, breaker: CircuitBreaker, url: str, begin: Begin, wait: Wait) -> None:
    session, closed = aiohttp.ClientSession(middlewares=[CircuitBreakerMiddleware(breaker)]), asyncio.Event()

    async def ask() -> None:
        response = await session.post(url, json=STREAM)
        await response.content.readany()
        begin()
        # A read that waits while its session is closed never ends, guarded or not.
        await closed.wait()
        await response.read()

    task = asyncio.create_task(ask())
    await wait()
    await session.close()
    closed.set()
    await task


WAYS: list[tuple[ModuleType, Any]] = [
    (httpx, by_httpx),
    (httpx, by_httpx_async),
    (httpx2, by_httpx),
    (httpx2, by_httpx_async),
]
WAYS += [(httpx2, by_httpx_in_a_block), (aiohttp, by_aiohttp)]


async def closed_midway(
    way: Any, fault: Fault, breaker: CircuitBreaker, provider: Provider, library: ModuleType = httpx2
) -> None:
    """Closes a client after its request has arrived and, if there is an answer, begun to come back."""
    provider.next(fault)
    begun, url = Event(), provider.openai_url + "/chat/completions"

    def wait() -> bool:
        provider.wait_for_requests(1)
        return isinstance(fault, NoAnswer) or begun.wait(5)

    with pytest.raises((*ERRORS, RuntimeError)):
        async with asyncio.timeout(10):
            await way(library, breaker, url, begun.set, lambda: asyncio.to_thread(wait))


@pytest.mark.parametrize("fault", [NoAnswer(), Stall()], ids=str)
@pytest.mark.parametrize(("library", "way"), WAYS, ids=lambda it: it.__name__)
async def test_a_request_is_cancelled_by_closing_its_client(
    library: ModuleType, way: Any, fault: Fault, provider: Provider
) -> None:
    breaker = CircuitBreaker()
    await closed_midway(way, fault, breaker, provider, library)
    assert counts(breaker) == {"cancelled": 1}


async def test_a_layer_around_a_closed_client_counts_no_failure(provider: Provider) -> None:
    breaker = CircuitBreaker()
    await breaker.call(closed_midway, by_httpx_async, NoAnswer(), breaker, provider)
    assert breaker.metrics.failed_calls == 0


async def test_a_breakers_own_rules_decide_about_a_closed_client(provider: Provider) -> None:
    for rules in ({"classify": every_exception_is_a_failure}, {"count": httpx2.TransportError}):
        breaker = CircuitBreaker("http", **rules)
        await closed_midway(by_httpx_async, NoAnswer(), breaker, provider)
        assert counts(breaker) == {"failed": 1}


def test_a_transport_that_is_used_again_is_judged_as_before(url: str, provider: Provider) -> None:
    breaker = CircuitBreaker()
    transport = guarded_transport(httpx2.HTTPTransport(), breaker)
    transport.close()
    provider.next(Stall())
    client = httpx2.Client(transport=transport, timeout=0.1)
    with pytest.raises(httpx2.ReadTimeout):
        client.post(url, json=STREAM)
    assert counts(breaker) == {"failed": 1}
