"""Streams before their first content: failover that the consumer does not see, timeouts, and rules of the user."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from halfopen import CallTimeoutError, CircuitBreaker
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider, StreamBrokenError
from orchestrated import Hang, HttpError, counts, in_flight, pair
from streamed import END, ROLE, Streams, chunk, text_of

BEFORE_CONTENT: list[Any] = [
    [HttpError(503)],
    [ROLE, HttpError(429)],
    [{"type": "response.created", "response": {}}, ConnectionResetError()],
    [{"type": "message_start", "message": {}}, {"type": "ping"}, ConnectionResetError()],
    [{"type": "response.created"}, {"type": "error", "code": "rate_limit_exceeded"}],
    [ROLE],
    [],
    [{"type": "response.created"}, Hang()],
    [Hang()],
]


@pytest.mark.parametrize("items", BEFORE_CONTENT, ids=repr)
async def test_a_failure_before_the_first_content_is_not_seen_by_the_consumer(items: list[Any]) -> None:
    orchestrator, streams = pair(first_item_timeout_seconds=0.05), Streams(a=[items])
    received = [item async for item in orchestrator.stream(streams)]
    assert received == [ROLE, chunk("b"), END]
    assert (streams.asked, sorted(streams.closed), in_flight(orchestrator)) == (["a", "b"], ["a", "b"], 0)
    assert counts(orchestrator, "b") == {"successful": 1}


async def test_a_refused_content_is_the_providers_own_error() -> None:
    orchestrator, streams = pair(), Streams(a=[[ROLE, HttpError(400, code="content_filter")]])
    with pytest.raises(HttpError):
        await text_of(orchestrator.stream(streams))
    assert (streams.asked, counts(orchestrator, "a")) == (["a"], {"ignored": 1})


async def test_context_overflow_inside_a_stream_goes_to_the_larger_one() -> None:
    members = [Provider("a", limit=8), Provider("b", limit=8), Provider("c", limit=80)]
    streams = Streams(a=[[{"type": "error", "error": {"code": "context_length_exceeded"}}]])
    assert await text_of(Orchestrator(members).stream(streams)) == "c"
    assert streams.asked == ["a", "c"]


async def test_items_that_are_no_content_do_not_extend_the_wait() -> None:
    async def pings(provider: Provider) -> AsyncIterator[Any]:
        while provider.id == "a":
            await asyncio.sleep(0.01)
            yield {"type": "ping"}
        yield "b"

    orchestrator = pair(first_item_timeout_seconds=0.05)
    assert await text_of(orchestrator.stream(pings)) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


async def test_the_providers_late_opening_counts_for_the_first_item() -> None:
    async def opened(provider: Provider) -> AsyncIterator[str]:
        if provider.id == "a":
            await asyncio.Event().wait()

        async def items() -> AsyncIterator[str]:
            yield provider.id

        return items()

    orchestrator = pair(first_item_timeout_seconds=0.05)
    assert await text_of(orchestrator.stream(opened)) == "b"


async def test_a_silent_stream_of_all_providers_ends_with_the_deadline() -> None:
    orchestrator = pair(deadline_seconds=0.08, attempt_timeout_seconds=None, first_item_timeout_seconds=0.05)
    streams = Streams(a=[[Hang()]], b=[[Hang()]])
    with pytest.raises(AllProvidersFailed) as caught:
        await text_of(orchestrator.stream(streams))
    assert [type(failure.error) for failure in caught.value.failures] == [CallTimeoutError] * 2
    assert caught.value.seconds < 2
    assert sorted(streams.closed) == ["a", "b"]


async def test_ones_own_items_have_ones_own_rules() -> None:
    orchestrator = pair(is_content=lambda item: item != "hello", is_end=lambda item: item == "bye")
    streams = Streams(a=[["hello", HttpError(503)], ["hello", "word"]], b=[["hello", "word", "bye"]])
    assert [item async for item in orchestrator.stream(streams)] == ["hello", "word", "bye"]
    orchestrator.breaker("a").reset()
    with pytest.raises(StreamBrokenError):
        await text_of(orchestrator.stream(streams))


async def test_a_breaker_has_its_own_rules_and_timeouts() -> None:
    breaker = CircuitBreaker("a", first_item_timeout_seconds=0.03, is_end=lambda item: item == ".")
    orchestrator = Orchestrator([Provider("a", breaker), Provider("b", tier=1)])
    streams = Streams(a=[["x"], [Hang()]])
    with pytest.raises(StreamBrokenError):
        await text_of(orchestrator.stream(streams))
    assert await text_of(orchestrator.stream(streams)) == "b"
