"""How long the circuit stays open: docs/semantics.md, section 4, "open"."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from config import Config


@dataclass
class OpenStreak:
    """The consecutive openings, and the data that decides whether the next one continues the streak."""

    count: int = 0
    last_wait: int = 0
    closed_at: int = 0

    def leave_closed(self, now: int) -> None:
        """The streak restarts if the circuit stayed closed for at least its last wait."""
        if now - self.closed_at >= self.last_wait:
            self.count = 0

    def next_wait(self, config: Config, jitter: Fraction, hint: int | None) -> int:
        self.count += 1
        grown = config.timeout * config.timeout_multiplier ** (self.count - 1)
        spread = max(1, round(grown * (1 + config.timeout_jitter * jitter)))
        self.last_wait = min(max(spread, hint or 0), config.max_timeout)
        return self.last_wait
