"""Calls of a breaker that are made inside a probe of it share its permit, also where an orchestrator sent the probe."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from halfopen._core import Attempt

R = TypeVar("R")


async def inside(attempt: Attempt, work: Callable[[], Awaitable[R]]) -> R:
    """Awaits ``work`` as a part of the probe that the attempt is."""
    attempt.enter()
    try:
        return await work()
    finally:
        attempt.leave_context()
