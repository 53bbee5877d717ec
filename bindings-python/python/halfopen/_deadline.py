"""Cuts off coroutines after ``call_timeout_seconds``, in asyncio and in trio."""

import sys
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any

from halfopen.errors import CallTimeoutError


class Deadline:
    """The deadline of every call of one breaker."""

    __slots__ = ("_circuit_name", "seconds")

    def __init__(self, circuit_name: str, seconds: float) -> None:
        self._circuit_name = circuit_name
        self.seconds = seconds

    def start(self) -> AbstractAsyncContextManager[None]:
        """A scope for the running task, which raises ``CallTimeoutError`` when the time is over.

        Cancellation from outside, also by a deadline around the call, passes through unchanged.
        """
        # Whatever runs the task is imported already. Trio comes first, because it may run as a guest of asyncio.
        trio = sys.modules.get("trio")
        if trio is not None and trio.lowlevel.in_trio_task():
            return _TrioScope(self, trio)
        asyncio = sys.modules.get("asyncio")
        if asyncio is not None and asyncio._get_running_loop() is not None and asyncio.current_task() is not None:
            return _AsyncioScope(self, asyncio)
        raise RuntimeError("call_timeout_seconds needs a task of asyncio or trio; no such task is running")

    def error(self) -> CallTimeoutError:
        """The error of a call that took too long."""
        return CallTimeoutError(self._circuit_name, self.seconds)


class _AsyncioScope:
    """``asyncio.timeout``, with our error. It counts cancellations, so it knows its own from those of others."""

    __slots__ = ("_deadline", "_timeout")

    def __init__(self, deadline: Deadline, asyncio: Any) -> None:
        self._deadline = deadline
        self._timeout = asyncio.timeout(deadline.seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            raise self._deadline.error() from error


class _TrioScope:
    """A cancel scope of trio, with our error."""

    __slots__ = ("_deadline", "_scope")

    def __init__(self, deadline: Deadline, trio: Any) -> None:
        self._deadline = deadline
        self._scope = trio.move_on_after(deadline.seconds)

    async def __aenter__(self) -> None:
        self._scope.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        is_handled: bool | None = self._scope.__exit__(kind, error, trace)
        if self._scope.cancelled_caught:
            raise self._deadline.error() from error
        return bool(is_handled)
