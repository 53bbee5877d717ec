"""Errors that an SDK hands on as an event of a stream, or in an answer, count without any function of the user's."""

from collections.abc import AsyncIterator, Iterator
from types import SimpleNamespace
from typing import Any

import httpx2
import openai
import pytest
from google.genai._gaos.types.interactions.error import Error
from google.genai._gaos.types.interactions.errorevent import ErrorEvent as GoogleErrorEvent
from openai.types.responses import Response, ResponseErrorEvent, ResponseFailedEvent

from consumers import drain
from halfopen import CircuitBreaker
from halfopen.classify import classify_result, every_exception_is_a_failure
from halfopen.httpx import guarded_async_transport, guarded_transport
from provider import ErrorEvent, Provider, Status

REQUEST: Any = {"model": "small", "input": "two words"}
REFUSED = Status(400, reason="invalid_prompt")


def counts(breaker: CircuitBreaker) -> tuple[int, int, int, int]:
    """Successes, failures, ignored calls, calls in flight."""
    read = breaker.metrics
    return read.successful_calls, read.failed_calls, read.ignored_calls, read.in_flight


def response(**members: Any) -> Response:
    """A response of OpenAI, as the SDK builds it without a check."""
    return Response.model_construct(id="resp_1", object="response", **members)


def failed(code: str | None) -> Any:
    error = code and openai.types.responses.ResponseError.model_construct(code=code, message="")
    return ResponseFailedEvent.model_construct(type="response.failed", response=response(status="failed", error=error))


def error_event(code: str | None) -> Any:
    return ResponseErrorEvent(type="error", code=code, message="", param=None, sequence_number=1)


def google_error(code: str) -> Any:
    return GoogleErrorEvent(error=Error(code=code, message=""))


@pytest.mark.parametrize("is_decorated", [True, False])
@pytest.mark.parametrize(
    ("status", "expected"),
    [(Status(500), (0, 1, 0, 0)), (REFUSED, (0, 0, 1, 0)), (Status(429, reason="rate_limit_exceeded"), (0, 0, 1, 0))],
)
async def test_an_error_event_of_the_openai_sdk(
    status: Status, expected: tuple[int, ...], provider: Provider, is_decorated: bool
) -> None:
    breaker = CircuitBreaker("openai")
    async with openai.AsyncOpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as client:
        provider.next(ErrorEvent(status))
        create = client.responses.create
        if is_decorated:
            stream = await breaker(create)(**REQUEST, stream=True)
        else:
            stream = breaker.stream(await create(**REQUEST, stream=True))
        events = [event async for event in stream]
    assert events[-1].type == "error"
    assert counts(breaker) == expected


def test_an_error_event_of_the_plain_openai_sdk(provider: Provider) -> None:
    breaker = CircuitBreaker("openai")
    with openai.OpenAI(base_url=provider.openai_url, api_key="none", max_retries=0) as client:
        provider.next(ErrorEvent(Status(500)), ErrorEvent(Status(500), share=0.1))
        assert list(breaker.stream(client.responses.create(**REQUEST, stream=True)))
        with breaker.stream(client.responses.stream(**REQUEST)) as stream:
            assert list(stream)
        assert counts(breaker) == (0, 2, 0, 0)
        assert list(breaker.stream(client.responses.create(**REQUEST, stream=True)))
    assert counts(breaker) == (1, 2, 0, 0)


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_guarded_transport_inside_counts_the_error_once(provider: Provider, is_async: bool) -> None:
    breaker = CircuitBreaker("openai")
    provider.next(ErrorEvent(Status(500)))
    url: Any = {"base_url": provider.openai_url, "api_key": "none", "max_retries": 0}
    if is_async:
        transport = guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker)
        async with openai.AsyncOpenAI(**url, http_client=httpx2.AsyncClient(transport=transport)) as client:
            assert await drain(await breaker(client.responses.create)(**REQUEST, stream=True))
    else:
        plain = guarded_transport(httpx2.HTTPTransport(), breaker)
        with openai.OpenAI(**url, http_client=httpx2.Client(transport=plain)) as client:
            assert list(breaker(client.responses.create)(**REQUEST, stream=True))
    assert breaker.metrics.failed_calls == 1


# The two kinds of streams


async def async_stream(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        yield item


def plain_stream(*items: Any) -> Iterator[Any]:
    yield from items


STREAMS = [async_stream, plain_stream]


@pytest.mark.parametrize("make", STREAMS)
@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (failed("server_error"), (0, 1, 0, 0)),
        (failed("invalid_prompt"), (0, 0, 1, 0)),
        (failed("invalid_image_url"), (0, 0, 1, 0)),
        (failed("vector_store_timeout"), (0, 1, 0, 0)),
        (failed("a new code"), (0, 1, 0, 0)),
        (failed(None), (0, 1, 0, 0)),
        (error_event("server_error"), (0, 1, 0, 0)),
        (error_event("insufficient_quota"), (0, 0, 1, 0)),
        (error_event(None), (0, 1, 0, 0)),
        (google_error("UNAVAILABLE"), (0, 1, 0, 0)),
        (google_error("INVALID_ARGUMENT"), (0, 0, 1, 0)),
    ],
)
async def test_each_event(make: Any, event: Any, outcome: tuple[int, ...]) -> None:
    breaker = CircuitBreaker("openai")
    for _ in range(2):
        # The second time, the classes of all items are known.
        assert await drain(breaker(make)("a text", event)) == ["a text", event]
    assert counts(breaker) == tuple(2 * count for count in outcome)


