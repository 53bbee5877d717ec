"""Streams that break after their first content, by ``on_break``."""

from typing import Any

import pytest

from halfopen import InvalidValueError
from halfopen.orchestration import (
    AllProvidersFailed,
    Break,
    CallEnded,
    Need,
    Orchestrator,
    Provider,
    Restarted,
    Resume,
    StreamBrokenError,
)
from orchestrated import Hang, HttpError, config, counts, in_flight, pair
from streamed import END, ROLE, Streams, chunk, text_of

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


@pytest.mark.parametrize("answer", ["restart", True, ("prompt",)])
async def test_a_function_that_returns_something_else_is_named(answer: Any) -> None:
    orchestrator, streams = pair(), Streams(a=[[chunk("one "), ConnectionResetError()]])
    with pytest.raises(InvalidValueError) as caught:
        await text_of(orchestrator.stream(streams, on_break=lambda _: answer))
    assert caught.value.field == "on_break"
    assert in_flight(orchestrator) == 0


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
        {"type": "response.audio.delta", "delta": "whole"},
        {"type": "response.done", "response": {"status": "completed"}},
    ],
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


async def test_a_turn_of_openais_realtime_protocol_fails_by_the_status_of_its_last_event() -> None:
    error = {"type": "server_error", "code": "server_error", "message": "secret"}
    failed = {"type": "response.done", "response": {"status": "failed", "status_details": {"error": error}}}
    orchestrator, streams = pair(), Streams(a=[[{"type": "response.created"}, failed]])
    assert await text_of(orchestrator.stream(streams)) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


@pytest.mark.parametrize("items", COMPLETE, ids=repr)
async def test_an_answer_without_its_last_item_is_a_failure(items: list[Any]) -> None:
    orchestrator = pair(on_break="restart")
    streams = Streams(a=[items[:-1] or [chunk("w")]])
    assert await text_of(orchestrator.stream(streams)) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}
