"""The measured paths: the policy, sync or async, and the outcome of the call."""

import itertools
from dataclasses import dataclass
from typing import Literal

DAY = 24 * 60 * 60
"""Longer than the benchmark, so no circuit changes its state by time."""
NEVER = 10**9
"""More consecutive failures than ever occur."""


class ProviderError(Exception):
    """The error of the guarded function."""


@dataclass(frozen=True)
class Path:
    awaited: bool
    policy: Literal["streak", "window of 100"]
    outcome: Literal["success", "failure", "rejection"]

    def __str__(self) -> str:
        return f"{'async' if self.awaited else 'sync'}, {self.policy}, {self.outcome}"

    @property
    def opens(self) -> bool:
        """Whether the first failures open the circuit permanently."""
        return self.outcome == "rejection"

    @property
    def failures(self) -> int:
        """The failure threshold."""
        return 1 if self.opens else NEVER


PATHS = [
    Path(awaited, policy, outcome)
    for awaited in (False, True)
    for policy in ("streak", "window of 100")
    for outcome in ("success", "failure", "rejection")
]

# One call in 50 succeeds to keep the circuit closed, because 100 failures in the last 100 calls reach every rate.
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
