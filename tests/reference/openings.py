"""How long an opening lasts: docs/semantics.md, section 4, "open"."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from config import Config


@dataclass
class Openings:
    """The openings in a row, and what tells whether the next one is among them."""

    count: int = 0
    last_wait: int = 0
    closed_at: int = 0

    def leave_closed(self, now: int) -> None:
        """A circuit that stayed closed for its last wait has a clean record again."""
        if now - self.closed_at >= self.last_wait:
            self.count = 0

    def next_wait(self, config: Config, jitter: Fraction, hint: int | None) -> int:
        self.count += 1
        grown = config.timeout * config.timeout_multiplier ** (self.count - 1)
        spread = max(1, round(grown * (1 + config.timeout_jitter * jitter)))
        self.last_wait = min(max(spread, hint or 0), config.max_timeout)
        return self.last_wait
