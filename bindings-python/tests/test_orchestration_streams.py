"""Streams: failover without a trace before the first content, ``on_break`` afterwards, and every permit settled."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from halfopen import CallTimeoutError, CircuitBreaker, InvalidValueError, ManualClock
from halfopen.orchestration import (
    AllProvidersFailed,
    Break,
    CallEnded,
    FirstItem,
    Need,
    Orchestrator,
    Provider,
    ReportedError,
    Restarted,
    Resume,
    Stream,
    StreamBrokenError,
)
from orchestrated import Hang, HttpError, config, counts, in_flight, pair


def chunk(text: str | None = None, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    """A chunk of OpenAI's chat completions."""
    content = {} if text is None else {"content": text}
    return {"model": "gpt", "choices": [{"index": 0, "delta": content | delta, "finish_reason": finish}]}


ROLE = chunk("", role="assistant")
END = chunk(finish="stop")


class Streams:
    """Each provider streams the next part of its script; an exception in it is raised, a ``Hang`` waits for ever."""

    def __init__(self, **parts: list[list[Any]]) -> None:
        self.parts = parts
        self.asked: list[str] = []
        self.closed: list[str] = []

    async def __call__(self, provider: Provider, *args: Any) -> AsyncIterator[Any]:
        self.asked.append(provider.id)
        self.args = args
        answers = self.parts.get(provider.id)
        items = answers.pop(0) if answers else [ROLE, chunk(provider.id), END]
        try:
            for item in items:
                await asyncio.sleep(0)
                if isinstance(item, Hang):
                    await asyncio.Event().wait()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self.closed.append(provider.id)


async def text_of(stream: Stream[Any]) -> str:
    """The text of a stream, from its last restart on."""
    text = ""
    async for item in stream:
        if isinstance(item, Restarted):
            text = ""
        elif isinstance(item, dict):
            text += "".join(choice["delta"].get("content") or "" for choice in item.get("choices", ()))
        else:
            text += item
    return text


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
async def test_a_failure_before_the_first_content_leaves_no_trace(items: list[Any]) -> None:
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


AFTER_CONTENT: list[Any] = [
    ConnectionResetError(),
    HttpError(503),
    {"type": "error", "code": "server_error"},
    Hang(),
]


@pytest.mark.parametrize("fault", [*AFTER_CONTENT, None], ids=repr)
async def test_a_break_raises_by_default_and_tells_what_came_and_from_whom(fault: Any) -> None:
    orchestrator = pair(idle_timeout_seconds=0.05)
    streams = Streams(a=[[ROLE, chunk("one "), chunk("two"), *([] if fault is None else [fault])]])
    received: list[Any] = []

    async def read() -> None:
        async for item in orchestrator.stream(streams):
            received.append(item)  # noqa: PERF401 (what came before the error counts)

    with pytest.raises(StreamBrokenError) as caught:
        await read()
    assert caught.value.provider == "a"
    assert list(caught.value.items) == received == [ROLE, chunk("one "), chunk("two")]
    assert isinstance(caught.value.__cause__, Exception)
    assert (streams.asked, streams.closed) == (["a"], ["a"])
    assert (counts(orchestrator, "a"), in_flight(orchestrator)) == ({"failed": 1}, 0)
    assert [event.outcome for event in orchestrator.events(CallEnded)] == ["failure"]


@pytest.mark.parametrize("fault", [*AFTER_CONTENT, None], ids=repr)
async def test_a_break_restarts_with_a_marker(fault: Any) -> None:
    orchestrator = pair(idle_timeout_seconds=0.05)
    streams = Streams(a=[[ROLE, chunk("one "), *([] if fault is None else [fault])]])
    received = [item async for item in orchestrator.stream(streams, on_break="restart")]
    assert received == [ROLE, chunk("one "), Restarted("a", "b", dropped=2), ROLE, chunk("b"), END]
    assert in_flight(orchestrator) == 0


async def test_the_same_switch_holds_in_all_phases() -> None:
    orchestrator = Orchestrator([Provider(name, config(name)) for name in "abc"], on_break="restart", max_attempts=2)
    streams = Streams(a=[[chunk("one"), HttpError(503)]], b=[[chunk("two"), HttpError(503)]])
    with pytest.raises(StreamBrokenError) as caught:
        await text_of(orchestrator.stream(streams))
    failed = caught.value.__cause__
    assert isinstance(failed, AllProvidersFailed)
    assert failed.ended_by == "max_attempts"
    assert streams.asked == ["a", "b"]


async def test_a_break_is_resumed_by_providers_that_can() -> None:
    def resume(broken: Break) -> Resume:
        text = "".join(item["choices"][0]["delta"].get("content") or "" for item in broken.items)
        return Resume(*broken.args, text, need=Need(["prefill"]))

    members = [Provider("a", tier=0), Provider("b", tier=1), Provider("c", tier=2, capabilities=["prefill"])]
    orchestrator = Orchestrator(members)
    streams = Streams(a=[[chunk("one "), ConnectionResetError()]], c=[[chunk("two"), END]])
    received = [item async for item in orchestrator.stream(streams, "prompt", on_break=resume)]
    assert received == [chunk("one "), chunk("two"), END]
    assert (streams.asked, streams.args) == (["a", "c"], ("prompt", "one "))


