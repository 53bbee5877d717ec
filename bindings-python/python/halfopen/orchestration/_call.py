"""A call that returns one result."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, TypeVar

from halfopen._arguments import refused
from halfopen._core import Attempt, is_awaitable
from halfopen.errors import CallTimeoutError
from halfopen.orchestration._probing import inside
from halfopen.orchestration._run import Run
from halfopen.types import TimeoutName

R = TypeVar("R")
_AWAITABLE = "a function that returns an awaitable, so that the call can be cut off and cancelled"
_NO_STREAM = "a function that returns one result: Orchestrator.stream takes functions that return a stream"


class CallRun(Run[R]):
    """A call of a function that returns an awaitable."""

    is_stream = False

    async def answered(self) -> tuple[Attempt, R]:
        """Makes the call; returns the attempt that succeeded, and its result."""
        attempt, result = await self.obtain()
        self.succeeded(attempt)
        return attempt, result

    async def once(self, attempt: Attempt) -> R:
        """Makes one attempt within its timeout and the deadline of the call."""
        seconds, limit = self._timeout(attempt)
        if seconds is None:
            return await self._called(attempt)
        scope = asyncio.timeout(seconds)
        try:
            async with scope:
                return await self._called(attempt)
        except TimeoutError as error:
            if scope.expired():
                raise CallTimeoutError(self.breaker_of(attempt).name, seconds, limit) from error
            raise

    async def _called(self, attempt: Attempt) -> R:
        if attempt.shares_permit:
            return await inside(attempt, lambda: self._answer(attempt))
        return await self._answer(attempt)

    async def _answer(self, attempt: Attempt) -> R:
        awaitable = self.called(attempt)
        if not is_awaitable(awaitable):
            is_stream = isinstance(awaitable, AsyncIterator)
            # It is the user's mistake, and says nothing about the provider.
            self.cancelled(attempt)
            raise refused("func", self._func, _NO_STREAM if is_stream else _AWAITABLE)
        result: R = await awaitable
        return result

    def _timeout(self, attempt: Attempt) -> tuple[float | None, TimeoutName]:
        """The shortest timeout, and its name."""
        seconds, limit = self.breaker_of(attempt).call_timeout_seconds, "call_timeout_seconds"
        if seconds is None:
            seconds, limit = self.engine.settings.attempt_timeout_seconds, "attempt_timeout_seconds"
        left = self.left()
        if left is not None and (seconds is None or left < seconds):
            return left, "deadline_seconds"
        name: Any = limit
        return seconds, name
