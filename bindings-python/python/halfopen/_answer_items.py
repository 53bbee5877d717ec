"""The meaning of a stream's items, for the protocols of OpenAI, Anthropic and Google.

Items are recognised by their members, whether they are objects of an SDK or parsed JSON. Any other item is content. The
transports that read server-sent events and the orchestrator ask here, so they judge a stream alike.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from halfopen._result_rules import error_in_choices, get, is_error


class Facts(NamedTuple):
    """The information in an item about its stream."""

    is_content: bool = False
    """A consumer can use it, so the stream is committed to its provider."""
    is_end: bool = False
    """The answer is complete."""
    is_tool_call: bool = False
    """It is part of a tool call, which may have effects."""
    has_end: bool = True
    """The protocol has a last item, without which an answer is cut off."""
    error: Any = None
    """The error that the provider reports in the stream."""


CONTENT = Facts(is_content=True, has_end=False)
_NOTHING = Facts()
# Other protocols have pings too.
_PING = Facts(has_end=False)
_PLAIN = frozenset((str, bytes, bytearray, memoryview, int, float, bool))
_ENDS = frozenset(("response.completed", "response.incomplete", "message_stop"))
_EMPTY_EVENTS = frozenset(
    (
        "ping",
        "message_start",
        "content_block_stop",
        "response.created",
        "response.queued",
        "response.in_progress",
        "response.content_part.added",
        "response.reasoning_summary_part.added",
    )
)
_ERRORS = frozenset(("error", "response.failed"))
_KNOWN_EVENTS = _ENDS | _EMPTY_EVENTS | {"content_block_start", "content_block_delta", "message_delta", "error"}
_DELTAS = ("content", "refusal", "reasoning_content", "reasoning", "audio")
_BLOCKS = frozenset(("content_block_start", "response.output_item.added"))


def facts_of(item: Any) -> Facts:
    """Reads an item."""
    if type(item) in _PLAIN:
        return CONTENT
    choices, candidates, kind = get(item, "choices"), get(item, "candidates"), get(item, "type")
    # First, because OpenRouter reports an error beside a choice that says why it ends.
    error = get(item, "error")
    if is_error(error):
        return Facts(error=error)
    if isinstance(choices, list | tuple):
        return _of_choices(cast("Sequence[Any]", choices))
    if isinstance(candidates, list | tuple):
        return _of_candidates(cast("Sequence[Any]", candidates))
    if isinstance(kind, str) and (kind.startswith("response.") or kind in _KNOWN_EVENTS):
        return _of_event(item, kind)
    return CONTENT


def _of_choices(choices: Sequence[Any]) -> Facts:
    error = error_in_choices(choices)
    if error is not None:
        return Facts(error=error)
    content = end = tool = False
    for choice in choices:
        delta = get(choice, "delta")
        end = end or bool(get(choice, "finish_reason"))
        if get(delta, "tool_calls") or get(delta, "function_call"):
            tool = True
        # The older completions have their text in the choice.
        content = content or bool(get(choice, "text")) or any(get(delta, name) for name in _DELTAS)
    return Facts(content or tool, end, tool) if content or end or tool else _NOTHING


def _of_event(item: Any, kind: str) -> Facts:
    if kind in _EMPTY_EVENTS:
        return _PING if kind == "ping" else _NOTHING
    reported = get(get(item, "response"), "error")
    if kind in _ERRORS or is_error(reported):
        return Facts(error=get(item, "error") or reported or item)
    if kind == "response.done":
        return _of_turn(item, get(item, "response"))
    if kind in _ENDS or kind == "message_delta":
        return Facts(is_end=kind in _ENDS or bool(get(get(item, "delta"), "stop_reason")))
    if kind in _BLOCKS:
        name = get(get(item, "content_block") or get(item, "item"), "type")
        is_tool = isinstance(name, str) and ("tool" in name or name.endswith("_call"))
        return Facts(is_tool, is_tool_call=is_tool)
    is_tool = kind.startswith("response.function_call") or get(get(item, "delta"), "type") == "input_json_delta"
    return Facts(is_content=True, is_tool_call=is_tool)


def _of_turn(item: Any, response: Any) -> Facts:
    """The last event of a turn in OpenAI's Realtime protocol, which tells a failure by its status."""
    if get(response, "status") != "failed":
        return Facts(is_end=True)
    return Facts(error=get(get(response, "status_details"), "error") or item)


def _of_candidates(candidates: Sequence[Any]) -> Facts:
    content = end = tool = False
    for candidate in candidates:
        end = end or bool(get(candidate, "finish_reason") or get(candidate, "finishReason"))
        for part in get(get(candidate, "content"), "parts") or ():
            tool = tool or bool(get(part, "function_call") or get(part, "functionCall"))
            content = content or tool or any(get(part, name) for name in ("text", "inline_data", "inlineData"))
    return Facts(content, end, tool)
