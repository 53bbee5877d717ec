"""Requests of each HTTP client are judged by status, by what their bodies say, and by how those end."""

import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import requests

from halfopen import CircuitBreaker, CircuitBreakerOpenError, ManualClock
from halfopen.classify import every_result_is_a_success
from halfopen.httpx import guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from halfopen.types import Outcome
from http_clients import CLIENTS, CONFIG, ERRORS, STREAM, WHOLE, Client, counts
from provider import (
    CONTENT_REFUSED,
    CONTEXT_TOO_LONG,
    Cut,
    ErrorEvent,
    Fault,
    Malformed,
    NoTerminator,
    Provider,
    Reset,
    Stall,
    Status,
)


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CONFIG)


@pytest.fixture(params=CLIENTS)
def client_of(request: pytest.FixtureRequest) -> Callable[[Any], Client]:
    return lambda breaker: Client(request.param, breaker)


@pytest.fixture
def client(client_of: Callable[[Any], Client], breaker: CircuitBreaker) -> Client:
    return client_of(breaker)


async def test_an_answer_is_a_success(client: Client, breaker: CircuitBreaker, url: str) -> None:
    assert await client.status(url, WHOLE) == 200
    assert counts(breaker) == {"successful": 1}


async def test_an_error_status_is_a_failure_that_the_caller_sees(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.always(Status(503))
    assert await client.status(url, WHOLE) == 503
    assert counts(breaker) == {"failed": 1}
    with pytest.raises(CircuitBreakerOpenError) as rejected:
        await client.status(url, WHOLE)
    assert rejected.value.retry_after == pytest.approx(30, abs=1)
    assert counts(breaker) == {"failed": 1, "rejected": 1}
    assert len(provider.requests) == 1


@pytest.mark.parametrize("fault", [Status(429), Status(401), CONTEXT_TOO_LONG, CONTENT_REFUSED], ids=lambda it: it.code)
async def test_the_callers_own_mistakes_are_ignored(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider, fault: Status
) -> None:
    provider.next(fault)
    assert await client.status(url, WHOLE) == fault.code
    assert counts(breaker) == {"ignored": 1}


async def test_the_wait_that_a_provider_asks_for_is_followed(client: Client, url: str, provider: Provider) -> None:
    provider.next(Status(503, retry_after=120))
    assert await client.status(url, WHOLE) == 503
    with pytest.raises(CircuitBreakerOpenError) as rejected:
        await client.status(url, WHOLE)
    assert rejected.value.retry_after == pytest.approx(120, abs=1)


async def test_a_reset_is_a_failure(client: Client, breaker: CircuitBreaker, url: str, provider: Provider) -> None:
    provider.next(Reset())
    with pytest.raises(ERRORS):
        await client.status(url, WHOLE)
    assert counts(breaker) == {"failed": 1}


async def test_a_refused_connection_is_a_failure(client: Client, breaker: CircuitBreaker) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(ERRORS):
            await client.status(f"http://127.0.0.1:{unused.getsockname()[1]}/", WHOLE)
    assert counts(breaker) == {"failed": 1}


async def test_a_stream_is_judged_at_its_end(client: Client, breaker: CircuitBreaker, url: str) -> None:
    async with client.post(url, STREAM) as response:
        assert counts(breaker) == {"in_flight": 1}
        assert (await response.read()).endswith(b"data: [DONE]\n\n")
        assert counts(breaker) == {"successful": 1}
    assert counts(breaker) == {"successful": 1}


async def test_a_stream_that_is_cut_is_a_failure(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.next(Cut())
    with pytest.raises(ERRORS):
        await client.status(url, STREAM)
    assert counts(breaker) == {"failed": 1}


# test_aiohttp.py tests malformed chunks with aiohttp.
@pytest.mark.parametrize("name", sorted(set(CLIENTS) - {"aiohttp"}))
async def test_a_malformed_chunk_is_a_failure(name: str, breaker: CircuitBreaker, url: str, provider: Provider) -> None:
    provider.next(Malformed(framing=True))
    with pytest.raises(ERRORS):
        await Client(name, breaker).status(url, STREAM)
    assert counts(breaker) == {"failed": 1}


@pytest.mark.parametrize("fault", [Cut(in_form=True), Malformed()], ids=str)
async def test_an_incomplete_or_malformed_answer_is_a_failure(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider, fault: Fault
) -> None:
    provider.next(fault)
    assert await client.status(url, STREAM) == 200
    assert counts(breaker) == {"failed": 1}


@pytest.mark.parametrize(("status", "outcome"), [(Status(500), "failed"), (Status(429), "ignored")], ids=str)
async def test_an_error_in_the_stream_counts_by_its_code(
    client: Client, breaker: CircuitBreaker, provider: Provider, status: Status, outcome: str
) -> None:
    provider.next(ErrorEvent(status))
    assert await client.status(provider.openai_url + "/chat/completions", STREAM) == 200
    assert counts(breaker) == {outcome: 1}


async def test_a_judge_of_the_breaker_decides(client_of: Callable[[Any], Client], url: str, provider: Provider) -> None:
    def judge(response: Any) -> Outcome | None:
        return "failure" if getattr(response, "status_code", getattr(response, "status", 0)) == 429 else None

    breaker = CircuitBreaker(CONFIG, judge=judge)
    client = client_of(breaker)
    provider.next(Status(400), Status(429))
    assert await client.status(url, WHOLE) == 400
    assert await client.status(url, WHOLE) == 429
    assert counts(breaker) == {"ignored": 1, "failed": 1}


async def test_a_breaker_without_the_default_rules_for_results(
    client_of: Callable[[Any], Client], url: str, provider: Provider
) -> None:
    breaker = CircuitBreaker(CONFIG, judge=every_result_is_a_success)
    provider.next(Status(503))
    assert await client_of(breaker).status(url, WHOLE) == 503
    assert counts(breaker) == {"successful": 1}


async def test_a_complete_answer_needs_no_terminator(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.next(NoTerminator())
    assert await client.status(url, STREAM) == 200
    assert counts(breaker) == {"successful": 1}


async def test_leaving_a_stream_counts_against_nobody(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.next(Stall())
    async with client.post(url, STREAM) as response:
        async for _ in response.parts():
            break
    assert counts(breaker) == {"cancelled": 1}


async def test_leaving_a_stream_after_the_whole_answer_is_a_success(
    client: Client, breaker: CircuitBreaker, url: str, provider: Provider
) -> None:
    provider.next(Stall(share=1.0))
    seen = b""
    async with client.post(url, STREAM) as response:
        async for part in response.parts():
            seen += part
            if b"[DONE]" in seen:
                break
    assert counts(breaker) == {"successful": 1}


async def test_the_consumers_time_is_not_the_providers(
    client_of: Callable[[Any], Client], clock: ManualClock, url: str
) -> None:
    breaker = CircuitBreaker(CONFIG, clock=clock)
    async with client_of(breaker).post(url, STREAM) as response:
        clock.advance(3)
        await response.read(lambda _: clock.advance(5))
    assert counts(breaker) == {"successful": 1}
    assert breaker.durations()["success"].total_seconds == 0


def test_a_response_without_a_body_ends_with_its_headers(breaker: CircuitBreaker, provider: Provider) -> None:
    answers = iter([httpx2.Response(204), httpx2.Response(200, json={}), httpx2.Response(200, json={})])
    inner = httpx2.MockTransport(lambda _: next(answers))
    with httpx2.Client(transport=guarded_transport(inner, breaker)) as client:
        for method, made in (("GET", 1), ("HEAD", 2), ("GET", 3)):
            with client.stream(method, provider.url):
                assert counts(breaker) == {"successful": made}


def test_a_response_that_nobody_closes_gives_its_permit_back(breaker: CircuitBreaker, url: str) -> None:
    session = requests.Session()
    session.mount("http://", CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), breaker))
    response = session.post(url, json=STREAM, stream=True)
    assert counts(breaker) == {"in_flight": 1}
    del response
    assert counts(breaker) == {"cancelled": 1}
    session.close()


@pytest.mark.parametrize("fault", [Status(503), Reset(), Cut()], ids=str)
async def test_a_guarded_function_around_a_guarded_client_counts_nothing_again(
    client_of: Callable[[Any], Client], url: str, provider: Provider, fault: Fault
) -> None:
    breaker = CircuitBreaker("gemini", failure_threshold=5)
    provider.next(fault)

    @breaker
    async def outer() -> None:
        async with client_of(breaker).post(url, STREAM) as response:
            response.raise_for_status()
            await response.read()

    with suppress(*ERRORS):
        await outer()
    assert counts(breaker) == {"failed": 1, "ignored": 1}
