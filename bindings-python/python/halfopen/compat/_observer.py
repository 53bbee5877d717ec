"""Writes the metrics and the log of one breaker, and makes its errors."""

from collections import deque
from sys import exception, is_finalizing
from typing import Any
from weakref import finalize, ref

from halfopen.breaker import CircuitBreaker as NativeBreaker

# The functions and not their modules, which are empty at the end of interpreter exit.
from halfopen.compat._config import native_of
from halfopen.compat._error import CircuitBreakerOpenError
from halfopen.compat._log import log_change, log_construction, log_failure, log_rejection
from halfopen.compat._metric_writers import Labels, count_call, leave, set_state, settle_call, transition
from halfopen.compat._write_queue import WRITES
from halfopen.status import Event
from halfopen.types import Outcome, Reason, State


class BreakerObserver:
    """Observes the native breaker, which keeps this object alive; the reference back is weak."""

    def __init__(self, config: Any, provider_id: str, breaker: NativeBreaker) -> None:
        self.config = config
        self.provider_id = provider_id
        self._breaker = ref(breaker)
        self._labels: Labels = (config.name, provider_id)
        self._applied = self._copy_of_fields()
        self._in_force = breaker.config
        self._announced: State = "closed"
        self._unlogged: deque[Event] = deque()
        self._key = object()
        self._write_state()
        breaker._observe(self)
        breaker._keep_own_log()
        breaker.subscribe(self._changed)
        # `_gone` only appends to the queue: garbage collection may run while a lock of the metrics is held.
        # At interpreter exit it is not needed, and `finalize` no longer works.
        if not is_finalizing():
            finalize(breaker, self._gone).atexit = False
        log_construction(self.config.name, provider_id)

    # Called by the native breaker.

    def admitted(self) -> None:
        """A call was admitted."""
        self.follow_if_changed()
        WRITES.write(count_call, self._labels, "attempted")
        if self._unlogged:
            self._log_changes()

    def rejected(self, retry_after: float | None, reason: Reason) -> CircuitBreakerOpenError:
        """A call was rejected; returns the error for the caller."""
        WRITES.write(count_call, self._labels, "rejected")
        # Only the native breaker can be held open without an end. Callers of this interface still expect a number.
        seconds = float(self.config.timeout_seconds) if retry_after is None else retry_after
        log_rejection(self.config.name, seconds)
        return CircuitBreakerOpenError(self.config.name, seconds, reason)

    def settled(self, outcome: Outcome, seconds: float | None) -> None:
        """A call ended."""
        if outcome in ("success", "failure"):
            WRITES.write(settle_call, self._labels, outcome, seconds)
        if outcome == "failure":
            breaker = self._breaker()
            # If the breaker is garbage and makes the call in its destructor, the weak reference is already empty.
            in_a_row = breaker._read_status()["consecutive_failures"] if breaker else None
            log_failure(self.config.name, exception(), in_a_row)
        if self._unlogged:
            self._log_changes()

    # Called by the breaker of this interface.

    def config_in_force(self) -> Any:
        """The object that was passed in, unless the native breaker was reconfigured since, for example by a route."""
        breaker = self._breaker()
        return self.config if breaker is None or breaker.config is self._in_force else breaker.config

    def follow_if_changed(self) -> None:
        """Reconfigures the breaker if a field of the configuration was assigned."""
        if self._fields() != self._applied:
            self.follow()

    def follow(self) -> None:
        """Reconfigures the breaker with the present configuration object and its fields."""
        fields = self._copy_of_fields()
        breaker = self._breaker()
        if breaker is None:
            return
        try:
            breaker.reconfigure(native_of(self.config))
            self._in_force = breaker.config
        finally:
            self._applied = fields
        self.relabel()

    def relabel(self) -> None:
        """Uses the present name and provider as labels from now on."""
        labels = (self.config.name, self.provider_id)
        if labels != self._labels:
            WRITES.add(leave, self._labels, self._key)
            self._labels = labels
            self._write_state()

    def restored(self, state: State) -> None:
        """A snapshot was restored, which no event announces. The gauge shows open until a probe is admitted."""
        entered: State = "open" if state == "half_open" else state
        self._announced = entered
        self._write_state()

    def _changed(self, event: Event) -> None:
        left: State = event.from_state.value
        entered: State = event.to_state.value
        self._announced = entered
        WRITES.add(transition, self._labels, left, entered)
        self._write_state()
        self._unlogged.append(event)
        if event.cause in ("forced", "reset", "disabled"):
            self._log_changes()

    def _gone(self) -> None:
        WRITES.add(leave, self._labels, self._key)

    def _write_state(self) -> None:
        WRITES.add(set_state, self._labels, self._key, self._announced)
        WRITES.write_all()

    def _log_changes(self) -> None:
        """Runs after the log record of the failure that caused the changes."""
        while self._unlogged:
            log_change(self.config.name, self._unlogged.popleft())

    def _fields(self) -> dict[str, Any] | None:
        """The attributes of the configuration; ``None`` for the core's, which is immutable."""
        fields: dict[str, Any] | None = getattr(self.config, "__dict__", None)
        return fields

    def _copy_of_fields(self) -> dict[str, Any] | None:
        # Only pydantic's `validate_assignment` replaces the dictionary; any other assignment writes into it.
        fields = self._fields()
        return None if fields is None else {**fields}
