"""Streams of server-sent events, as the providers of language models send their answers."""

from json import loads
from typing import Any, Literal

from halfopen._answer_items import facts_of
from halfopen._result_rules import get, verdict_of_item
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
        self._after_cr = False
        self._data: list[bytes] = []
        self._gave_up = False
        self._has_other_data = False

    def feed(self, chunk: bytes) -> None:
        """Reads the next bytes."""
        if self._gave_up or not chunk:
            return
        # A line ends with CR, LF or both. One that ends with CR is read at once, so a LF that follows it ends no other.
        text = self._rest + (chunk.removeprefix(b"\n") if self._after_cr else chunk)
        self._after_cr = chunk.endswith(b"\r")
        if b"\r" in text:
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        for line in lines:
            self._line(line)
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
        # As the SDK of OpenAI compares it.
        if data.startswith(b"[DONE]"):
            self.ending = "complete"
            return
        try:
            document: Any = loads(data)
        except (ValueError, RecursionError):
            # Only in the known protocols is each event JSON. A later event may show that this is one of them.
            self._has_other_data = True
            if self.ending != "unknown":
                self.ending = "malformed"
        else:
            self._item(document)
        self.has_content = self.has_content or self.ending == "unknown"

    def _item(self, item: Any) -> None:
        facts = facts_of(item)
        # Within these protocols a plain text is an error as well, and the SDKs raise it.
        error = get(item, "error") if facts.error is None and self.ending != "unknown" else facts.error
        if error:
            self.error = verdict_of_item(error)
        elif facts.has_end and self._has_other_data:
            self.ending = "malformed"
        elif facts.is_end:
            self.ending = "complete"
        elif facts.has_end and self.ending == "unknown":
            self.ending = "incomplete"
        # The end or an error also ends the wait for the first content.
        self.has_content = self.has_content or facts.is_content or facts.is_end or facts.error is not None
