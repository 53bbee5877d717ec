"""Streams of server-sent events, as the providers of language models send their answers."""

from json import loads
from typing import Any, Literal, cast

from halfopen._result_rules import verdict_of
from halfopen.types import Verdict

Ending = Literal["complete", "incomplete", "malformed", "unknown"]

_LONGEST_LINE = 1 << 20
"""Bytes. A longer line is not an event of these protocols, and keeping it would cost memory."""


class AnswerReader:
    """Reads the events of an answer while they pass, to know whether it was complete.

    The protocols are OpenAI's chat completions and responses, Anthropic's messages and Google's content. Of any other
    stream it says ``unknown``.
    """

    def __init__(self) -> None:
        self.ending: Ending = "unknown"
        self.error: Verdict | None = None
        self.has_content = False
        """Whether a part of the answer itself has come, which a role, a ping or ``response.created`` is not."""
        self._rest = b""
        self._data: list[bytes] = []
        self._gave_up = False

    def feed(self, chunk: bytes) -> None:
        """Reads the next bytes."""
        if self._gave_up:
            return
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line.removesuffix(b"\r"))
        if len(self._rest) > _LONGEST_LINE:
            self._gave_up, self.ending, self._rest = True, "unknown", b""

    def _line(self, line: bytes) -> None:
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            self._event(b"\n".join(self._data))
            self._data = []

    def _event(self, data: bytes) -> None:
        if self.ending == "malformed":
            return
        if data == b"[DONE]":
            self.ending = "complete"
            return
        document: Any
        try:
            document = loads(data)
        except (ValueError, RecursionError):
            # Only of these protocols it is known that each event is JSON.
            if self.ending != "unknown":
                self.ending = "malformed"
        else:
            if isinstance(document, dict):
                self._document(cast("Any", document))
                self.has_content = self.has_content or _is_content(document)
        self.has_content = self.has_content or self.ending == "unknown"

    def _document(self, document: Any) -> None:
        kind = str(document.get("type"))
        error = document.get("error") or _member(document.get("response"), "error")
        if isinstance(error, dict) or kind == "error":
            reported: Any = cast("Any", error or document)
            codes = [_member(reported, name) for name in ("code", "type", "status")]
            # Google's code is the HTTP status.
            self.error = verdict_of(codes[0], None, *codes)
        elif kind in ("message_stop", "response.completed", "response.incomplete") or _has_finished(document):
            self.ending = "complete"
        elif self.ending == "unknown" and (
            kind == "message_start" or kind.startswith("response.") or "choices" in document or "candidates" in document
        ):
            self.ending = "incomplete"


def _has_finished(document: Any) -> bool:
    """Whether a choice of OpenAI's, or a candidate of Google's, says why it ends."""
    choices: Any = document.get("choices") or document.get("candidates")
    if not isinstance(choices, list):
        return False
    return any(
        _member(choice, "finish_reason") or _member(choice, "finishReason") for choice in cast("list[object]", choices)
    )


def _is_content(document: Any) -> bool:
    """Whether the event of one of these protocols has a part of the answer."""
    if str(document.get("type")).endswith(("delta", "message_stop", "completed", "incomplete", "failed", "error")):
        return True
    choices: Any = document.get("choices") or document.get("candidates")
    return isinstance(choices, list) and any(
        _member(choice, "finish_reason")
        # The older completions have their text here.
        or _member(choice, "text")
        or _member(_member(choice, "content"), "parts")
        or _says_more_than_a_role(_member(choice, "delta"))
        for choice in cast("list[object]", choices)
    )


def _says_more_than_a_role(delta: Any) -> bool:
    return isinstance(delta, dict) and any(
        value for name, value in cast("dict[str, Any]", delta).items() if name != "role"
    )


def _member(document: Any, name: str) -> Any:
    return cast("Any", document).get(name) if isinstance(document, dict) else None
