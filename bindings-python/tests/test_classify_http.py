"""Errors that the real HTTP clients and SDKs raise, against servers on this machine."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import anthropic
import httpx
import httpx2
import openai
import pytest
import requests
import urllib3
from google import genai
from google.genai.types import HttpOptions

from canned import answering, refusing, response
from halfopen import CircuitBreaker, InvalidValueError, ManualClock
from halfopen.classify import Verdict, classify_error, classify_response
from provider import NoAnswer, Provider, Reset, Status

FAILURE = Verdict("failure", None, "provider")
IGNORED = Verdict("ignored")
KEY = Verdict("ignored", None, "key", 300.0)
MODEL = Verdict("ignored", None, "model", 300.0)

Call = Callable[[str], Any]
"""Makes one call to a URL, and raises what the client raises."""


def with_httpx(url: str) -> None:
    httpx.post(url, json={}, timeout=0.3).raise_for_status()


def with_httpx2(url: str) -> None:
    httpx2.post(url, json={}, timeout=0.3).raise_for_status()


def with_requests(url: str) -> None:
    requests.post(url, json={}, timeout=0.3).raise_for_status()


def with_aiohttp(url: str) -> None:
    async def call() -> None:
        timeout = aiohttp.ClientTimeout(total=0.3)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url, json={}) as answer:
            answer.raise_for_status()

    asyncio.run(call())


def with_openai(url: str) -> None:
    with openai.OpenAI(base_url=url, api_key="key", max_retries=0, timeout=0.3) as client:
        client.chat.completions.create(model="small", messages=[{"role": "user", "content": "hello"}])


def with_anthropic(url: str) -> None:
    with anthropic.Anthropic(base_url=url, api_key="key", max_retries=0, timeout=0.3) as client:
        client.messages.create(model="small", max_tokens=9, messages=[{"role": "user", "content": "hello"}])


def with_google(url: str) -> None:
    with genai.Client(api_key="key", http_options=HttpOptions(base_url=url, timeout=300)) as client:
        client.models.generate_content(model="small", contents="hello")


CLIENTS = {
    call.__name__.removeprefix("with_"): call
    for call in (with_httpx, with_httpx2, with_requests, with_aiohttp, with_openai, with_anthropic, with_google)
}
each_client = pytest.mark.parametrize("client", CLIENTS)
pytestmark = pytest.mark.filterwarnings("ignore:Inheritance class:DeprecationWarning")


def check(call: Callable[[], Any], verdict: Verdict) -> BaseException:
    """The call's error has this verdict, and a breaker counts it and opens as the verdict says."""
    clock = ManualClock()
    breaker = CircuitBreaker(failure_threshold=1, timeout_seconds=1, clock=clock)
    with pytest.raises(Exception) as raised:  # noqa: PT011  # the point is which class it is
        breaker.call_sync(call)
    assert classify_error(raised.value) == verdict
    metrics = breaker.metrics
    counted = {
        "failure": metrics.failed_calls,
        "ignored": metrics.ignored_calls,
        "cancelled": metrics.cancelled_calls,
    }
    assert counted == {**dict.fromkeys(counted, 0), verdict.outcome: 1}
    wait = max(verdict.retry_after or 0, 1) if verdict.outcome == "failure" else None
    assert breaker.get_status()["retry_after_seconds"] == wait
    return raised.value


@each_client
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status(400), IGNORED),
        (Status(401), KEY),
        (Status(402), KEY),
        (Status(403), KEY),
        (Status(422), IGNORED),
        (Status(429), Verdict("ignored", None, "key_and_model")),
        (Status(429, retry_after=20), Verdict("ignored", None, "key_and_model", 20.0)),
        (Status(500), FAILURE),
        (Status(503, retry_after=30), Verdict("failure", 30.0, "provider")),
        (Status(529), FAILURE),
    ],
    ids=lambda it: f"{it.code}-{it.retry_after}" if isinstance(it, Status) else "",
)
def test_a_status(client: str, status: Status, verdict: Verdict, provider: Provider) -> None:
    # Beside each status, the provider sends a code that says less.
    provider.always(status)
    check(lambda: CLIENTS[client](provider.url), verdict)


@each_client
def test_nobody_listens(client: str) -> None:
    check(lambda: CLIENTS[client](refusing()), FAILURE)


@each_client
def test_the_connection_is_reset(client: str, provider: Provider) -> None:
    provider.always(Reset())
    check(lambda: CLIENTS[client](provider.url), FAILURE)


@each_client
def test_no_answer_comes(client: str, provider: Provider) -> None:
    provider.always(NoAnswer())
    check(lambda: CLIENTS[client](provider.url), FAILURE)


@each_client
def test_the_answer_is_no_http(client: str) -> None:
    with answering(b"SSH-2.0-OpenSSH_9.2\r\n\r\n") as url:
        check(lambda: CLIENTS[client](url), FAILURE)


