"""Transitions of all breakers in one order, for clients that follow them as server-sent events."""

import secrets
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any
from weakref import WeakKeyDictionary

from halfopen.breaker import CircuitBreaker
from halfopen.status import Event


class EventLog:
    """The newest transitions, each with an id that a client sends back as ``Last-Event-ID``.

    It asks the breakers when a client does. It adds no listeners, because a registry never evicts a breaker that has
    one. An id holds the log's own random part: an id of another process, or of this one before a restart, is unknown
    here, and its client receives everything that is kept.
    """

    def __init__(self, breakers: Callable[[], Iterable[CircuitBreaker]], bound: int) -> None:
        self._breakers = breakers
        self._kept: deque[tuple[int, dict[str, Any]]] = deque(maxlen=bound)
        self._read: WeakKeyDictionary[CircuitBreaker, int] = WeakKeyDictionary()
        self._last = 0
        self._origin = secrets.token_hex(4)

    def after(self, last_id: str | None) -> list[tuple[str, dict[str, Any]]]:
        """The transitions after that id, oldest first, with their own ids; all that are kept if it is unknown."""
        self._collect()
        number = self._number(last_id)
        return [(f"{self._origin}-{kept}", event) for kept, event in self._kept if kept > number]

    def _collect(self) -> None:
        fresh: list[tuple[CircuitBreaker, Event]] = []
        for breaker in self._breakers():
            events = breaker.events(self._read.get(breaker, 0))
            if events:
                self._read[breaker] = events[-1].sequence
                fresh += [(breaker, event) for event in events]
        fresh.sort(key=lambda pair: pair[1].at)
        for breaker, event in fresh:
            self._last += 1
            labels = {"circuit": breaker.name, "provider_id": breaker.provider_id}
            self._kept.append((self._last, {**labels, **asdict(event)}))

    def _number(self, last_id: str | None) -> int:
        origin, _, number = (last_id or "").partition("-")
        return int(number) if origin == self._origin and number.isdecimal() else 0
