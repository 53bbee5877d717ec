"""The transports and the orchestrator agree on every item of the protocols: what is content, the end, or an error."""

from itertools import pairwise
from json import dumps, loads
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halfopen._answer_items import Facts, facts_of
from halfopen._sse import AnswerReader

NOTHING = Facts()
END = Facts(is_end=True)
CONTENT = Facts(is_content=True)
TOOL = Facts(is_content=True, is_tool_call=True)
UNKNOWN = Facts(is_content=True, has_end=False)
OVERLOADED = {"type": "overloaded_error", "message": "Overloaded"}


def choice(delta: Any = None, **members: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {} if delta is None else delta, **members}]}


def candidate(*parts: Any, **members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": list(parts)}, **members}]}


ITEMS: list[tuple[Any, Facts]] = [
    # OpenAI's chat completions, and servers with their protocol.
    (choice({"role": "assistant", "content": ""}), NOTHING),
    (choice({"content": "Hello"}), CONTENT),
    (choice({"refusal": "No."}), CONTENT),
    (choice({"reasoning_content": "Hm"}), CONTENT),
    (choice({"reasoning": "Hm"}), CONTENT),
    (choice({"tool_calls": [{"index": 0}]}), TOOL),
    (choice(text="Hello"), CONTENT),
    (choice({"content": "Hello"}, finish_reason=None), CONTENT),
    (choice({"content": "Hello"}, finish_reason=""), CONTENT),
    (choice(finish_reason="stop"), END),
    ({"choices": [], "usage": {"total_tokens": 3}}, NOTHING),
    ({"error": {"message": "The server had an error", "type": "server_error"}}, Facts(error=Any)),
    ({"error": {"message": "Provider disconnected"}}, Facts(error=Any)),
    (choice(finish_reason="error") | {"error": {"code": 502, "message": "Bad gateway"}}, Facts(error=Any)),
    (choice(finish_reason="error"), Facts(error=Any)),
    (choice(finish_reason="stop", error={"code": 502, "message": "Bad gateway"}), Facts(error=Any)),
    (choice(finish_reason="stop", error=None), END),
    # OpenAI's responses.
    ({"type": "response.created", "response": {"error": None}}, NOTHING),
    ({"type": "response.output_item.added", "item": {"type": "message"}}, NOTHING),
    ({"type": "response.output_item.added", "item": {"type": "function_call"}}, TOOL),
    ({"type": "response.content_part.added"}, NOTHING),
    ({"type": "response.reasoning_summary_part.added"}, NOTHING),
    ({"type": "response.output_text.delta", "delta": "Hello"}, CONTENT),
    ({"type": "response.function_call_arguments.delta", "delta": "{"}, TOOL),
    ({"type": "response.completed", "response": {"error": None}}, END),
    ({"type": "response.incomplete", "response": {"error": None}}, END),
    ({"type": "response.failed", "response": {"error": {"code": "server_error"}}}, Facts(error=Any)),
    ({"type": "response.done", "response": {"status": "completed"}}, END),
    ({"type": "response.done", "response": {"status": "failed"}}, Facts(error=Any)),
    # Anthropic's messages.
    ({"type": "ping"}, Facts(has_end=False)),
    ({"type": "message_start", "message": {"usage": {}}}, NOTHING),
    ({"type": "content_block_start", "content_block": {"type": "text"}}, NOTHING),
    ({"type": "content_block_start", "content_block": {"type": "tool_use"}}, TOOL),
    ({"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}}, CONTENT),
    ({"type": "content_block_delta", "delta": {"type": "input_json_delta"}}, TOOL),
    ({"type": "content_block_stop"}, NOTHING),
    ({"type": "message_delta", "delta": {"stop_reason": None}}, NOTHING),
    ({"type": "message_delta", "delta": {"stop_reason": "end_turn"}}, END),
    ({"type": "message_stop"}, END),
    ({"type": "error", "error": OVERLOADED}, Facts(error=Any)),
    # Google's content.
    (candidate({"text": "Hello"}), CONTENT),
    (candidate({"functionCall": {"name": "search"}}), TOOL),
    (candidate({"text": "."}, finishReason="STOP"), Facts(is_content=True, is_end=True)),
    (candidate(finishReason="STOP"), END),
    ({"error": {"code": 503, "status": "UNAVAILABLE"}}, Facts(error=Any)),
    # Any other stream.
    ({"text": "Hello"}, UNKNOWN),
    ({"type": "tick"}, UNKNOWN),
    ({"error": "a word of the user's own"}, UNKNOWN),
]


@pytest.mark.parametrize(("item", "expected"), ITEMS, ids=[dumps(item) for item, _ in ITEMS])
def test_an_item_means_the_same_to_the_orchestrator_and_to_a_transport(item: Any, expected: Facts) -> None:
    as_object = loads(dumps(item), object_hook=lambda members: SimpleNamespace(**members))
    for form in (item, as_object):
        facts = facts_of(form)
        assert (facts.error is None) == (expected.error is None)
        assert facts._replace(error=None) == expected._replace(error=None)

    reader = AnswerReader()
    reader.feed(f"data: {dumps(item)}\n\n".encode())
    assert (reader.error is None) == (expected.error is None)
    is_incomplete = expected.has_end and expected.error is None
    assert reader.ending == ("complete" if expected.is_end else "incomplete" if is_incomplete else "unknown")
    assert reader.has_content is (expected is not NOTHING)


def test_an_error_has_the_verdict_of_its_code_or_status() -> None:
    for error, outcome in (
        ({"type": "error", "error": OVERLOADED}, "failure"),
        ({"error": {"code": 503, "status": "UNAVAILABLE"}}, "failure"),
        ({"error": {"code": 400, "status": "INVALID_ARGUMENT"}}, "ignored"),
    ):
        reader = AnswerReader()
        reader.feed(f"data: {dumps(error)}\n\n".encode())
        assert reader.error is not None
        assert reader.error.outcome == outcome


LINES = (
    ": a comment",
    "event: message",
    f"data: {dumps(choice({'content': 'Hello'}))}",
    "",
    'data: {"choices": [{"delta": {},',
    'data:  "finish_reason": "stop"}]}',
    "",
)


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@given(cuts=st.lists(st.integers(0, 200)))
def test_lines_end_with_cr_or_lf_or_both_wherever_a_chunk_is_cut(line_end: str, cuts: list[int]) -> None:
    text = "".join(line + line_end for line in LINES).encode()
    reader = AnswerReader()
    for start, end in pairwise([0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]):
        reader.feed(text[start:end])
    assert reader.ending == "complete"


def test_an_event_is_read_before_the_lf_of_its_last_line_comes() -> None:
    reader = AnswerReader()
    reader.feed(f"data: {dumps(choice(finish_reason='stop'))}\r\n\r".encode())
    assert reader.ending == "complete"


def test_one_line_end_of_both_does_not_end_an_event() -> None:
    reader = AnswerReader()
    for chunk in (b'data: {"choices":\r', b"", b"\n", b'data: [{"finish_reason": "stop"}]}\r', b"\n\r"):
        assert reader.ending == "unknown"
        reader.feed(chunk)
    assert reader.ending == "complete"


def test_done_ends_an_answer_whatever_follows_it_in_its_line() -> None:
    reader = AnswerReader()
    reader.feed(f"data: {dumps(choice({'content': 'Hello'}))}\n\n".encode())
    reader.feed(b"data: [DONE] \n\n")
    assert reader.ending == "complete"
