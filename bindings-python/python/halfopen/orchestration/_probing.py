"""Calls of a breaker that are made inside an orchestrator's probe of it share the probe's permit."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from halfopen._core import Attempt

R = TypeVar("R")


async def inside(attempt: Attempt, work: Callable[[], Awaitable[R]]) -> R:
    """Awaits ``work`` as a part of the attempt, which may be a probe."""
    attempt.enter()
    try:
        return await work()
    finally:
        attempt.leave_context()
