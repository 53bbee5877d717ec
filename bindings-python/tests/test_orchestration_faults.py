"""The sixteen faults of a provider, through the orchestrator with two of them, on real sockets and with a real SDK.

Once with the default settings, and once with one retry on the same provider and ``on_break="restart"``. Only times are
shorter: here a provider is silent after 0.4 s instead of 10 or 30.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

import openai
import pytest

import provider as loopback
from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Break,
    Need,
    Orchestrator,
    Provider,
    Report,
    Restarted,
    Resume,
    Settings,
    StreamBrokenError,
)
from orchestrated import in_flight
from provider import (
    CONTENT_REFUSED,
    CONTEXT_TOO_LONG,
    Cut,
    Fault,
    Late,
    Malformed,
    NoAnswer,
    NoTerminator,
    Reset,
    Stall,
    Status,
)
from provider.sdk import SOON, USER, ask, sdk_of, stream

Setting = Literal["defaults", "retry and restart"]
SILENCE = 0.4
"""Seconds after which a provider is silent."""
SHORT: dict[str, Any] = {
    "attempt_timeout_seconds": SILENCE,
    "first_item_timeout_seconds": SILENCE,
    "idle_timeout_seconds": SILENCE,
}
PATIENT: dict[str, Any] = dict.fromkeys(SHORT, 30.0)
"""Seconds for providers that answer, because a busy machine is slow."""
SETTINGS: dict[Setting, dict[str, Any]] = {
    "defaults": SHORT,
    "retry and restart": SHORT | {"same_provider_retries": 1, "retry_delay_seconds": 0.05, "on_break": "restart"},
}


@dataclass
class Pair:
    """Two providers behind an orchestrator, asked with the SDK of OpenAI, which does not retry."""

    first: loopback.Provider
    second: loopback.Provider
    orchestrator: Orchestrator
    clients: dict[str, openai.AsyncOpenAI]

    async def whole(self, provider: Provider, messages: list[Any] = USER) -> Any:
        return await ask(self.clients[provider.id], messages, provider.model or "small")

    async def stream(self, provider: Provider, messages: list[Any] = USER) -> Any:
        return await stream(self.clients[provider.id], messages, provider.model or "small")

    async def text(self, *, streamed: bool, **options: Any) -> tuple[str, Report]:
        """The answer as the consumer has it, and the report."""
        if not streamed:
            answer, report = await self.orchestrator.call_with_report(self.whole, USER, **options)
            return answer.choices[0].message.content, report
        text = ""
        async with self.orchestrator.stream(self.stream, USER, **options) as stream:
            async for item in stream:
                if isinstance(item, Restarted):
                    text = ""
                elif item.choices:
                    text += item.choices[0].delta.content or ""
            assert stream.report is not None
            return text, stream.report

    @property
    def requests(self) -> tuple[int, int]:
        """The requests to each."""
        return len(self.first.requests), len(self.second.requests)


def paired(
    first: loopback.Provider,
    second: loopback.Provider,
    clock: ManualClock | None,
    *,
    silent_first: bool = False,
    **settings: Any,
) -> Pair:
    """With ``silent_first`` only the first one is cut off after ``SILENCE``, whatever the settings are."""
    breaker = CircuitBreaker(
        CircuitBreakerConfig(name="first"),
        clock=clock,
        call_timeout_seconds=SILENCE if silent_first else None,
        first_item_timeout_seconds=SILENCE if silent_first else None,
    )
    members = [
        Provider("first", breaker, model="small", limit=8),
        Provider("second", CircuitBreakerConfig(name="second"), tier=1, model="large", limit=80),
    ]
    clients = {
        member.id: sdk_of(server, max_retries=0, timeout=30)
        for member, server in zip(members, (first, second), strict=True)
    }
    return Pair(first, second, Orchestrator(members, clock=clock, **settings), clients)


@pytest.fixture(params=list(SETTINGS))
def setting(request: pytest.FixtureRequest) -> Setting:
    setting: Setting = request.param
    return setting


@pytest.fixture
def servers() -> Iterator[tuple[loopback.Provider, loopback.Provider]]:
    with loopback.Provider("The first one answers.") as first, loopback.Provider("The second one answers.") as second:
        yield first, second


@pytest.fixture
async def pair(
    servers: tuple[loopback.Provider, loopback.Provider], setting: Setting, clock: ManualClock
) -> AsyncIterator[Pair]:
    async with closing(paired(*servers, clock, **SETTINGS[setting])) as made:
        yield made


@asynccontextmanager
async def closing(pair: Pair) -> AsyncGenerator[Pair]:
    """Closes its clients, after all its calls have ended."""
    yield pair
    assert in_flight(pair.orchestrator) == 0
    for client in pair.clients.values():
        await client.close()


BEFORE_CONTENT: list[tuple[Fault, bool]] = [
    (Status(429, retry_after=0.05), False),
    (Status(429, retry_after=0.05), True),
    (Status(500), False),
    (Status(503), True),
    (Status(503, retry_after=20), True),
    (Reset(), True),
    (NoAnswer(), True),
]


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("outage", BEFORE_CONTENT, ids=repr)
async def test_a_fault_before_the_answer(
    servers: tuple[loopback.Provider, loopback.Provider],
    setting: Setting,
    clock: ManualClock,
    outage: tuple[Fault, bool],
    streamed: bool,
) -> None:
    fault, always = outage
    is_silent = fault == NoAnswer()
    made = paired(*servers, clock, silent_first=is_silent, **(SETTINGS[setting] | PATIENT))
    async with closing(made) as pair:
        if always:
            pair.first.always(fault)
        else:
            pair.first.next(fault)
        begun = time.perf_counter()
        text, report = await pair.text(streamed=streamed)
        assert time.perf_counter() - begun < SOON
    assert text in {pair.first.text, pair.second.text}
    is_first = text == pair.first.text
    assert (report.provider, report.model) == (("first", "small") if is_first else ("second", "large"))
    assert report.usage is not None
    assert report.usage["total_tokens"] == 2 + len(text.split())
    to_first, to_second = pair.requests
    # A silent provider, and one that asked for a pause, is asked once.
    may_retry = fault in {Reset(), Status(500), Status(503)}
    retries = setting == "retry and restart" and may_retry
    assert to_first == (2 if retries else 1)
    assert to_second == (0 if is_first else 1)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_first_token_that_takes_too_long_fails_over(pair: Pair, streamed: bool) -> None:
    pair.first.always(Late(20))
    begun = time.perf_counter()
    text, report = await pair.text(streamed=streamed)
    assert time.perf_counter() - begun < SOON
    assert (text, report.provider, pair.requests) == (pair.second.text, "second", (1, 1))


def test_the_default_timeouts_move_on_within_fifteen_seconds() -> None:
    """The tests above use shorter times than these defaults."""
    settings = Settings()
    assert settings.first_item_timeout_seconds is not None
    assert settings.first_item_timeout_seconds < 15
    assert settings.deadline_seconds == 60, "every call ends"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_failing_provider_gets_few_requests(
    servers: tuple[loopback.Provider, loopback.Provider], streamed: bool
) -> None:
    """One retry with its default delay: a provider gets at most 2 attempts in 1.5 s, and both together at most 6."""
    settings: dict[str, Any] = {"same_provider_retries": 1, "max_attempts": 6, "on_break": "restart"}
    pair = paired(*servers, None, **settings)
    begun: dict[str, list[float]] = {"first": [], "second": []}

    def noted(call: Any) -> Any:
        async def ask(provider: Provider, messages: list[Any]) -> Any:
            begun[provider.id].append(time.perf_counter())
            return await call(provider, messages)

        return ask

    for server in servers:
        server.always(Status(503))
    whole, stream = noted(pair.whole), pair.orchestrator.stream(noted(pair.stream), USER)
    with pytest.raises(AllProvidersFailed):
        await (anext(stream) if streamed else pair.orchestrator.call(whole, USER))
    await stream.aclose()
    assert pair.requests == (2, 2)
    for first, again in begun.values():
        assert again - first > 0.3
    for client in pair.clients.values():
        await client.close()


AFTER_CONTENT: list[Fault] = [
    Cut(2 / 3),
    Cut(2 / 3, in_form=True),
    Stall(0.5),
    Malformed(0.5),
    Malformed(0.5, framing=True),
]


@pytest.mark.parametrize("fault", AFTER_CONTENT, ids=repr)
async def test_a_fault_in_the_middle_is_never_a_success(pair: Pair, setting: Setting, fault: Fault) -> None:
    pair.first.always(fault)
    begun = time.perf_counter()
    if setting == "defaults":
        with pytest.raises(StreamBrokenError) as caught:
            await pair.text(streamed=True)
        got = "".join(item.choices[0].delta.content or "" for item in caught.value.items if item.choices)
        assert got
        assert pair.first.text.startswith(got)
        assert (caught.value.provider, pair.requests) == ("first", (1, 0))
    else:
        text, report = await pair.text(streamed=True)
        assert (text, report.provider, report.model) == (pair.second.text, "second", "large")
        assert pair.requests == (1 if isinstance(fault, Stall) else 2, 1)
    assert time.perf_counter() - begun < SOON
    if isinstance(fault, Stall):
        assert await asyncio.to_thread(pair.first.requests[0].abandoned.wait, 5)
    metrics = pair.orchestrator.breaker("first").metrics
    assert (metrics.failed_calls, metrics.successful_calls) == (pair.requests[0], 0)


async def test_no_done_after_a_complete_answer(pair: Pair) -> None:
    pair.first.next(NoTerminator())
    text, _ = await pair.text(streamed=True)
    assert (text, pair.requests) == (pair.first.text, (1, 0))
    assert pair.orchestrator.breaker("first").metrics.successful_calls == 1


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_context_that_is_too_long_goes_to_the_larger_model_only(pair: Pair, streamed: bool) -> None:
    pair.first.always(CONTEXT_TOO_LONG)
    text, report = await pair.text(streamed=streamed)
    assert (text, report.model, pair.requests) == (pair.second.text, "large", (1, 1))
    pair.second.always(CONTEXT_TOO_LONG)
    with pytest.raises(openai.BadRequestError):
        await pair.text(streamed=streamed)
    assert pair.requests == (2, 2)
    pair.second.always(None)
    assert (await pair.text(streamed=streamed, need=Need(size=9)))[0] == pair.second.text
    assert pair.requests == (2, 3), "with a known size, the smaller one is not asked"


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_refused_content_ends_in_its_own_error(pair: Pair, streamed: bool) -> None:
    pair.first.always(CONTENT_REFUSED)
    with pytest.raises(openai.BadRequestError) as caught:
        await pair.text(streamed=streamed)
    assert (caught.value.code, pair.requests) == ("content_policy_violation", (1, 0))


async def test_cut_and_the_next_provider_takes_no_prefill(pair: Pair, setting: Setting) -> None:
    pair.first.always(Cut())
    with loopback.Provider("Another answer.", takes_prefill=False) as other:
        pair.clients["second"] = pair.clients["second"].with_options(base_url=other.openai_url)

        def resume(broken: Break) -> Resume:
            text = "".join(item.choices[0].delta.content or "" for item in broken.items if item.choices)
            return Resume([*USER, {"role": "assistant", "content": text}])

        with pytest.raises(openai.BadRequestError):
            await pair.text(streamed=True, on_break=resume)
        if setting == "retry and restart":
            assert (await pair.text(streamed=True))[0] == other.text
        else:
            with pytest.raises(StreamBrokenError):
                await pair.text(streamed=True)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_a_provider_that_is_down_gets_its_probes_and_no_more(
    servers: tuple[loopback.Provider, loopback.Provider], setting: Setting, clock: ManualClock, streamed: bool
) -> None:
    pair = paired(*servers, clock, **(SETTINGS[setting] | PATIENT))
    pair.first.always(Status(503))
    calls = 90
    for _ in range(calls):
        text, _ = await pair.text(streamed=streamed)
        assert text == pair.second.text
        clock.advance(2)
    asked, waits = pair.requests[0], calls * 2 // 60
    print(f"{calls} calls in {calls * 2} s of an outage: {asked} requests to the dead provider")
    threshold = pair.orchestrator.breaker("first").config.failure_threshold or 0
    assert asked <= threshold + waits + 1

    pair.first.always(None)
    clock.advance(60)
    answers = [(await pair.text(streamed=streamed))[0] for _ in range(6)]
    assert answers[:2] == [pair.first.text] * 2, "two probes close the circuit"
    assert pair.orchestrator.breaker("first").state == "closed"
    assert in_flight(pair.orchestrator) == 0
    for client in pair.clients.values():
        await client.close()


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_both_are_down_and_the_error_tells_each_ones_reason(pair: Pair, streamed: bool) -> None:
    pair.first.always(Status(503))
    pair.second.always(NoAnswer())
    with pytest.raises(AllProvidersFailed) as caught:
        await pair.text(streamed=streamed)
    failed = caught.value
    assert failed.seconds < SOON
    assert [(it.provider, it.reason) for it in failed.failures] == [("first", "failed"), ("second", "failed")]
    assert isinstance(failed.failures[0].error, openai.InternalServerError)
    assert all(requests <= 2 for requests in pair.requests)


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
async def test_the_report_names_the_model_and_its_usage(pair: Pair, streamed: bool) -> None:
    text, report = await pair.text(streamed=streamed)
    assert (text, report.provider, report.model) == (pair.first.text, "first", "small")
    assert report.usage is not None
    assert (report.usage["prompt_tokens"], report.usage["completion_tokens"]) == (2, 4)
    assert [(it.provider, it.outcome) for it in report.attempts] == [("first", "success")]
