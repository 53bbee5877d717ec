"""The meaning of a stream's items, for the protocols of OpenAI, Anthropic and Google.

Items are recognised by their members, whether they are objects of an SDK or parsed JSON. Any other item is content.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, cast

from halfopen._result_rules import verdict_of
from halfopen.orchestration._report import get, model_in, usage_in
from halfopen.types import Verdict


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
    )
)
_ERRORS = frozenset(("error", "response.failed"))
_KNOWN_EVENTS = _ENDS | _EMPTY_EVENTS | {"content_block_start", "content_block_delta", "message_delta", "error"}
_BLOCKS = frozenset(("content_block_start", "response.output_item.added"))


def facts_of(item: Any) -> Facts:
    """Reads an item."""
    if type(item) in _PLAIN:
        return CONTENT
    choices, candidates, kind = get(item, "choices"), get(item, "candidates"), get(item, "type")
    if isinstance(choices, list | tuple):
        return _of_choices(cast("Sequence[Any]", choices))
    if isinstance(candidates, list | tuple):
        return _of_candidates(cast("Sequence[Any]", candidates))
    if isinstance(kind, str) and (kind.startswith("response.") or kind in _KNOWN_EVENTS):
        return _of_event(item, kind)
    return Facts(error=get(item, "error")) if _is_error(item) else CONTENT


def verdict_of_item(error: Any) -> Verdict:
    """The verdict on an error that came inside a stream."""
    codes = [get(error, name) for name in ("code", "type", "status")]
    status = next((code for code in codes if isinstance(code, int) and 400 <= code <= 599), 0)
    return verdict_of(status, None, *codes)


def _is_error(item: Any) -> bool:
    """Whether an item consists of an error, as OpenAI and Google send it in the middle of a stream."""
    error = get(item, "error")
    return any(isinstance(get(error, name), str | int) for name in ("code", "type", "status"))


def _of_choices(choices: Sequence[Any]) -> Facts:
    content = end = tool = False
    for choice in choices:
        delta = get(choice, "delta")
        end = end or get(choice, "finish_reason") is not None
        if get(delta, "tool_calls") or get(delta, "function_call"):
            tool = True
        content = content or any(get(delta, name) for name in ("content", "refusal", "reasoning_content", "audio"))
    return Facts(content or tool, end, tool) if content or end or tool else _NOTHING


def _of_event(item: Any, kind: str) -> Facts:
    if kind in _EMPTY_EVENTS:
        return _NOTHING
    if kind in _ERRORS:
        return Facts(error=get(item, "error") or get(get(item, "response"), "error") or item)
    if kind == "response.done":
        return _of_turn(item, get(item, "response"))
    if kind in _ENDS or kind == "message_delta":
        return Facts(is_end=kind in _ENDS or get(get(item, "delta"), "stop_reason") is not None)
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


class Reader:
    """Reads the items of one stream: their facts, and the model and the usage that they name."""

    __slots__ = ("_is_content", "_is_end", "_is_tool_call", "model", "usage")

    def __init__(
        self,
        is_content: Callable[[Any], bool] | None,
        is_end: Callable[[Any], bool] | None,
        is_tool_call: Callable[[Any], bool] | None,
    ) -> None:
        self._is_content = is_content
        self._is_end = is_end
        self._is_tool_call = is_tool_call
        self.model: str | None = None
        self.usage: dict[str, Any] | None = None

    def read(self, item: Any) -> Facts:
        """Reads an item. The user's functions, if there are any, decide whether it is content or the end."""
        facts = facts_of(item)
        if facts is not CONTENT:
            self._take_account(item)
        if self._is_content is not None:
            facts = facts._replace(is_content=self._is_content(item))
        if self._is_end is not None:
            facts = facts._replace(is_end=self._is_end(item), has_end=True)
        if self._is_tool_call is not None:
            facts = facts._replace(is_tool_call=self._is_tool_call(item))
        return facts

    def _take_account(self, item: Any) -> None:
        # The first and the last event of some protocols hold the answer as a whole.
        for holder in (item, get(item, "message"), get(item, "response")):
            if holder is None:
                continue
            self.model = model_in(holder) or self.model
            usage = usage_in(holder)
            if usage is not None:
                self.usage = {**(self.usage or {}), **usage}
