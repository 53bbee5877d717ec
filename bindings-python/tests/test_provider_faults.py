"""Faults of a provider: the counts of the breaker, the caller's result and its time.

Each fault runs through the real SDK of OpenAI, with its default settings except for timeouts, and through plain httpx2.
Both have a guarded transport.
"""

import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Literal

import httpx2
import openai
import pytest

from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, ManualClock
from halfopen.httpx import guarded_async_transport
from provider import (
    CONTENT_REFUSED,
    CONTEXT_TOO_LONG,
    Cut,
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
from provider.sdk import SOON, USER, ask, sdk_of, stream

Way = Literal["sdk", "httpx2"]
TIMEOUT = 0.15
"""Seconds that the client waits for the next bytes."""


@dataclass
class Got:
    """The caller's result: seconds, the text (in parts if it was streamed) and the error behind it."""

    seconds: float
    parts: list[str]
    error: Exception | None = None
    model: str | None = None
    usage: dict[str, int] | None = None

    @property
    def text(self) -> str:
        return "".join(self.parts)

    @property
    def soon(self) -> bool:
        """Whether no call waited needlessly."""
        return self.seconds < SOON


class Caller:
    """Asks a provider for a chat completion, and notes what comes back."""

    def __init__(self, way: Way, provider: Provider, breaker: CircuitBreaker) -> None:
        self._way = way
        transport = guarded_async_transport(httpx2.AsyncHTTPTransport(), breaker)
        self._url = provider.openai_url + "/chat/completions"
        self._http = httpx2.AsyncClient(transport=transport, timeout=TIMEOUT)
        self._sdk = sdk_of(provider, http_client=self._http, timeout=TIMEOUT)

    async def ask(self, messages: list[Any] = USER) -> Got:
        got = Got(time.perf_counter(), [])
        try:
            await (self._sdk_whole if self._way == "sdk" else self._httpx2_whole)(got, messages)
        except Exception as error:
            got.error = error
        got.seconds = time.perf_counter() - got.seconds
        return got

    async def stream(self) -> Got:
        got = Got(time.perf_counter(), [])
        try:
            await (self._sdk_stream if self._way == "sdk" else self._httpx2_stream)(got)
        except Exception as error:
            got.error = error
        got.seconds = time.perf_counter() - got.seconds
        return got

    async def aclose(self) -> None:
        await self._sdk.close()

    async def _sdk_whole(self, got: Got, messages: list[Any]) -> None:
        self._note(got, (await ask(self._sdk, messages)).to_dict())

    async def _httpx2_whole(self, got: Got, messages: list[Any]) -> None:
        answer = await self._http.post(self._url, json={"model": "small", "messages": messages})
        self._note(got, answer.raise_for_status().json())

    async def _sdk_stream(self, got: Got) -> None:
        async with await stream(self._sdk) as chunks:
            async for chunk in chunks:
                self._note(got, chunk.to_dict())

    async def _httpx2_stream(self, got: Got) -> None:
        options = {"stream": True, "stream_options": {"include_usage": True}}
        asked = {"model": "small", "messages": USER} | options
        async with self._http.stream("POST", self._url, json=asked) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    self._note(got, json.loads(line.removeprefix("data: ")))

    def _note(self, got: Got, answer: dict[str, Any]) -> None:
        got.model = answer["model"]
        got.usage = answer.get("usage") or got.usage
        for choice in answer["choices"]:
            got.parts.append((choice.get("message") or choice["delta"]).get("content") or "")


@pytest.fixture(params=["sdk", "httpx2"])
def way(request: pytest.FixtureRequest) -> Way:
    way: Way = request.param
    return way


@pytest.fixture
def breaker(clock: ManualClock) -> CircuitBreaker:
    return CircuitBreaker("gemini", failure_threshold=2, success_threshold=1, timeout_seconds=30, clock=clock)


@pytest.fixture
async def call(way: Way, provider: Provider, breaker: CircuitBreaker) -> AsyncIterator[Caller]:
    caller = Caller(way, provider, breaker)
    yield caller
    await caller.aclose()


def counted(breaker: CircuitBreaker) -> dict[str, int]:
    """The counters that are not zero."""
    assert breaker.metrics.in_flight == 0
    names = ("successful", "failed", "ignored", "cancelled", "rejected")
    read = {name: getattr(breaker.metrics, f"{name}_calls") for name in names}
    return {name: count for name, count in read.items() if count}


def status_of(error: Exception | None) -> int | None:
    """The status that the error of either client stands for."""
    if isinstance(error, httpx2.HTTPStatusError):
        return error.response.status_code
    return error.status_code if isinstance(error, openai.APIStatusError) else None


def is_timeout(error: Exception | None) -> bool:
    return isinstance(error, openai.APITimeoutError | httpx2.ReadTimeout)


def is_broken_connection(error: Exception | None) -> bool:
    # The SDK's own timeout is one of its connection errors.
    return isinstance(error, openai.APIConnectionError | httpx2.TransportError) and not is_timeout(error)


@pytest.fixture(autouse=True)
def attempts_follow_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK sleeps half a second before it repeats a request for which the provider named no wait."""
    monkeypatch.setattr("openai._base_client.INITIAL_RETRY_DELAY", 0.01)


async def test_429_once_with_retry_after(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.next(Status(429, retry_after=0.05))
    got = await call.ask()
    if way == "sdk":
        # It waits as long as it is told and asks again.
        assert (got.text, got.error) == (provider.text, None)
        assert 0.05 <= got.seconds < SOON
        assert counted(breaker) == {"ignored": 1, "successful": 1}
    else:
        assert (status_of(got.error), got.soon) == (429, True)
        assert counted(breaker) == {"ignored": 1}


async def test_429_always(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.always(Status(429, retry_after=0.01))
    got = await call.ask()
    assert status_of(got.error) == 429
    attempts = 3 if way == "sdk" else 1
    assert 0.01 * (attempts - 1) <= got.seconds < SOON
    assert (len(provider.requests), counted(breaker)) == (attempts, {"ignored": attempts})
    assert breaker.state == "closed"


async def test_500_once(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.next(Status(500))
    got = await call.ask()
    if way == "sdk":
        assert (got.text, got.error) == (provider.text, None)
        assert counted(breaker) == {"failed": 1, "successful": 1}
    else:
        assert status_of(got.error) == 500
        assert counted(breaker) == {"failed": 1}
    assert got.soon
    assert breaker.state == "closed"


async def test_503_always(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.always(Status(503, retry_after=0.01))
    if way == "sdk":
        # Its second attempt opens the circuit, which rejects the third.
        got = await call.ask()
        assert isinstance(got.error, CircuitBreakerOpenError)
        assert 0.01 <= got.seconds < SOON
        assert counted(breaker) == {"failed": 2, "rejected": 1}
    else:
        answers = [await call.ask() for _ in range(2)]
        assert [(status_of(got.error), got.soon) for got in answers] == [(503, True)] * 2
        assert counted(breaker) == {"failed": 2}
    rejected = await call.ask()
    assert isinstance(rejected.error, CircuitBreakerOpenError)
    assert rejected.error.retry_after == 30
    assert rejected.soon
    assert len(provider.requests) == 2


async def test_a_reset_before_the_headers(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.next(Reset())
    got = await call.ask()
    if way == "sdk":
        assert (got.text, got.error) == (provider.text, None)
        assert counted(breaker) == {"failed": 1, "successful": 1}
    else:
        assert is_broken_connection(got.error)
        assert counted(breaker) == {"failed": 1}
    assert got.soon


async def test_no_answer_at_all(way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.always(NoAnswer())
    first = await call.ask()
    if way == "sdk":
        assert isinstance(first.error, CircuitBreakerOpenError)
        assert 2 * TIMEOUT <= first.seconds < SOON
        assert counted(breaker) == {"failed": 2, "rejected": 1}
    else:
        assert is_timeout(first.error)
        assert TIMEOUT <= first.seconds < SOON
        assert counted(breaker) == {"failed": 1}
    assert provider.requests[0].abandoned.wait(5)


async def test_the_first_token_is_late(way: Way, provider: Provider) -> None:
    breaker = CircuitBreaker(slow_call_seconds=0.05)
    call = Caller(way, provider, breaker)
    provider.next(Late(0.06))
    got = await call.stream()
    assert (got.text, got.error) == (provider.text, None)
    assert 0.06 <= got.seconds < SOON
    assert (counted(breaker), breaker.metrics.slow_calls) == ({"successful": 1}, 1)

    # The headers came, so no client asks again.
    provider.next(Late(60))
    got = await call.stream()
    assert (got.parts, is_timeout(got.error)) == ([], True)
    assert TIMEOUT <= got.seconds < SOON
    assert counted(breaker) == {"successful": 1, "failed": 1}
    await call.aclose()


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        (Late(60), "first_item_timeout_seconds"),
        (Stall(0.5), "idle_timeout_seconds"),
        (NoAnswer(), "call_timeout_seconds"),
    ],
    ids=str,
)
async def test_a_timeout_of_the_breaker_ends_in_one_attempt(
    way: Way, provider: Provider, fault: Fault, field: str
) -> None:
    timeouts: dict[str, Any] = {field: TIMEOUT / 3}
    breaker = CircuitBreaker("gemini", **timeouts)
    call = Caller(way, provider, breaker)
    provider.next(fault)
    got = await call.stream()
    assert isinstance(got.error, CallTimeoutError)
    assert field in str(got.error) or field == "call_timeout_seconds"
    assert TIMEOUT / 3 <= got.seconds < SOON
    assert (len(provider.requests), counted(breaker)) == (1, {"failed": 1})
    await call.aclose()


@pytest.mark.parametrize("in_form", [False, True])
async def test_a_stream_is_cut_after_two_thirds(
    call: Caller, breaker: CircuitBreaker, provider: Provider, in_form: bool
) -> None:
    provider.next(Cut(2 / 3, in_form=in_form))
    got = await call.stream()
    assert got.text
    assert provider.text.startswith(got.text)
    assert got.text != provider.text
    # If the body ends in the form that HTTP requires, only the breaker notices the fault.
    assert is_broken_connection(got.error) is not in_form
    assert got.soon
    assert counted(breaker) == {"failed": 1}


async def test_a_stall_in_the_middle(call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.next(Stall(0.5))
    got = await call.stream()
    assert (bool(got.text), is_timeout(got.error)) == (True, True)
    assert TIMEOUT <= got.seconds < SOON
    assert counted(breaker) == {"failed": 1}
    assert provider.requests[0].abandoned.wait(5)


@pytest.mark.parametrize("framing", [False, True])
async def test_a_malformed_chunk(call: Caller, breaker: CircuitBreaker, provider: Provider, framing: bool) -> None:
    provider.next(Malformed(0.5, framing=framing))
    got = await call.stream()
    assert got.text
    assert is_broken_connection(got.error) if framing else isinstance(got.error, json.JSONDecodeError)
    assert got.soon
    assert counted(breaker) == {"failed": 1}


async def test_no_done_after_a_complete_answer(call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    provider.next(NoTerminator())
    got = await call.stream()
    assert (got.text, got.error, got.soon) == (provider.text, None, True)
    assert counted(breaker) == {"successful": 1}


@pytest.mark.parametrize("fault", [CONTEXT_TOO_LONG, CONTENT_REFUSED], ids=lambda fault: fault.reason)
@pytest.mark.parametrize("ask", [Caller.ask, Caller.stream], ids=["whole", "stream"])
async def test_context_too_long_and_content_refused(
    call: Caller, breaker: CircuitBreaker, provider: Provider, fault: Status, ask: Callable[[Caller], Any]
) -> None:
    provider.always(fault)
    for _ in range(3):
        got = await ask(call)
        assert (status_of(got.error), got.soon) == (400, True)
    assert (len(provider.requests), counted(breaker)) == (3, {"ignored": 3})


async def test_cut_and_the_next_provider_takes_no_prefill(
    way: Way, call: Caller, breaker: CircuitBreaker, provider: Provider
) -> None:
    provider.next(Cut())
    cut = await call.stream()
    with Provider("Another answer.", takes_prefill=False) as other:
        second = CircuitBreaker("other")
        resumed = Caller(way, other, second)
        got = await resumed.ask([*USER, {"role": "assistant", "content": cut.text}])
        assert (status_of(got.error), got.soon) == (400, True)
        assert (await resumed.ask()).text == other.text
        await resumed.aclose()
    assert counted(breaker) == {"failed": 1}
    assert counted(second) == {"ignored": 1, "successful": 1}


async def test_down_for_a_while_and_then_healthy(
    call: Caller, breaker: CircuitBreaker, provider: Provider, clock: ManualClock
) -> None:
    provider.always(Status(503, retry_after=0.01))
    while breaker.state == "closed":
        await call.ask()
    before = len(provider.requests)
    for _ in range(10):
        got = await call.stream()
        assert (isinstance(got.error, CircuitBreakerOpenError), got.soon) == (True, True)
    assert len(provider.requests) == before == 2

    provider.always(None)
    clock.advance(30)
    got = await call.stream()
    assert (got.text, got.error, got.soon) == (provider.text, None, True)
    assert breaker.state == "closed"


async def test_the_accounting_of_model_and_usage(call: Caller, breaker: CircuitBreaker, provider: Provider) -> None:
    usage = {"prompt_tokens": 2, "completion_tokens": 9, "total_tokens": 11}
    for got in (await call.ask(), await call.stream()):
        assert (got.text, got.model, got.usage, got.soon) == (provider.text, "small", usage, True)
    assert [request.model for request in provider.requests] == ["small", "small"]
    assert counted(breaker) == {"successful": 2}
