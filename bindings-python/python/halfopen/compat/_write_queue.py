"""Writes to the metrics, one at a time and in order, from any thread.

The locks of ``prometheus_client`` are not re-entrant: a destructor or a signal handler that writes while its thread is
writing would deadlock. So writes go through a queue, and one caller at a time writes.
"""

from collections import deque
from collections.abc import Callable
from time import sleep
from typing import Any

from halfopen._fork import at_fork
from halfopen._log import WarnOnce

MOST_WAITING = 10_000
"""The length of the queue above which callers pause. Without a pause, busy threads would add writes faster than one
caller performs them, and that caller would never return."""


class WriteQueue:
    """A queue of writes, and a lock that one caller at a time takes without waiting."""

    # A signal handler may raise after any function call, for example at a time limit of Celery. So one call both takes
    # the lock and records its owner, and releasing it needs no call.

    def __init__(self) -> None:
        self._entries: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._lock: dict[str, object] = {}
        self._fork: object = None
        self._warn = WarnOnce()

    def add(self, write: Callable[..., object], *args: Any) -> None:
        """Appends a write to the queue, for the next caller that writes. An interrupted write is repeated."""
        self._entries.append((write, args))

    def write(self, write: Callable[..., object], *args: Any) -> None:
        """Performs a write after all queued ones; if another caller is writing, appends it to the queue."""
        me = object()
        try:
            if self._entries or self._lock.setdefault("owner", me) is not me:
                self._entries.append((write, args))
            else:
                self._attempt(write, args)
        finally:
            turn = {**self._lock}
            if "owner" in turn and turn["owner"] is me:
                del self._lock["owner"]
        if self._entries:
            self.write_all()

    def write_all(self) -> None:
        """Performs the queued writes, unless another caller is already doing so."""
        me = object()
        while self._entries:
            try:
                if self._lock.setdefault("owner", me) is not me:
                    if len(self._entries) > MOST_WAITING:
                        # Not until the queue is shorter: the caller that writes may be further down this very stack.
                        sleep(0.0001)
                    return
                while self._entries:
                    self._attempt(*self._entries[0])
                    self._entries.popleft()
            finally:
                turn = {**self._lock}
                if "owner" in turn and turn["owner"] is me:
                    del self._lock["owner"]

    def _attempt(self, write: Callable[..., object], args: tuple[Any, ...]) -> None:
        try:
            write(*args)
        except Exception as fault:
            self._warn("the metrics of circuit breakers cannot be written: %s", type(fault).__name__)

    def before_fork(self) -> None:
        """Waits for at most about a second until no write runs, so that the child inherits no held lock."""
        self._fork = object()
        for _ in range(1000):
            if self._lock.setdefault("owner", self._fork) is self._fork:
                return
            sleep(0.001)

    def after_fork_in_parent(self) -> None:
        """Releases the lock."""
        if self._lock.get("owner") is self._fork:
            del self._lock["owner"]

    def after_fork_in_child(self) -> None:
        """Clears the queue, which belongs to the parent, and the lock."""
        self._entries.clear()
        self._lock.clear()


WRITES = WriteQueue()
at_fork(
    before=WRITES.before_fork, after_in_parent=WRITES.after_fork_in_parent, after_in_child=WRITES.after_fork_in_child
)
