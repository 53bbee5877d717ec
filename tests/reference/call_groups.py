"""The calls in flight of a closed circuit: docs/semantics.md, section 4, "overdue calls"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Call = TypeVar("Call")


@dataclass
class Group(Generic[Call]):
    ends_at: int
    overdue_at: int
    calls: list[Call] = field(default_factory=list)
    found_overdue: bool = False


class CallGroups(Generic[Call]):
    def __init__(self) -> None:
        self.groups: list[Group[Call]] = []

    def join(self, call: Call, slow_call: int, now: int) -> None:
        if not self.groups or now >= self.groups[-1].ends_at:
            ends_at = now + -(-slow_call // 4)
            self.groups.append(Group(ends_at, ends_at + slow_call))
        self.groups[-1].calls.append(call)

    def overdue(self, now: int) -> list[Call]:
        """The calls of the groups that are overdue, whether or not they have ended."""
        for group in self.groups:
            group.found_overdue = group.found_overdue or now >= group.overdue_at
        return [call for group in self.groups if group.found_overdue for call in group.calls]