@each_client
def test_the_caller_gives_an_url_that_is_none(client: str) -> None:
    error = check(lambda: CLIENTS[client]("nowhere://127.0.0.1:1"), IGNORED)
    assert "nowhere" in f"{error!r} {error.__cause__!r} {error.__context__!r}" or client in {"openai", "anthropic"}


@pytest.mark.parametrize("library", [httpx, httpx2])
def test_the_pool_of_the_caller_is_full(library: Any, provider: Provider) -> None:
    limits = library.Limits(max_connections=1)
    timeout = library.Timeout(5, pool=0.01)
    with (
        library.Client(limits=limits, timeout=timeout, base_url=provider.url) as client,
        client.stream("GET", "/models"),
    ):
        check(lambda: client.get("/models"), IGNORED)


def test_the_pool_below_an_sdk_is_full(provider: Provider) -> None:
    limits = httpx2.Limits(max_connections=1)
    http = httpx2.Client(limits=limits, timeout=httpx2.Timeout(5, pool=0.01), base_url=provider.url)
    with openai.OpenAI(base_url=provider.openai_url, api_key="key", max_retries=0, http_client=http) as client:

        def call() -> None:
            client.with_options(timeout=httpx2.Timeout(5, pool=0.01)).models.list()

        with http.stream("GET", "/models"):
            assert isinstance(check(call, IGNORED), openai.APITimeoutError)


def test_an_html_page_where_json_should_be() -> None:
    page = response("200 OK", "<html>", {"content-type": "text/html"})

    async def read_json(url: str) -> None:
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            await answer.json()

    with answering(page) as url:
        assert isinstance(check(lambda: asyncio.run(read_json(url)), FAILURE), aiohttp.ContentTypeError)
        check(lambda: requests.get(url, timeout=5).json(), FAILURE)


def test_a_redirect_without_an_end() -> None:
    with answering(response("302 Found", headers={"location": "/"})) as url:
        for library in (httpx, httpx2):
            with library.Client(follow_redirects=True) as client:
                check(lambda client=client: client.get(url), FAILURE)  # type: ignore[misc]
        check(lambda: requests.get(url, timeout=5), FAILURE)
        check(lambda: with_aiohttp(url), FAILURE)


OPENAI_ERRORS: list[tuple[str, dict[str, Any], Verdict]] = [
    ("429 Too Many Requests", {"code": "insufficient_quota", "type": "insufficient_quota"}, KEY),
    ("404 Not Found", {"code": "model_not_found", "type": "invalid_request_error"}, MODEL),
    ("404 Not Found", {"code": None, "type": "invalid_request_error"}, IGNORED),
    ("401 Unauthorized", {"code": None, "type": "invalid_request_error"}, KEY),
    ("400 Bad Request", {"code": "context_length_exceeded", "type": "invalid_request_error"}, IGNORED),
    ("500 Internal Server Error", {"code": None, "type": "invalid_request_error"}, FAILURE),
]


@pytest.mark.parametrize(("status", "error", "verdict"), OPENAI_ERRORS)
def test_error_codes_of_openai(status: str, error: dict[str, Any], verdict: Verdict) -> None:
    body = json.dumps({"error": {"message": "no", "param": None, **error}})
    with answering(response(status, body, {"content-type": "application/json"})) as url:
        check(lambda: with_openai(url), verdict)


ANTHROPIC_ERRORS: list[tuple[str, dict[str, Any], Verdict]] = [
    ("404 Not Found", {"type": "not_found_error"}, MODEL),
    ("429 Too Many Requests", {"type": "rate_limit_error"}, Verdict("ignored", None, "key_and_model")),
    (
        "429 Too Many Requests",
        {"type": "rate_limit_error", "details": {"error_code": "enforced_spend_limit_reached"}},
        KEY,
    ),
    ("402 Payment Required", {"type": "billing_error"}, KEY),
    ("413 Too Large", {"type": "request_too_large"}, IGNORED),
    ("529 Overloaded", {"type": "overloaded_error"}, FAILURE),
]


@pytest.mark.parametrize(("status", "error", "verdict"), ANTHROPIC_ERRORS)
def test_error_codes_of_anthropic(status: str, error: dict[str, Any], verdict: Verdict) -> None:
    body = json.dumps({"type": "error", "error": {"message": "no", **error}})
    with answering(response(status, body, {"content-type": "application/json"})) as url:
        check(lambda: with_anthropic(url), verdict)


def google_error(status: str, *details: dict[str, Any]) -> str:
    return json.dumps({"error": {"code": 1, "message": "no", "status": status, "details": details}})


