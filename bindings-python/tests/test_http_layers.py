"""Guarded clients inside guarded clients of one breaker: a probe is shared, and a response counts once."""

from collections.abc import Awaitable, Callable
from io import BytesIO
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import requests
import urllib3
from aiohttp import web
from aiohttp.test_utils import TestServer

from halfopen import CircuitBreaker, ManualClock
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter

URL = "http://provider"


class Answering(requests.adapters.BaseAdapter):
    """Answers each request with this status."""

    def __init__(self, status: int) -> None:
        super().__init__()
        self._status = status

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.request, response.url = self._status, request, request.url
        return response

    def close(self) -> None:
        pass


def by_httpx(breaker: CircuitBreaker, status: int) -> int:
    answering = httpx.MockTransport(lambda _: httpx.Response(status))
    layers = guarded_transport(guarded_transport(answering, breaker), breaker)
    return httpx.Client(transport=layers).get(URL).status_code


def by_httpx2(breaker: CircuitBreaker, status: int) -> int:
    answering = httpx2.MockTransport(lambda _: httpx2.Response(status))
    layers = guarded_transport(guarded_transport(answering, breaker), breaker)
    return httpx2.Client(transport=layers).get(URL).status_code


def by_a_request_inside_another(breaker: CircuitBreaker, status: int) -> int:
    """Makes a second request inside the first, through the same breaker, as a client does that fetches a token."""
    answering = httpx.MockTransport(lambda _: httpx.Response(status))
    inner = httpx.Client(transport=guarded_transport(answering, breaker))
    outer = httpx.MockTransport(lambda _: inner.get(URL))
    return httpx.Client(transport=guarded_transport(outer, breaker)).get(URL).status_code


def by_requests(breaker: CircuitBreaker, status: int) -> int:
    session = requests.Session()
    session.mount("http://", CircuitBreakerAdapter(CircuitBreakerAdapter(Answering(status), breaker), breaker))
    return session.get(URL).status_code


async def by_httpx_async(breaker: CircuitBreaker, status: int) -> int:
    answering = httpx.MockTransport(lambda _: httpx.Response(status))
    layers = guarded_async_transport(guarded_async_transport(answering, breaker), breaker)
    async with httpx.AsyncClient(transport=layers) as client:
        return (await client.get(URL)).status_code


async def by_aiohttp(breaker: CircuitBreaker, status: int) -> int:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text="ok")

    application = web.Application()
    application.router.add_get("/", answer)
    layers = [CircuitBreakerMiddleware(breaker), CircuitBreakerMiddleware(breaker)]
    async with (
        TestServer(application) as server,
        aiohttp.ClientSession(middlewares=layers) as session,
        session.get(server.make_url("/")) as response,
    ):
        await response.read()
        return response.status


Client = Callable[[CircuitBreaker, int], int | Awaitable[int]]
CLIENTS: list[Client] = [
    by_httpx,
    by_httpx2,
    by_a_request_inside_another,
    by_requests,
    by_httpx_async,
    by_aiohttp,
]


async def status_of(client: Client, breaker: CircuitBreaker, status: int) -> int:
    answer = client(breaker, status)
    return answer if isinstance(answer, int) else await answer


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_request_inside_a_probing_one_shares_its_permit(client: Client) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker(
        "http", failure_threshold=1, success_threshold=1, half_open_max_calls=1, timeout_seconds=1, clock=clock
    )
    for _ in range(3):
        breaker.acquire().failure()
        clock.advance(1)
        assert await status_of(client, breaker, 200) == 200
        assert breaker.state == "closed"
    assert (breaker.metrics.rejected_calls, breaker.metrics.in_flight) == (0, 0)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_response_through_two_layers_is_one_failure(client: Client) -> None:
    breaker = CircuitBreaker("http", failure_threshold=100)
    for count in (1, 2):
        assert await status_of(client, breaker, 503) == 503
        assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (count, count)


def test_a_connection_that_fails_below_two_layers_is_one_failure() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    breaker = CircuitBreaker("http", failure_threshold=100)
    layers = guarded_transport(guarded_transport(httpx.MockTransport(refuse), breaker), breaker)
    with pytest.raises(httpx.ConnectError):
        httpx.Client(transport=layers).get(URL)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 1)


class Digest(requests.adapters.HTTPAdapter):
    """Asks for a digest, and answers a request that has one with an error."""

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        knows = "Authorization" in request.headers
        headers = {} if knows else {"www-authenticate": 'Digest realm="provider", nonce="1", qop="auth"'}
        body = urllib3.HTTPResponse(BytesIO(), headers, 503 if knows else 401, preload_content=False)
        answer: requests.Response = self.build_response(request, body)
        return answer


def test_a_request_that_an_authentication_repeats_is_guarded() -> None:
    breaker = CircuitBreaker("http", failure_threshold=1)
    session = requests.Session()
    session.mount("http://", CircuitBreakerAdapter(Digest(), breaker))
    assert session.get(URL, auth=requests.auth.HTTPDigestAuth("name", "password")).status_code == 503
    assert (breaker.metrics.ignored_calls, breaker.metrics.failed_calls) == (1, 1)
    assert breaker.state == "open"


def test_each_attempt_of_a_transport_that_retries_counts_once() -> None:
    breaker = CircuitBreaker("http", failure_threshold=100)
    once = guarded_transport(httpx.MockTransport(lambda _: httpx.Response(503)), breaker)

    class Retrying(httpx.BaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            responses = [once.handle_request(request) for _ in range(3)]
            return responses[-1]

    assert httpx.Client(transport=guarded_transport(Retrying(), breaker)).get(URL).status_code == 503
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (3, 1)
