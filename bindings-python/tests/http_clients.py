"""The HTTP clients that are guarded, behind one interface for tests."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import isawaitable
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

from halfopen import CircuitBreaker, CircuitBreakerConfig
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter

CONFIG = CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30)
WHOLE: dict[str, Any] = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
STREAM = WHOLE | {"stream": True}
Between = Callable[[bytes], Awaitable[None] | None]
"""The consumer's work on each part of a body."""


class Response:
    """A response, and the reading of its body."""

    def __init__(self, response: Any, parts: Any) -> None:
        self.status: int = response.status if hasattr(response, "status") else response.status_code
        self.raise_for_status: Callable[[], object] = response.raise_for_status
        self._parts = parts

    async def read(self, between: Between = lambda _: None) -> bytes:
        """The whole body."""
        body = b""
        async for part in self.parts():
            body += part
            done = between(part)
            if isawaitable(done):
                await done
        return body

    async def parts(self) -> AsyncIterator[bytes]:
        """The parts of the body, as they come."""
        parts = self._parts()
        if hasattr(parts, "__aiter__"):
            async for part in parts:
                yield part
        else:
            for part in parts:
                yield part


class Client:
    """A client whose requests are guarded; ``post`` sends one, and its block ends with the response closed."""

    def __init__(self, name: str, breaker: Any) -> None:
        self._name = name
        self._breaker = breaker

    @asynccontextmanager
    async def post(self, url: str, body: object) -> AsyncIterator[Response]:
        async with AsyncExitStack() as stack:
            yield await getattr(self, f"_{self._name}")(stack, url, body)

    async def status(self, url: str, body: object) -> int:
        """Sends a request and reads the whole answer."""
        async with self.post(url, body) as response:
            await response.read()
            return response.status

    async def _httpx(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        client = stack.enter_context(httpx.Client(transport=guarded_transport(httpx.HTTPTransport(), self._breaker)))
        response = stack.enter_context(client.stream("POST", url, json=body))
        return Response(response, response.iter_bytes)

    async def _httpx2(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        client = stack.enter_context(httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), self._breaker)))
        response = stack.enter_context(client.stream("POST", url, json=body))
        return Response(response, response.iter_bytes)

    async def _httpx_async(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        transport = guarded_async_transport(httpx.AsyncHTTPTransport(), self._breaker)
        client = await stack.enter_async_context(httpx.AsyncClient(transport=transport))
        response = await stack.enter_async_context(client.stream("POST", url, json=body))
        return Response(response, response.aiter_bytes)

    async def _httpx2_async(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        transport = guarded_async_transport(httpx2.AsyncHTTPTransport(), self._breaker)
        client = await stack.enter_async_context(httpx2.AsyncClient(transport=transport))
        response = await stack.enter_async_context(client.stream("POST", url, json=body))
        return Response(response, response.aiter_bytes)

    async def _aiohttp(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        middlewares = [CircuitBreakerMiddleware(self._breaker)]
        session = await stack.enter_async_context(aiohttp.ClientSession(middlewares=middlewares))
        response = await stack.enter_async_context(session.post(url, json=body))
        return Response(response, response.content.iter_any)

    async def _requests(self, stack: AsyncExitStack, url: str, body: object) -> Response:
        session = stack.enter_context(requests.Session())
        session.mount("http://", CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), self._breaker))
        response = stack.enter_context(session.post(url, json=body, stream=True))
        return Response(response, lambda: response.iter_content(None))


ERRORS = (httpx.HTTPError, httpx2.HTTPError, aiohttp.ClientError, requests.RequestException)


def counts(breaker: CircuitBreaker) -> dict[str, int]:
    """The counters that are not zero."""
    names = ("successful_calls", "failed_calls", "ignored_calls", "cancelled_calls", "rejected_calls", "in_flight")
    read = {name.removesuffix("_calls"): getattr(breaker.metrics, name) for name in names}
    return {name: count for name, count in read.items() if count}


CLIENTS = [name[1:] for name in vars(Client) if name.startswith(("_httpx", "_aiohttp", "_requests"))]
