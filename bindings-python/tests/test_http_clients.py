"""Requests of each HTTP client are judged by status, by what their bodies say, and by how those end."""

import asyncio
import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx2
import pytest
import requests

from halfopen import (
    CallTimeoutError,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    InvalidValueError,
    ManualClock,
    Registry,
)
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.classify import every_result_is_a_success
from halfopen.httpx import BreakerPerHost, BreakerPerKey, guarded_async_transport, guarded_transport
from halfopen.requests import CircuitBreakerAdapter
from halfopen.types import Outcome
from http_clients import CLIENTS, ERRORS, Client, counts
from provider import (
    CONTENT_REFUSED,
    CONTEXT_TOO_LONG,
    Cut,
    ErrorEvent,
    Fault,
    Late,
    Malformed,
    NoAnswer,
    NoTerminator,
    Provider,
    Reset,
    Stall,
    Status,
)

CONFIG = CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30)
WHOLE: dict[str, Any] = {"model": "small", "messages": [{"role": "user", "content": "hello"}]}
STREAM = WHOLE | {"stream": True}
ASYNC_CLIENTS = [name for name in CLIENTS if "async" in name or name == "aiohttp"]


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker(CONFIG)


@pytest.fixture
def url(provider: Provider) -> str:
    return provider.openai_url + "/chat/completions"


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


async def test_the_wait_that_a_provider_asks_for_is_heeded(client: Client, url: str, provider: Provider) -> None:
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


async def test_leaving_a_stream_behind_the_whole_answer_is_a_success(
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


async def test_a_breaker_for_each_host(client_of: Callable[[Any], Client], provider: Provider) -> None:
    registry = Registry(10)
    client = client_of(BreakerPerHost(registry, CONFIG))
    with Provider() as other:
        other.always(Status(500))
        assert await client.status(other.openai_url + "/chat/completions", WHOLE) == 500
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            await client.status(other.openai_url + "/chat/completions", WHOLE)
        assert rejected.value.circuit_name == other.url.removeprefix("http://")
        assert await client.status(provider.openai_url + "/chat/completions", WHOLE) == 200
    # The healthy one is idle, so the registry may let it go.
    assert sorted(breaker.state for breaker in registry.breakers()) == ["closed", "open"]


async def test_a_request_without_a_breaker_is_not_guarded(
    client_of: Callable[[Any], Client], url: str, provider: Provider
) -> None:
    provider.always(Status(500))
    client = client_of(lambda _: None)
    for _ in range(3):
        assert await client.status(url, STREAM) == 500


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
    # `Stall` sends the role of the answer before, which is no content.
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


def test_a_key_function_names_the_breaker(provider: Provider) -> None:
    registry = Registry(10)
    choose: BreakerPerKey[httpx2.Request] = BreakerPerKey(
        registry, CONFIG, lambda request: request.headers.get("tenant")
    )
    with httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), choose)) as client:
        assert client.get(provider.openai_url + "/models", headers={"tenant": "a"}).status_code == 200
        assert client.get(provider.openai_url + "/models").status_code == 200
    assert [breaker.name for breaker in registry.breakers()] == ["a"]


def test_a_breaker_that_the_registry_has_is_used_as_it_is(provider: Provider) -> None:
    registry = Registry(10)
    own = registry.get_or_create(
        CONFIG.model_copy(update={"name": provider.url.removeprefix("http://"), "shadow": True})
    )
    with httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), BreakerPerHost(registry, CONFIG))) as client:
        assert client.get(provider.openai_url + "/models").status_code == 200
    assert counts(own) == {"successful": 1}


def test_a_full_registry_lets_requests_pass_and_says_so_once(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    registry = Registry(1)
    registry.get_or_create(CONFIG.model_copy(update={"name": "busy"})).force_open()
    transport = guarded_transport(httpx2.HTTPTransport(), BreakerPerHost(registry, CONFIG))
    with httpx2.Client(transport=transport) as client, caplog.at_level(logging.WARNING, "halfopen"):
        for _ in range(2):
            assert client.get(provider.openai_url + "/models").status_code == 200
    assert [record.getMessage() for record in caplog.records if "registry" in record.getMessage()] == [
        "the registry holds 1 circuits, as many as it may: requests pass unguarded"
    ]


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: guarded_transport(httpx2.HTTPTransport(), 5), "breaker"),  # type: ignore[call-overload]
        (lambda: guarded_transport(httpx2.AsyncHTTPTransport(), CircuitBreaker()), "inner"),  # type: ignore[call-overload]
        (lambda: guarded_async_transport(object(), CircuitBreaker()), "inner"),  # type: ignore[call-overload]
        (lambda: CircuitBreakerMiddleware(None), "breaker"),  # type: ignore[arg-type]
        (lambda: CircuitBreakerAdapter(requests.adapters.HTTPAdapter(), "gemini"), "breaker"),  # type: ignore[arg-type]
    ],
)
def test_a_wrong_breaker_or_transport_is_refused_at_once(make: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        make()
    assert refused.value.field == field


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
