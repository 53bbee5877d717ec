"""The calls over which rates are computed: docs/semantics.md, section 4, "the window"."""

from __future__ import annotations

from typing import NamedTuple

from config import SECOND, Config

BUCKETS = 10


class Entry(NamedTuple):
    bucket: int
    failed: bool
    slow: bool


class Window:
    def __init__(self, config: Config) -> None:
        # Without a rate there is no window.
        self.shape = config.window if config.has_rate else None
        self.entries: list[Entry] = []

    def add(self, now: int, failed: bool, slow: bool) -> None:
        if self.shape is not None:
            self.entries.append(Entry(self.current_bucket(now), failed, slow))
            self.entries = self.entries_at(now)

    def entries_at(self, now: int) -> list[Entry]:
        """The entries in the window at this time."""
        if self.shape is None:
            return []
        kind, size = self.shape
        if kind == "calls":
            return self.entries[-size:]
        oldest = self.current_bucket(now) - BUCKETS + 1
        return [entry for entry in self.entries if entry.bucket >= oldest]

    def current_bucket(self, now: int) -> int:
        """The bucket of `now`, or the latest bucket in use if the clock stepped back."""
        if self.shape is None or self.shape[0] == "calls":
            return 0
        width = self.shape[1] * SECOND // BUCKETS
        return max([now // width, *(entry.bucket for entry in self.entries)])


def rate_reached(config: Config, entries: list[Entry]) -> str | None:
    """The cause of an opening by a rate, if one is reached; compared without rounding."""
    if len(entries) < config.minimum_calls:
        return None
    failed = sum(entry.failed for entry in entries)
    slow = sum(entry.slow for entry in entries)
    if config.failure_rate and failed >= config.failure_rate * len(entries):
        return "failure_rate"
    if config.slow_call_rate and slow >= config.slow_call_rate * len(entries):
        return "slow_call_rate"
    return None
