"""The ends of streams: every permit is settled, every source closed, and the report names who answered."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from halfopen import InvalidValueError, ManualClock
from halfopen.orchestration import (
    CallEnded,
    FirstItem,
    Orchestrator,
    Provider,
    ReportedError,
    Stream,
    StreamBrokenError,
)
from orchestrated import Hang, HttpError, counts, in_flight, pair
from streamed import END, Streams, chunk, text_of


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
    """Drops the stream without closing it."""
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


@pytest.mark.parametrize("second", [[chunk("cut")], []], ids=["in an answer", "between two"])
async def test_a_socket_that_dies_after_a_whole_answer_does_not_end_as_a_success(second: list[Any]) -> None:
    orchestrator = Orchestrator([Provider("a", max_concurrent_calls=1), Provider("b", tier=1)])
    streams = Streams(a=[[chunk("whole"), END, *second, ConnectionResetError()]])
    stream = orchestrator.stream(streams, long_lived=True, session="call")
    assert [await anext(stream), await anext(stream)] == [chunk("whole"), END]
    assert orchestrator.session("call").provider == "a"
    assert orchestrator.status()[0].in_flight == 1
    with pytest.raises(StreamBrokenError):
        await text_of(stream)
    assert counts(orchestrator, "a") == {"successful": 1, "failed": 1}


async def test_a_socket_that_is_closed_after_a_whole_answer_is_a_success() -> None:
    orchestrator, streams = pair(), Streams(a=[[chunk("one"), END, chunk("two"), END]])
    assert await text_of(orchestrator.stream(streams, long_lived=True)) == "onetwo"
    assert counts(orchestrator, "a") == {"successful": 1}
    assert [event.outcome for event in orchestrator.events(CallEnded)] == ["success"]


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