GOOGLE_ERRORS: list[tuple[str, str, Verdict]] = [
    ("404 Not Found", google_error("NOT_FOUND"), MODEL),
    ("503 Service Unavailable", google_error("UNAVAILABLE"), FAILURE),
    (
        "400 Bad Request",
        google_error("INVALID_ARGUMENT", {"@type": "google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}),
        KEY,
    ),
    (
        "429 Too Many Requests",
        google_error("RESOURCE_EXHAUSTED", {"@type": "google.rpc.RetryInfo", "retryDelay": "34.5s"}),
        Verdict("ignored", None, "key_and_model", 34.5),
    ),
    ("500 Internal Server Error", "<html>", FAILURE),
]


@pytest.mark.parametrize(("status", "body", "verdict"), GOOGLE_ERRORS)
def test_error_codes_of_google(status: str, body: str, verdict: Verdict) -> None:
    with answering(response(status, body, {"content-type": "application/json"})) as url:
        check(lambda: with_google(url), verdict)


def stream_of(*events: str) -> bytes:
    return response("200 OK", "".join(events), {"content-type": "text/event-stream", "retry-after": "7"})


@pytest.mark.parametrize(
    ("code", "verdict"),
    [
        ("overloaded_error", Verdict("failure", 7.0, "provider")),
        ("api_error", Verdict("failure", 7.0, "provider")),
        ("rate_limit_error", Verdict("ignored", None, "key_and_model", 7.0)),
        ("invalid_request_error", IGNORED),
        ("something_new", FAILURE),
    ],
)
def test_an_error_in_a_stream_of_anthropic(code: str, verdict: Verdict) -> None:
    error = json.dumps({"type": "error", "error": {"type": code, "message": "no"}})
    with answering(stream_of(f"event: error\ndata: {error}\n\n")) as url:

        def call() -> None:
            with anthropic.Anthropic(base_url=url, api_key="key", max_retries=0) as client:
                stream = client.messages.create(
                    model="small", max_tokens=9, messages=[{"role": "user", "content": "hello"}], stream=True
                )
                list(stream)

        check(call, verdict)


@pytest.mark.parametrize(
    ("code", "verdict"),
    [("server_error", FAILURE), ("rate_limit_exceeded", Verdict("ignored", None, "key_and_model")), (None, FAILURE)],
)
def test_an_error_in_a_stream_of_openai(code: str | None, verdict: Verdict) -> None:
    error = json.dumps({"error": {"code": code, "type": code, "message": "no"}})
    with answering(stream_of(f"data: {error}\n\n")) as url:

        def call() -> None:
            with openai.OpenAI(base_url=url, api_key="key", max_retries=0) as client:
                list(
                    client.chat.completions.create(
                        model="small", messages=[{"role": "user", "content": "hello"}], stream=True
                    )
                )

        check(call, verdict)


def test_the_caller_has_no_key() -> None:
    check(lambda: openai.OpenAI(api_key=None), IGNORED)


@pytest.mark.parametrize(
    ("status", "outcome", "hint"),
    [("200 OK", "success", None), ("404 Not Found", "ignored", None), ("503 Unavailable", "failure", 9.0)],
)
def test_a_response_that_is_returned(status: str, outcome: str, hint: float | None) -> None:
    async def with_session(url: str) -> Any:
        async with aiohttp.ClientSession() as session:
            return await session.get(url)

    with answering(response(status, "{}", {"retry-after": "9"})) as url:
        calls: list[Callable[[], Any]] = [
            lambda: httpx.get(url),
            lambda: httpx2.get(url),
            lambda: requests.get(url, timeout=5),
            lambda: urllib3.request("GET", url, retries=False),
            lambda: asyncio.run(with_session(url)),
        ]
        for call in calls:
            breaker = CircuitBreaker(failure_threshold=1, timeout_seconds=1, clock=ManualClock())
            breaker.call_sync(call)
            metrics = breaker.metrics
            counted = {
                "success": metrics.successful_calls,
                "failure": metrics.failed_calls,
                "ignored": metrics.ignored_calls,
            }
            assert counted == {**dict.fromkeys(counted, 0), outcome: 1}
            assert breaker.get_status()["retry_after_seconds"] == hint


@pytest.mark.parametrize("status", ["503", None, 503.5, True, -1, 65536, [503]])
def test_a_status_that_is_no_status_is_refused_by_name(status: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        classify_response(status)
    assert (refused.value.field, refused.value.value) == ("status", repr(status))
    assert refused.value.allowed == "a whole number from 0 to 65535"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("code", code) for code in (5, b"insufficient_quota", True)),
        *(("now", now) for now in ("5", True, -1, float("nan"), float("inf"), 1j)),
        *(("headers", headers) for headers in (5, True, "retry-after: 5", ["retry-after"], [("a", "b", "c")])),
    ],
)
def test_other_arguments_of_a_response_are_refused_by_name(field: str, value: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        classify_response(503, **{field: value})
    assert (refused.value.field, refused.value.value) == (field, repr(value))
    assert refused.value.code == "INVALID_VALUE"
