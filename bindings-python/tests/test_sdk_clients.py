"""Inside the SDKs of openai, anthropic and google-genai, with their default settings, through guarded clients."""

import asyncio
import copy
import gc
import pickle
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from inspect import isawaitable
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest
from google import genai
from google.genai.errors import APIError
from google.genai.types import HttpOptions

from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, compat
from halfopen.aiohttp import CircuitBreakerMiddleware
from halfopen.httpx import guarded_async_transport, guarded_transport
from provider import Cut, ErrorEvent, Fault, NoAnswer, Provider, Reset, Stall, Status

# The SDK of Google derives a class from aiohttp's session.
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")

ASKED: list[Any] = [{"role": "user", "content": "two words"}]
CONNECTION_ERRORS = (httpx2.TransportError, httpx.TransportError, aiohttp.ClientError)
Ask = Callable[[bool], Any]
"""Asks for an answer, in one piece or as a stream."""


def openai_sync(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker))
    client = stack.enter_context(openai.OpenAI(base_url=provider.openai_url, api_key="none", http_client=http))
    return lambda stream: client.chat.completions.create(model="small", messages=ASKED, stream=stream)


def openai_async(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.AsyncClient(transport=guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker))
    client = openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", http_client=http)
    stack.push_async_callback(client.close)
    return lambda stream: client.chat.completions.create(model="small", messages=ASKED, stream=stream)


def openai_with_httpx(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http: Any = httpx.Client(transport=guarded_transport(httpx.HTTPTransport(), breaker))
    client = stack.enter_context(openai.OpenAI(base_url=provider.openai_url, api_key="none", http_client=http))
    return lambda stream: client.chat.completions.create(model="small", messages=ASKED, stream=stream)


def openai_responses(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker))
    client = stack.enter_context(openai.OpenAI(base_url=provider.openai_url, api_key="none", http_client=http))
    return lambda stream: client.responses.create(model="small", input="two words", stream=stream)


def anthropic_sync(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker))
    client = stack.enter_context(anthropic.Anthropic(base_url=provider.url, api_key="none", http_client=http))
    return lambda stream: client.messages.create(model="small", max_tokens=9, messages=ASKED, stream=stream)


def anthropic_async(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.AsyncClient(transport=guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker))
    client = anthropic.AsyncAnthropic(base_url=provider.url, api_key="none", http_client=http)
    stack.push_async_callback(client.close)
    return lambda stream: client.messages.create(model="small", max_tokens=9, messages=ASKED, stream=stream)