@pytest.mark.parametrize("make", STREAMS)
async def test_an_error_counts_when_it_comes_and_not_at_the_end(make: Any) -> None:
    breaker = CircuitBreaker("openai", first_item_timeout_seconds=30 if make is async_stream else None)
    stream = breaker.stream(make(failed("server_error"), "more"))
    assert (await anext(stream) if make is async_stream else next(stream)).type == "response.failed"
    assert counts(breaker) == (0, 1, 0, 0)
    assert breaker.first_item_durations().count == 0
    await drain(stream)
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("make", STREAMS)
async def test_the_consumer_may_leave_at_the_event(make: Any) -> None:
    breaker = CircuitBreaker("openai")
    stream = breaker(make)(failed("server_error"), "more")
    assert await anext(stream) if make is async_stream else next(stream)
    del stream
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("make", STREAMS)
async def test_layers_of_one_breaker_count_an_event_once(make: Any) -> None:
    breaker = CircuitBreaker("openai")
    inner = breaker(make)
    if make is async_stream:

        @breaker
        async def outer() -> AsyncIterator[Any]:
            async for item in inner(failed("server_error")):
                yield item

        assert await drain(outer())
    else:

        @breaker
        def plain_outer() -> Iterator[Any]:
            yield from inner(failed("server_error"))

        assert list(plain_outer())
    assert counts(breaker) == (0, 1, 1, 0)


async def test_is_end_does_not_decide_about_an_error() -> None:
    breaker = CircuitBreaker("openai", is_end=lambda event: event == "end", is_content=lambda _: True)
    await drain(breaker.stream(async_stream(failed("invalid_prompt"), "end")))
    assert counts(breaker) == (0, 0, 1, 0)


async def test_without_the_default_rules_every_error_is_a_failure() -> None:
    breaker = CircuitBreaker("openai", classify=every_exception_is_a_failure)
    await drain(breaker.stream(async_stream(failed("invalid_prompt"))))
    assert counts(breaker) == (0, 1, 0, 0)


@pytest.mark.parametrize("make", STREAMS)
async def test_items_that_only_look_alike_mean_nothing(make: Any) -> None:
    breaker = CircuitBreaker("logs")
    items = [{"type": "error", "error": {"code": "server_error"}}, SimpleNamespace(type="response.failed"), "error"]
    assert await drain(breaker(make)(*items)) == items
    assert counts(breaker) == (1, 0, 0, 0)


# Answers in one piece


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (response(status="completed", error=None), "success"),
        (response(status="incomplete", error=None), "success"),
        (response(status="in_progress"), "success"),
        (failed("server_error").response, "failure"),
        (failed("invalid_prompt").response, "ignored"),
        (response(status="failed", error=None), "failure"),
    ],
)
def test_a_response_may_say_that_it_has_failed(answer: Response, outcome: str) -> None:
    assert classify_result(answer).outcome == outcome
    breaker = CircuitBreaker("openai")
    assert breaker.call_sync(lambda: answer) is answer
    assert counts(breaker) == tuple(int(outcome == counted) for counted in ("success", "failure", "ignored", None))


BAD_GATEWAY = {"code": 502, "message": "the provider is down"}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"error": BAD_GATEWAY}, (0, 1, 0, 0)),
        ({"error": {"code": 403, "message": "moderated"}}, (0, 0, 1, 0)),
        ({"choices": [{"index": 0, "finish_reason": "error", "error": BAD_GATEWAY}]}, (0, 1, 0, 0)),
        ({"choices": [{"index": 0, "finish_reason": "error"}]}, (0, 1, 0, 0)),
        ({"choices": [{"index": 0, "finish_reason": "stop"}]}, (1, 0, 0, 0)),
        ({"choices": [{"index": 0, "finish_reason": "stop"}], "error": None}, (1, 0, 0, 0)),
        ({}, (1, 0, 0, 0)),
    ],
)
def test_a_chat_answer_of_a_server_that_answers_200_to_an_error(
    members: dict[str, Any], expected: tuple[int, ...]
) -> None:
    breaker = CircuitBreaker("router")
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, json={"id": "1", "model": "small"} | members))
    http = httpx2.Client(transport=transport)
    with openai.OpenAI(base_url="http://router", api_key="none", http_client=http) as client:
        breaker(client.chat.completions.create)(model="small", messages=[])
    assert counts(breaker) == expected
