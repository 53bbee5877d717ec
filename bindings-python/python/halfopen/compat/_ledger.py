"""What is to be written to the metrics, one entry at a time and in order, whichever thread made it.

The locks of ``prometheus_client`` are not re-entrant: a destructor or a signal handler that wrote while its own thread
was writing would wait for ever. So an entry is put in line first, and whoever finds nobody writing writes.
"""

import logging
import os
from collections import deque
from collections.abc import Callable
from time import sleep
from typing import Any

_log = logging.getLogger("halfopen")


class Ledger:
    """A queue of entries, and the turn to write them, which one caller has at a time."""

    # A signal handler may raise after any function call: an interrupt, or a time limit of Celery's. So taking the turn
    # and noting who has it is one step, and giving it back takes no call.

    def __init__(self) -> None:
        self._entries: deque[tuple[Callable[..., object], tuple[Any, ...]]] = deque()
        self._turn: dict[str, object] = {}
        self._fork: object = None
        self._has_failed = False

    def add(self, write: Callable[..., object], *args: Any) -> None:
        """Puts an entry in line, for the next one who writes. An interrupted one is written again."""
        self._entries.append((write, args))

    def write(self, write: Callable[..., object], *args: Any) -> None:
        """Writes an entry, and what is in line before it; where somebody is writing, it is for them to do."""
        me = object()
        try:
            if self._entries or self._turn.setdefault("whose", me) is not me:
                self._entries.append((write, args))
            else:
                self._attempt(write, args)
        finally:
            turn = {**self._turn}
            if "whose" in turn and turn["whose"] is me:
                del self._turn["whose"]
        if self._entries:
            self.write_all()

    def write_all(self) -> None:
        """Writes what is in line, unless somebody is writing, who will see it, too."""
        me = object()
        while self._entries:
            try:
                if self._turn.setdefault("whose", me) is not me:
                    return
                while self._entries:
                    self._attempt(*self._entries[0])
                    self._entries.popleft()
            finally:
                turn = {**self._turn}
                if "whose" in turn and turn["whose"] is me:
                    del self._turn["whose"]

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
        self._fork = object()
        for _ in range(1000):
            if self._turn.setdefault("whose", self._fork) is self._fork:
                return
            sleep(0.001)

    def after_fork_in_parent(self) -> None:
        """Lets others write again."""
        if self._turn.get("whose") is self._fork:
            del self._turn["whose"]

    def after_fork_in_child(self) -> None:
        """Starts anew: what was in line is the parent's."""
        self._entries.clear()
        self._turn.clear()


LEDGER = Ledger()
os.register_at_fork(
    before=LEDGER.before_fork,
    after_in_parent=LEDGER.after_fork_in_parent,
    after_in_child=LEDGER.after_fork_in_child,
)
