"""Cuts off async streams whose next item does not come in time, in asyncio and in trio."""

from math import inf
from typing import Any, ClassVar, Protocol

from halfopen._deadline import for_running_task
from halfopen.errors import CallTimeoutError


class Watch(Protocol):
    """Watches the waits of one stream. The time between two waits belongs to the consumer and does not count."""

    is_eager: ClassVar[bool]
    """Whether it needs to know of a wait before its first step, and not only of one that suspends the task."""

    def begin(self, waited: float = 0.0, /) -> None:
        """The consumer waits for an item, since this many seconds."""

    def end(self, has_content: bool, /) -> None:
        """An item came, or the end; ``has_content`` says whether an item that counts has come."""

    def passed(self, waited: float, has_content: bool, /) -> None:
        """The same for a wait without ``begin``, which took this many seconds and did not suspend the task."""

    def fail(self, error: BaseException, /) -> None:
        """The wait raised this. Raises ``CallTimeoutError`` if the watch cut it off."""

    def close(self) -> None:
        """The stream has ended."""


class StreamTimeouts:
    """The timeouts of every stream of one breaker."""

    __slots__ = ("_circuit_name", "first_item_seconds", "idle_seconds")

    def __init__(self, circuit_name: str, first_item_seconds: float | None, idle_seconds: float | None) -> None:
        self._circuit_name = circuit_name
        self.first_item_seconds = first_item_seconds
        self.idle_seconds = idle_seconds

    def start(self) -> Watch:
        """A watch for a stream that the running task consumes."""
        watch: Watch = for_running_task(self, _AsyncioWatch, _TrioWatch, "timeouts of streams need")
        return watch

    def error(self, has_content: bool) -> CallTimeoutError:
        """The error of a stream whose next item did not come in time."""
        if self.first_item_seconds is not None and not has_content:
            return CallTimeoutError(self._circuit_name, self.first_item_seconds, "first_item_timeout_seconds")
        return CallTimeoutError(self._circuit_name, self.idle_seconds or 0.0, "idle_timeout_seconds")


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
        self._has_content = has_content
        # Items that are not content do not extend the wait for the first one that is.
        if not has_content and self._first_item_left is not None:
            self._first_item_left -= waited


class _AsyncioWatch(_Waits):
    """One timer for all waits of a stream: most waits only move the time at which they are overdue."""

    is_eager: ClassVar[bool] = False
    __slots__ = (
        "_armed",
        "_asyncio",
        "_begun",
        "_cancelling",
        "_current_task",
        "_due",
        "_expired",
        "_loop",
        "_task",
        "_time",
        "_timer",
    )

    def __init__(self, timeouts: StreamTimeouts, asyncio: Any) -> None:
        super().__init__(timeouts)
        self._asyncio = asyncio
        self._loop = loop = asyncio.get_running_loop()
        self._time = loop.time
        self._current_task = asyncio.current_task
        self._task: Any = None
        self._expired: Any = None
        self._timer: Any = None
        self._armed = inf
        self._due = inf
        self._begun = 0.0
        self._cancelling = 0

    def begin(self, waited: float = 0.0, /) -> None:
        allowed = self._idle if self._has_content else self._allowed()
        self._begun = begun = self._time() - waited
        self._due = due = begun + allowed
        self._task = task = self._current_task(self._loop)
        self._cancelling = task.cancelling()
        if due < self._armed:
            self._arm()

    def end(self, has_content: bool, /) -> None:
        self._task = None
        if self._expired is not None:
            # The stream came with an item although it was cancelled.
            self._is_ours()
        if not self._has_content:
            self.passed(self._time() - self._begun, has_content)

    def fail(self, error: BaseException, /) -> None:
        self._task = None
        if self._expired is not None and self._is_ours() and isinstance(error, self._asyncio.CancelledError):
            raise self._timeouts.error(self._has_content) from error

    def close(self) -> None:
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _is_ours(self) -> bool:
        """Takes our cancellation back, as ``asyncio.timeout`` does; false if the task was also cancelled otherwise."""
        task, self._expired = self._expired, None
        others: int = task.uncancel()
        return others <= self._cancelling

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._armed = self._due
        self._timer = self._loop.call_at(self._due, self._check)

    def _check(self) -> None:
        self._timer = None
        self._armed = inf
        if self._task is None:
            return
        if self._time() < self._due:
            self._arm()
            return
        self._expired = self._task
        self._task.cancel()


class _TrioWatch(_Waits):
    """A cancel scope for each wait."""

    # Scopes nest, so one of ours must be entered before those of the stream.
    is_eager: ClassVar[bool] = True
    __slots__ = ("_begun", "_scope", "_trio")

    def __init__(self, timeouts: StreamTimeouts, trio: Any) -> None:
        super().__init__(timeouts)
        self._trio = trio
        self._begun = 0.0

    def begin(self, waited: float = 0.0, /) -> None:
        self._begun = self._trio.current_time() - waited
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
