"""What is to be written to the metrics, one entry at a time and in order, whichever thread made it.

The locks of ``prometheus_client`` are not re-entrant: a destructor or a signal handler that wrote while its own thread
was writing would wait for ever. So an entry is put in line first, and whoever finds nobody writing writes.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_log = logging.getLogger("halfopen")


class Ledger:
    """A line of entries, and the lock of the one who writes them."""

    def __init__(self) -> None:
        self._entries: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._writing = threading.Lock()
        self._held_for_a_fork = False
        self._has_failed = False

    def add(self, write: Callable[..., object], *args: Any) -> None:
        """Puts an entry in line, for the next one who writes."""
        self._entries.append((write, args))

    def write(self, write: Callable[..., object], *args: Any) -> None:
        """Writes an entry, and what is in line before it; where somebody is writing, it is for them to do."""
        if self._entries or not self._writing.acquire(blocking=False):
            self._entries.append((write, args))
        else:
            try:
                self._attempt(write, args)
            finally:
                self._writing.release()
        if self._entries:
            self.write_all()

    def write_all(self) -> None:
        """Writes what is in line, unless somebody is writing, who will see it, too."""
        while self._entries and self._writing.acquire(blocking=False):
            try:
                while self._entries:
                    self._attempt(*self._entries.popleft())
            finally:
                self._writing.release()

    def _attempt(self, write: Callable[..., object], args: tuple[Any, ...]) -> None:
        try:
            write(*args)
        except Exception as fault:
            # Once: a metrics back-end that is broken stays broken, and is met at each call.
            if not self._has_failed:
                self._has_failed = True
                _log.warning("the metrics of circuit breakers cannot be written: %s", type(fault).__name__)

    def before_fork(self) -> None:
        """Waits, though not for ever, until nobody writes, so that a child inherits no lock that is held."""
        self._held_for_a_fork = self._writing.acquire(timeout=1)

    def after_fork_in_parent(self) -> None:
        """Lets others write again."""
        if self._held_for_a_fork:
            self._writing.release()

    def after_fork_in_child(self) -> None:
        """Starts anew: what was in line is the parent's."""
        self._entries.clear()
        self._writing = threading.Lock()


LEDGER = Ledger()
os.register_at_fork(
    before=LEDGER.before_fork,
    after_in_parent=LEDGER.after_fork_in_parent,
    after_in_child=LEDGER.after_fork_in_child,
)