async def test_a_function_that_cannot_resume_raises() -> None:
    orchestrator, streams = pair(), Streams(a=[[chunk("one "), ConnectionResetError()]])
    with pytest.raises(StreamBrokenError):
        await text_of(orchestrator.stream(streams, on_break=lambda _: None))
    assert streams.asked == ["a"]


TOOL_CALLS: list[Any] = [
    chunk(tool_calls=[{"index": 0, "function": {"name": "pay"}}]),
    {"type": "response.output_item.added", "item": {"type": "function_call", "name": "pay"}},
    {"type": "content_block_start", "content_block": {"type": "tool_use", "name": "pay"}},
    {"candidates": [{"content": {"parts": [{"functionCall": {"name": "pay"}}]}}]},
]


@pytest.mark.parametrize("call", TOOL_CALLS, ids=repr)
async def test_nothing_is_repeated_after_a_tool_call(call: Any) -> None:
    orchestrator, streams = pair(on_break="restart"), Streams(a=[[call, ConnectionResetError()]])
    with pytest.raises(StreamBrokenError):
        await text_of(orchestrator.stream(streams))
    assert streams.asked == ["a"]


COMPLETE: list[Any] = [
    [chunk("whole"), END],
    [chunk("whole"), chunk(finish="length")],
    [{"type": "response.output_text.delta", "delta": "whole"}, {"type": "response.completed", "response": {}}],
    [
        {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "whole"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    ],
    [{"candidates": [{"content": {"parts": [{"text": "whole"}]}, "finishReason": "STOP"}]}],
]


@pytest.mark.parametrize("items", COMPLETE, ids=repr)
@pytest.mark.parametrize("fault", [None, ConnectionResetError()], ids=repr)
async def test_what_is_missing_behind_a_complete_answer_is_no_failure(items: list[Any], fault: Any) -> None:
    orchestrator, streams = pair(), Streams(a=[[*items, *([] if fault is None else [fault])]])
    assert [item async for item in orchestrator.stream(streams)] == items
    assert counts(orchestrator, "a") == {"successful": 1}


@pytest.mark.parametrize("items", COMPLETE, ids=repr)
async def test_an_answer_without_its_last_item_is_a_failure(items: list[Any]) -> None:
    orchestrator = pair(on_break="restart")
    streams = Streams(a=[items[:-1] or [chunk("w")]])
    assert await text_of(orchestrator.stream(streams)) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


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


async def test_the_callers_cancellation_settles_and_closes() -> None:
    orchestrator, streams = pair(), Streams(a=[[chunk("one"), Hang()]])
    task = asyncio.ensure_future(text_of(orchestrator.stream(streams)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (counts(orchestrator, "a"), streams.closed) == ({"cancelled": 1}, ["a"])
    assert (streams.asked, in_flight(orchestrator)) == (["a"], 0)
    assert [event.outcome for event in orchestrator.events(CallEnded)] == ["cancelled"]


async def leave(stream: Stream[Any]) -> None:
    """Leaves a stream at its first item."""
    async with stream:
        async for _ in stream:
            break


async def forget(stream: Stream[Any]) -> None:
    """The same without a word."""
    async for _ in stream:
        break


@pytest.mark.parametrize("give_up", [leave, forget])
async def test_every_permit_is_settled_when_a_stream_is_abandoned(give_up: Callable[[Any], Any]) -> None:
    orchestrator, streams = pair(), Streams()
    for _ in range(20):
        await give_up(orchestrator.stream(streams))
    gc.collect()
    await asyncio.sleep(0.01)
    assert in_flight(orchestrator) == 0
    assert counts(orchestrator, "a") == {"cancelled": 20}
    assert streams.closed == ["a"] * 20


async def test_a_stream_that_nobody_reads_asks_nobody() -> None:
    orchestrator, streams = pair(), Streams()
    async with orchestrator.stream(streams):
        pass
    assert streams.asked == []


async def test_the_time_of_the_consumer_is_not_the_providers() -> None:
    clock = ManualClock()
    orchestrator, streams = pair(clock), Streams()
    async for _ in orchestrator.stream(streams):
        clock.advance(100)
    assert orchestrator.breaker("a").durations()["success"].total_seconds < 101


async def test_a_context_manager_and_an_object_with_close_are_closed() -> None:
    closed: list[str] = []

    @asynccontextmanager
    async def opened(provider: Provider) -> AsyncIterator[AsyncIterator[str]]:
        async def items() -> AsyncIterator[str]:
            yield provider.id

        try:
            yield items()
        finally:
            closed.append(provider.id)

    class Source:
        def __aiter__(self) -> "Source":
            return self

        async def __anext__(self) -> str:
            return "x"

        async def close(self) -> None:
            closed.append("source")

    orchestrator = pair()
    assert await text_of(orchestrator.stream(opened)) == "a"
    await leave(orchestrator.stream(lambda _: Source()))
    assert closed == ["a", "source"]


async def test_a_function_without_a_stream_is_refused_and_counts_nothing() -> None:
    orchestrator = pair()
    wrong: Any = lambda provider: provider.id  # noqa: E731
    with pytest.raises(InvalidValueError, match="async iterable"):
        await text_of(orchestrator.stream(wrong))
    with pytest.raises(TypeError):
        await text_of(orchestrator.stream(wrong, "too many"))
    assert counts(orchestrator, "a") == {"cancelled": 2}


async def test_a_long_lived_stream_votes_at_its_first_content() -> None:
    clock = ManualClock()
    orchestrator = pair(clock)
    breaker = orchestrator.breaker("a")
    breaker.acquire().failure()
    clock.advance(30)
    streams = Streams(a=[["event", "event", ConnectionResetError()]])
    stream = orchestrator.stream(streams, long_lived=True)
    assert await anext(stream) == "event"
    assert breaker.state == "closed", "the probe does not last as long as the call"
    assert await anext(stream) == "event"
    with pytest.raises(StreamBrokenError):
        await anext(stream)
    assert breaker.state == "open", "its later death is a failure of its own"
    assert counts(orchestrator, "a") == {"successful": 1, "failed": 2}


@pytest.mark.parametrize("members", [1, 3])
async def test_a_late_error_that_a_call_inside_the_stream_has_counted_counts_once(members: int) -> None:
    orchestrator = Orchestrator([Provider("a")])
    breaker = orchestrator.breaker("a")

    async def fail() -> None:
        raise ConnectionResetError

    async def live(_: Provider) -> AsyncIterator[str]:
        yield "event"
        if members == 1:
            await breaker.call(fail)
        errors = await asyncio.gather(*(breaker.call(fail) for _ in range(members)), return_exceptions=True)
        raise ExceptionGroup("all", [error for error in errors if isinstance(error, Exception)])

    stream = orchestrator.stream(live, long_lived=True)
    assert await anext(stream) == "event"
    with pytest.raises(StreamBrokenError):
        await anext(stream)
    assert counts(orchestrator, "a") == {"successful": 1, "failed": members}
    with pytest.raises(ConnectionResetError):
        await breaker.call(fail)
    assert counts(orchestrator, "a") == {"successful": 1, "failed": members + 1}, "nothing stays noted"


async def test_a_late_error_that_says_nothing_about_the_provider_is_no_failure() -> None:
    orchestrator = Orchestrator([Provider("a")])
    streams = Streams(a=[["event", {"error": {"code": "invalid_request_error"}}]])
    stream = orchestrator.stream(streams, long_lived=True)
    assert await anext(stream) == "event"
    with pytest.raises(ReportedError):
        await anext(stream)
    assert counts(orchestrator, "a") == {"successful": 1, "ignored": 1}


async def test_a_long_lived_stream_counts_as_in_flight_until_its_end() -> None:
    orchestrator = Orchestrator([Provider("a", max_concurrent_calls=1), Provider("b", tier=1)])
    streams = Streams(a=[["one", "two"], ["three"]])
    first = orchestrator.stream(streams, long_lived=True)
    assert await anext(first) == "one"
    assert await text_of(orchestrator.stream(streams)) == "b"
    assert await text_of(first) == "two"
    assert await text_of(orchestrator.stream(streams)) == "three"


async def test_the_report_tells_who_answered_and_at_which_cost() -> None:
    usage = {"prompt_tokens": 2, "completion_tokens": 3}
    orchestrator = pair()
    streams = Streams(a=[[HttpError(503)]], b=[[chunk("x"), END, {"model": "gpt-5", "choices": [], "usage": usage}]])
    stream = orchestrator.stream(streams)
    assert (stream.report, stream.provider) == (None, None)
    await text_of(stream)
    report = stream.report
    assert report is not None
    assert (report.provider, report.model, report.usage) == ("b", "gpt-5", usage)
    assert [(attempt.provider, attempt.outcome) for attempt in report.attempts] == [("a", "failure"), ("b", "success")]
    (first,) = orchestrator.events(FirstItem)
    assert isinstance(first, FirstItem)
    assert first.provider == "b"


async def test_an_error_inside_a_stream_is_judged_by_its_code() -> None:
    orchestrator = pair()
    streams = Streams(a=[[chunk("x"), {"error": {"code": 503, "status": "UNAVAILABLE"}}]])
    with pytest.raises(StreamBrokenError) as caught:
        await text_of(orchestrator.stream(streams))
    assert isinstance(caught.value.__cause__, ReportedError)
    assert counts(orchestrator, "a") == {"failed": 1}
