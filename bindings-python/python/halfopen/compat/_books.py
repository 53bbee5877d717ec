"""Keeps the metrics and the log of one breaker, and makes its errors: the observer of the breaker underneath."""

import sys
from collections import deque
from typing import Any
from weakref import finalize, ref

from halfopen.breaker import CircuitBreaker as NativeBreaker
from halfopen.compat import _log
from halfopen.compat import _series as series
from halfopen.compat._config import native_of
from halfopen.compat._error import CircuitBreakerOpenError
from halfopen.compat._ledger import LEDGER
from halfopen.status import Event
from halfopen.vocabulary import Outcome, Reason, State


class Books:
    """The breaker underneath keeps it alive, and not the other way round."""

    def __init__(self, config: Any, provider_id: str, breaker: NativeBreaker) -> None:
        self.config = config
        self.provider_id = provider_id
        self._breaker = ref(breaker)
        self._labels: series.Labels = (config.name, provider_id)
        self._applied = self._fields()
        self._announced: State = "closed"
        self._unlogged: deque[Event] = deque()
        self._key = object()
        self._stand()
        breaker.observe(self)
        breaker.subscribe(self._changed)
        # Only put in line: who collects garbage may hold a lock of the metrics.
        finalize(breaker, self._gone).atexit = False
        _log.made(self.config.name, provider_id)

    # What the breaker underneath tells.

    def admitted(self) -> None:
        """A call has been admitted."""
        self.follow_if_changed()
        LEDGER.write(series.count, self._labels, "attempted")
        if self._unlogged:
            self._log_changes()

    def rejected(self, retry_after: float | None, reason: Reason) -> CircuitBreakerOpenError:
        """A call has been rejected; returns the error for the caller."""
        LEDGER.write(series.count, self._labels, "rejected")
        # Held without end, which only the breaker underneath can be: still a number, for whoever calculates with it.
        seconds = float(self.config.timeout_seconds) if retry_after is None else retry_after
        _log.rejected(self.config.name, seconds)
        return CircuitBreakerOpenError(self.config.name, seconds, reason)

    def settled(self, outcome: Outcome, seconds: float | None) -> None:
        """A call has ended."""
        if outcome in ("success", "failure"):
            LEDGER.write(series.settle, self._labels, outcome, seconds)
        if outcome == "failure":
            breaker = self._breaker()
            in_a_row = breaker.read_status()["consecutive_failures"] if breaker else 0
            _log.failed(self.config.name, sys.exception(), in_a_row)
        if self._unlogged:
            self._log_changes()

    # What the owner tells.

    def follow_if_changed(self) -> None:
        """Puts fields of the configuration in force that have been assigned."""
        if self._fields() != self._applied:
            self.follow()

    def follow(self) -> None:
        """Puts the configuration in force as it stands now: another object, or one of whose fields was assigned."""
        fields = self._fields()
        breaker = self._breaker()
        if breaker is None:
            return
        try:
            breaker.reconfigure(native_of(self.config))
        finally:
            self._applied = fields
        self.relabel()

    def relabel(self) -> None:
        """Writes under the present name and provider from now on."""
        labels = (self.config.name, self.provider_id)
        if labels != self._labels:
            LEDGER.add(series.leave, self._labels, self._key)
            self._labels = labels
            self._stand()

    def restored(self, state: State) -> None:
        """The breaker goes on in this state, which nobody announces; open where its wait is over, until it is asked."""
        entered: State = "open" if state == "half_open" else state
        self._announced = entered
        self._stand()

    def _changed(self, event: Event) -> None:
        left: State = event.from_state.value
        entered: State = event.to_state.value
        self._announced = entered
        LEDGER.add(series.transition, self._labels, left, entered)
        self._stand()
        self._unlogged.append(event)
        if event.cause in ("forced", "reset", "disabled"):
            self._log_changes()

    def _gone(self) -> None:
        LEDGER.add(series.leave, self._labels, self._key)

    def _stand(self) -> None:
        LEDGER.add(series.stand, self._labels, self._key, self._announced)
        LEDGER.write_all()

    def _log_changes(self) -> None:
        """After the failure that led to them, as one reads a log."""
        while self._unlogged:
            _log.changed(self.config.name, self._unlogged.popleft())

    def _fields(self) -> dict[str, Any] | None:
        """Those of a model, which can be assigned; the core's own configuration never changes."""
        fields: dict[str, Any] | None = getattr(self.config, "__dict__", None)
        return fields
