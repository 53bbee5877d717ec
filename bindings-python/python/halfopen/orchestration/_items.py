"""Reads the items of a stream for the orchestrator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from halfopen._answer_items import CONTENT, Facts, facts_of
from halfopen._result_rules import get
from halfopen.orchestration._report import model_in, usage_in


@dataclass(slots=True, eq=False)
class Reader:
    """Reads the items of one stream: their facts, and the model and the usage that they name."""

    is_content: Callable[[Any], bool] | None
    is_end: Callable[[Any], bool] | None
    is_tool_call: Callable[[Any], bool] | None
    model: str | None = None
    usage: dict[str, Any] | None = None

    def read(self, item: Any) -> Facts:
        """Reads an item. The user's functions, if there are any, decide whether it is content or the end."""
        facts = facts_of(item)
        if facts is not CONTENT:
            self._note_model_and_usage(item)
        if self.is_content is not None:
            facts = facts._replace(is_content=self.is_content(item))
        if self.is_end is not None:
            facts = facts._replace(is_end=self.is_end(item), has_end=True)
        if self.is_tool_call is not None:
            facts = facts._replace(is_tool_call=self.is_tool_call(item))
        return facts

    def _note_model_and_usage(self, item: Any) -> None:
        # The first and the last event of some protocols hold the answer as a whole.
        for holder in (item, get(item, "message"), get(item, "response")):
            if holder is None:
                continue
            self.model = model_in(holder) or self.model
            usage = usage_in(holder)
            if usage is not None:
                self.usage = {**(self.usage or {}), **usage}
