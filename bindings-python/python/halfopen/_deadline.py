"""Cuts off coroutines after ``call_timeout_seconds``, in asyncio and in trio."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from halfopen.errors import CallTimeoutError


class Scope(Protocol):
    """An async context manager that raises ``CallTimeoutError`` when the time is over."""

    async def __aenter__(self) -> None: ...
    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None: ...
    def lift(self) -> bool:
        """Lifts the deadline; false if it has expired."""
        ...


def for_running_task(owner: object, in_asyncio: Callable[..., Any], in_trio: Callable[..., Any], needs: str) -> Any:
    """Makes an object with the function for the async library that runs this task."""
    # A library that runs a task is imported already. Trio comes first, because it may run as a guest of asyncio.
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_task():
        return in_trio(owner, trio)
    asyncio = sys.modules.get("asyncio")
    if asyncio is not None and asyncio._get_running_loop() is not None and asyncio.current_task() is not None:
        return in_asyncio(owner, asyncio)
    raise RuntimeError(f"{needs} a task of asyncio or trio; no such task is running")


@dataclass(slots=True, eq=False)
class Deadline:
    """The deadline of every call of one breaker."""

    circuit_name: str
    seconds: float

    def start(self) -> Scope:
        """A scope for the running task. Cancellation from outside, also by a deadline around it, passes unchanged."""
        scope: Scope = for_running_task(self, _AsyncioScope, _TrioScope, "call_timeout_seconds needs")
        return scope

    def error(self) -> CallTimeoutError:
        """The error of a call that took too long."""
        return CallTimeoutError(self.circuit_name, self.seconds)


class _AsyncioScope:
    """``asyncio.timeout``, with our error. It counts cancellations, so it knows its own from those of others."""

    __slots__ = ("_deadline", "_timeout")

    def __init__(self, deadline: Deadline, asyncio: Any) -> None:
        self._deadline = deadline
        self._timeout = asyncio.timeout(deadline.seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            await self._timeout.__aexit__(kind, error, trace)
        except TimeoutError:
            # asyncio does not know the scopes of anyio, and anyio cancels no task that was just cancelled by others.
            lowlevel = sys.modules.get("anyio.lowlevel")
            if lowlevel is not None:
                await lowlevel.checkpoint_if_cancelled()
            raise self._deadline.error() from error

    def lift(self) -> bool:
        if self._timeout.expired():
            return False
        self._timeout.reschedule(None)
        return True


class _TrioScope:
    """A cancel scope of trio, with our error."""

    __slots__ = ("_deadline", "_scope")

    def __init__(self, deadline: Deadline, trio: Any) -> None:
        self._deadline = deadline
        self._scope = trio.move_on_after(deadline.seconds)

    async def __aenter__(self) -> None:
        self._scope.__enter__()

    async def __aexit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._scope.__exit__(kind, error, trace)
        if self._scope.cancelled_caught:
            raise self._deadline.error() from error

    def lift(self) -> bool:
        if self._scope.cancel_called:
            return False
        self._scope.deadline = inf
        return True