def google_sync(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = stack.enter_context(httpx2.Client(transport=guarded_transport(httpx2.HTTPTransport(), breaker)))
    client = genai.Client(api_key="none", http_options=HttpOptions(base_url=provider.url, httpx_client=http))
    models = client.models
    return lambda stream: (models.generate_content_stream if stream else models.generate_content)(
        model="small", contents="two words"
    )


def google_async(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    """Its default: aiohttp, which is given our middleware."""
    arguments = {"middlewares": [CircuitBreakerMiddleware(breaker)]}
    options = HttpOptions(base_url=provider.url, async_client_args=arguments)
    client = genai.Client(api_key="none", http_options=options)
    stack.push_async_callback(client.aio.aclose)
    models = client.aio.models
    return lambda stream: (models.generate_content_stream if stream else models.generate_content)(
        model="small", contents="two words"
    )


def google_async_httpx2(provider: Provider, breaker: CircuitBreaker, stack: AsyncExitStack) -> Ask:
    http = httpx2.AsyncClient(transport=guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker))
    stack.push_async_callback(http.aclose)
    client = genai.Client(api_key="none", http_options=HttpOptions(base_url=provider.url, httpx_async_client=http))
    models = client.aio.models
    return lambda stream: (models.generate_content_stream if stream else models.generate_content)(
        model="small", contents="two words"
    )


SDKS = [
    openai_sync,
    openai_async,
    openai_with_httpx,
    openai_responses,
    anthropic_sync,
    anthropic_async,
    google_sync,
    google_async,
    google_async_httpx2,
]


@pytest.fixture
def breaker() -> CircuitBreaker:
    return CircuitBreaker("gemini", failure_threshold=5, timeout_seconds=30)


@pytest.fixture(params=SDKS, ids=lambda sdk: sdk.__name__)
async def ask(
    request: pytest.FixtureRequest, provider: Provider, breaker: CircuitBreaker
) -> AsyncIterator[Callable[[bool], Awaitable[int]]]:
    async with AsyncExitStack() as stack:
        answer = request.param(provider, breaker, stack)

        async def ask(stream: bool) -> int:
            """The number of parts that the answer comes in."""
            got = answer(stream)
            if isawaitable(got):
                got = await got
            if not stream:
                return 1
            return len([part async for part in got]) if hasattr(got, "__aiter__") else len(list(got))

        yield ask


@pytest.mark.parametrize("stream", [False, True])
async def test_an_open_circuit_ends_in_one_attempt_with_our_error(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker, provider: Provider, stream: bool
) -> None:
    breaker.force_open(20)
    seconds: list[float] = []
    for _ in range(3):
        began = time.perf_counter()
        with pytest.raises(CircuitBreakerOpenError) as rejected:
            await ask(stream)
        seconds.append(time.perf_counter() - began)
        assert rejected.value.circuit_name == "gemini"
        assert rejected.value.retry_after == pytest.approx(20, abs=5)
    assert (breaker.metrics.rejected_calls, len(provider.requests)) == (3, 0)
    # The SDKs would sleep half a second before a second attempt, or ten where aiohttp's connection failed. The first
    # call of some imports modules.
    assert min(seconds) < 0.2


async def test_answers_and_streams_are_successes(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker
) -> None:
    assert await ask(False) == 1
    assert await ask(True) > 2
    assert (breaker.metrics.successful_calls, breaker.metrics.total_calls) == (2, 2)


async def test_each_attempt_of_an_sdk_is_one_failure(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker, provider: Provider
) -> None:
    provider.always(Status(503, retry_after=0.01))
    with pytest.raises((openai.InternalServerError, anthropic.InternalServerError, APIError)):
        await ask(False)
    assert breaker.metrics.failed_calls == len(provider.requests) <= 3


async def test_a_stream_that_is_cut_is_one_failure(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker, provider: Provider
) -> None:
    provider.always(Cut())
    with pytest.raises((openai.APIConnectionError, *CONNECTION_ERRORS)):
        await ask(True)
    assert (breaker.metrics.failed_calls, breaker.metrics.total_calls, len(provider.requests)) == (1, 1, 1)


@pytest.mark.parametrize(("status", "failed"), [(Status(529), 1), (Status(429), 0)], ids=str)
async def test_an_error_in_a_stream_counts_by_its_code(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker, provider: Provider, status: Status, failed: int
) -> None:
    provider.always(ErrorEvent(status))
    with suppress(openai.APIError, anthropic.APIError, APIError):
        await ask(True)
    # Google's SDK closes no response; the event loop does it, in a task of its own.
    gc.collect()
    for _ in range(10):
        await asyncio.sleep(0)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (failed, 1 - failed)
    assert breaker.metrics.in_flight == 0


@pytest.mark.parametrize(
    ("fault", "stream"),
    [
        (Status(503, retry_after=0.01), False),
        (Status(503, retry_after=0.01), True),
        (Reset(), False),
        (Cut(), True),
        (ErrorEvent(Status(529)), True),
    ],
    ids=str,
)
async def test_a_guarded_function_around_a_guarded_client_counts_nothing_again(
    ask: Callable[[bool], Awaitable[int]], breaker: CircuitBreaker, provider: Provider, fault: Fault, stream: bool
) -> None:
    provider.always(fault)
    try:
        await breaker(ask)(stream)
        raised = False
    except (openai.APIError, anthropic.APIError, APIError, *CONNECTION_ERRORS):
        raised = True
    # OpenAI's SDK hands the error of a streamed response on as an item.
    assert raised or isinstance(fault, ErrorEvent)
    read = breaker.metrics
    assert (read.failed_calls, read.ignored_calls, read.successful_calls) == (read.total_calls - 1, raised, not raised)


@pytest.mark.parametrize("make", [openai_async, anthropic_async, google_async, google_async_httpx2])
async def test_a_deadline_of_the_breaker_ends_in_one_attempt(make: Any, provider: Provider) -> None:
    breaker = CircuitBreaker("gemini", call_timeout_seconds=0.1)
    provider.always(NoAnswer())
    async with AsyncExitStack() as stack:
        with pytest.raises(CallTimeoutError, match=r"'gemini' was cut off after .*0\.1") as late:
            await make(provider, breaker, stack)(False)
    assert (len(provider.requests), breaker.metrics.failed_calls, breaker.metrics.total_calls) == (1, 1, 1)
    again = pickle.loads(pickle.dumps(late.value))
    assert (type(again), str(again), again.seconds) == (CallTimeoutError, str(late.value), 0.1)


async def test_a_handler_of_the_sdks_own_errors_catches_the_rejection(
    provider: Provider, breaker: CircuitBreaker
) -> None:
    breaker.force_open(20)
    async with AsyncExitStack() as stack:
        for make, base in ((openai_sync, openai.OpenAIError), (anthropic_sync, anthropic.AnthropicError)):
            with pytest.raises(base) as caught:
                make(provider, breaker, stack)(False)
            error = caught.value
            assert isinstance(error, CircuitBreakerOpenError)
            assert error.__cause__ is None
            assert error.code == "CIRCUIT_OPEN"
            for again in (copy.copy(error), pickle.loads(pickle.dumps(error))):
                assert type(again) is CircuitBreakerOpenError
                assert (again.args, str(again)) == (error.args, str(error))


async def test_a_breaker_of_compat_raises_its_own_error(provider: Provider) -> None:
    replacing: Any = compat.CircuitBreaker(compat.CircuitBreakerConfig(name="replacing"))
    await replacing.force_open(20)
    async with AsyncExitStack() as stack:
        with pytest.raises(compat.CircuitBreakerOpenError, match="is OPEN") as rejected:
            anthropic_sync(provider, replacing, stack)(False)
    assert isinstance(rejected.value, anthropic.AnthropicError)
    assert rejected.value.retry_after == pytest.approx(20, abs=5)
    again = pickle.loads(pickle.dumps(rejected.value))
    assert type(again) is compat.CircuitBreakerOpenError
    assert (str(again), again.retry_after) == (str(rejected.value), rejected.value.retry_after)


async def test_an_sdk_that_stops_at_the_terminator_leaves_a_success(
    provider: Provider, breaker: CircuitBreaker
) -> None:
    provider.next(Stall(share=1.0))
    async with AsyncExitStack() as stack:
        stream = openai_sync(provider, breaker, stack)(True)
        assert len(list(stream)) == 11
    assert (breaker.metrics.successful_calls, breaker.metrics.total_calls) == (1, 1)
