"""What is measured: by which policy, plain or awaited, and what becomes of the call."""

import itertools
from dataclasses import dataclass
from typing import Literal

DAY = 24 * 60 * 60
"""As long as these are measured, no circuit opens or closes."""
NEVER = 10**9
"""So many failures in a row never happen."""


class ProviderError(Exception):
    """What the guarded function raises."""


@dataclass(frozen=True)
class Path:
    awaited: bool
    policy: Literal["streak", "window of 100"]
    outcome: Literal["success", "failure", "rejection"]

    def __str__(self) -> str:
        return f"{'async' if self.awaited else 'sync'}, {self.policy}, {self.outcome}"

    @property
    def opens(self) -> bool:
        """Whether the first failures are to open the circuit, for good."""
        return self.outcome == "rejection"

    @property
    def failures(self) -> int:
        """The failures in a row that open the circuit, where they are counted."""
        return 1 if self.opens else NEVER


PATHS = [
    Path(awaited, policy, outcome)
    for awaited in (False, True)
    for policy in ("streak", "window of 100")
    for outcome in ("success", "failure", "rejection")
]

# One call in 50 succeeds, because a breaker that is to stay closed cannot be shown failures alone: 100 of the last 100
# calls reach every rate.
_succeeds = itertools.cycle([True] + 49 * [False])


def succeed() -> int:
    return 1


def fail() -> int:
    if next(_succeeds):
        return 1
    raise ProviderError


async def succeed_awaited() -> int:
    return 1


async def fail_awaited() -> int:
    if next(_succeeds):
        return 1
    raise ProviderError
