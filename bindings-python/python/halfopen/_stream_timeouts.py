"""Cuts off async streams whose next item does not come in time, in asyncio and in trio."""

import sys
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol
from weakref import ref

from halfopen._core import Wait
from halfopen._deadline import for_running_task
from halfopen.errors import CallTimeoutError


class Watch(Protocol):
    """Cuts off the waits of one stream. The time between two waits belongs to the consumer and does not count."""

    def begin(self) -> None:
        """The consumer waits for an item."""

    def end(self, has_content: bool, /) -> None:
        """An item came, or the end; ``has_content`` says whether an item that counts has come."""

    def fail(self, error: BaseException, /) -> None:
        """The wait raised this. Raises ``CallTimeoutError`` if the watch cut it off."""

    def close(self) -> None:
        """The stream has ended."""

    def abandon(self) -> None:
        """The stream was dropped before its end, maybe in another thread."""


@dataclass(slots=True, eq=False)
class StreamTimeouts:
    """The timeouts of every stream of one breaker."""

    circuit_name: str
    first_item_seconds: float | None
    idle_seconds: float | None

    def start(self) -> Watch:
        """A watch for a stream that the running task consumes."""
        watch: Watch = for_running_task(self, _AsyncioWatch, _TrioWatch, "timeouts of streams need")
        return watch

    def error(self, has_content: bool) -> CallTimeoutError:
        """The error of a stream whose next item did not come in time."""
        if self.first_item_seconds is not None and not has_content:
            return CallTimeoutError(self.circuit_name, self.first_item_seconds, "first_item_timeout_seconds")
        return CallTimeoutError(self.circuit_name, self.idle_seconds or 0.0, "idle_timeout_seconds")


class _Waits:
    """Knows how long the next wait may take."""

    __slots__ = ("_first_item_left", "_has_content", "_idle", "_timeouts")

    def __init__(self, timeouts: StreamTimeouts) -> None:
        self._timeouts = timeouts
        self._has_content = False
        self._first_item_left = timeouts.first_item_seconds
        self._idle = inf if timeouts.idle_seconds is None else timeouts.idle_seconds

    def _allowed(self) -> float:
        return self._idle if self._has_content or self._first_item_left is None else self._first_item_left

    def passed(self, waited: float, has_content: bool, /) -> None:
        """A wait took this many seconds; ``has_content`` says whether an item that counts has come.

        The core calls it until one has.
        """
        self._has_content = has_content
        # Items that are not content do not extend the wait for the first one that is.
        if not has_content and self._first_item_left is not None:
            self._first_item_left -= waited


class _AsyncioWatch(_Waits):
    """One timer for all waits of a stream. If it fires in a later wait than the one it was set for, it is set again.

    Streams of the compiled core note their waits in ``wait`` themselves, and call neither ``begin`` nor ``end``.
    """

    __slots__ = (
        "__weakref__",
        "_asyncio",
        "_cancelling",
        "_expired_wait",
        "_loop",
        "_task",
        "_timed_wait",
        "_timer",
        "wait",
    )

    def __init__(self, timeouts: StreamTimeouts, asyncio: Any) -> None:
        super().__init__(timeouts)
        self._asyncio = asyncio
        self._loop = asyncio.get_running_loop()
        # In Python 3.11 `current_task` is a Python function, which takes 80 ns where the dictionary takes 25.
        tasks = asyncio.tasks._current_tasks if sys.version_info < (3, 12) else None
        self.wait = Wait(self._loop, asyncio.current_task, tasks)
        self._timer: Any = None
        self._timed_wait: int | None = None
        self._expired_wait: int | None = None
        self._task: Any = None
        self._cancelling = 0

    def begin(self) -> None:
        if self.wait.begin():
            self.arm()

    def end(self, has_content: bool, /) -> None:
        if self.wait.end():
            self.recovered()
        if not self._has_content:
            self.passed(self.wait.waited(), has_content)

    def arm(self) -> None:
        """The consumer waits and no timer is set."""
        self.wait.timed(True)
        left = self._allowed() - self.wait.waited()
        if left < inf:
            self._timed_wait = self.wait.number
            self._timer = self._loop.call_later(left, _check, ref(self))

    def check(self) -> None:
        """The timer has fired."""
        wait, self._timer = self.wait, None
        wait.timed(False)
        number = wait.number
        if number is None:
            return
        # If it is still the wait that the timer was set for, the event loop has measured it, and its clock may be a
        # test's.
        if number != self._timed_wait and wait.waited() < self._allowed():
            wait.look()
            self.arm()
            return
        if number != self._expired_wait:
            # A scope of anyio around the consumer that expires in the same turn of the loop must cancel the task first,
            # because it does not cancel one that others have just cancelled.
            self._expired_wait = number
            wait.timed(True)
            self._timer = self._loop.call_soon(_check, ref(self))
            return
        self._task, self._cancelling = wait.expire()
        self._task.cancel()

    def passed(self, waited: float, has_content: bool, /) -> None:
        super().passed(waited, has_content)
        if has_content:
            # Another timeout applies from now on.
            self._disarm()

    def recovered(self) -> None:
        """The stream yielded an item or ended although it was cut off."""
        self._is_ours()

    def fail(self, error: BaseException, /) -> None:
        self.wait.end()
        if self._task is not None and self._is_ours() and isinstance(error, self._asyncio.CancelledError):
            raise self._timeouts.error(self._has_content) from error

    def close(self) -> None:
        self.wait.forget_task()
        self._disarm()

    def abandon(self) -> None:
        # A timer is left to fire without effect in two cases: if its loop runs in another thread, and if the garbage
        # collector has cleared this watch, which was part of a reference cycle.
        asyncio = getattr(self, "_asyncio", None)
        if asyncio is not None and asyncio._get_running_loop() is self._loop:
            self.close()

    def _is_ours(self) -> bool:
        """Takes our cancellation back, as ``asyncio.timeout`` does; false if the task was also cancelled otherwise."""
        task, self._task = self._task, None
        others: int = task.uncancel()
        return others <= self._cancelling

    def _disarm(self) -> None:
        self.wait.timed(False)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _check(watch: "ref[_AsyncioWatch]") -> None:
    alive = watch()
    if alive is not None:
        alive.check()


class _TrioWatch(_Waits):
    """A cancel scope for each wait."""

    __slots__ = ("_begun", "_scope", "_trio")

    def __init__(self, timeouts: StreamTimeouts, trio: Any) -> None:
        super().__init__(timeouts)
        self._trio = trio
        self._begun = 0.0

    # Scopes nest, so one of ours must be entered before those of the stream.
    def begin(self) -> None:
        self._begun = self._trio.current_time()
        self._scope: Any = self._trio.CancelScope(deadline=self._begun + self._allowed())
        self._scope.__enter__()

    def end(self, has_content: bool, /) -> None:
        self._scope.__exit__(None, None, None)
        self.passed(self._trio.current_time() - self._begun, has_content)

    def fail(self, error: BaseException, /) -> None:
        self._scope.__exit__(type(error), error, error.__traceback__)
        if self._scope.cancelled_caught:
            raise self._timeouts.error(self._has_content) from error

    def close(self) -> None:
        pass

    def abandon(self) -> None:
        pass
