"""The records of an orchestrator on the logger ``halfopen``.

An outage moves every call. So the first record of a kind is written at once, and then at most one a minute, with the
number of events since. A record has no id of a session, which may be personal, and no text of an exception.
"""

import logging
from collections.abc import Callable
from typing import Any, Literal

from halfopen._core import report_unraisable
from halfopen._fork import Lock
from halfopen._log import LOG, escaped, is_enabled, write
from halfopen.orchestration._errors import AllProvidersFailed
from halfopen.orchestration._events import SwitchCause
from halfopen.types import Scope

INTERVAL_SECONDS = 60.0
Moved = Literal["call", "stream", "session"]


class ProviderLog:
    """The records of one orchestrator; ``now`` returns seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # By the kind of an event: when its last record was written, and the number of events since. The keys consist of
        # declared providers and of fixed words, so there are few.
        self._kinds: dict[tuple[str, ...], tuple[float, int]] = {}
        self._lock = Lock()

    def switched(self, moved: Moved, old: str, new: str, cause: SwitchCause) -> None:
        """A call, a stream or a session moved to another provider."""
        facts = {"moved": moved, "from_provider": old, "to_provider": new, "cause": cause}
        message = (
            "%(switches)d %(moved)s(s) moved from provider %(from_provider)r to %(to_provider)r since the last such"
            " record (%(cause)s)"
        )
        self._record(logging.INFO, ("switch", moved, old, new, cause), "switches", message, facts)

    def cools_down(self, provider: str, scope: Scope, seconds: float) -> None:
        """A provider, its key or its model cools down."""
        facts = {"provider": provider, "scope": scope, "cooldown_seconds": seconds}
        message = (
            "provider %(provider)r cools down for %(cooldown_seconds).1f s (%(scope)s); %(cooldowns)d cooldown(s) since"
            " the last such record"
        )
        self._record(logging.INFO, ("cooldown", provider, scope), "cooldowns", message, facts)

    def failed(self, error: AllProvidersFailed, attempts: int) -> None:
        """No provider answered a call."""
        facts = {
            "ended_by": error.ended_by,
            "attempts": attempts,
            "seconds": error.seconds,
            "retry_after_seconds": error.retry_after,
        }
        # The error's own text names the types of the providers' errors, and not their texts.
        message = f"{escaped(error.message)}; %(failed_calls)d such call(s) since the last such record"
        self._record(logging.WARNING, ("call_failed", error.ended_by), "failed_calls", message, facts)

    def broke(self, provider: str, error: Exception) -> None:
        """A stream broke after its first content, and nothing continued it."""
        facts = {"provider": provider, "error": type(error).__name__}
        message = (
            "%(broken_streams)d stream(s) of provider %(provider)r broke since the last such record, and nothing"
            " continued them (%(error)s)"
        )
        self._record(logging.WARNING, ("stream_broken", provider), "broken_streams", message, facts)

    def _record(self, level: int, kind: tuple[str, ...], counted: str, message: str, facts: dict[str, Any]) -> None:
        """Writes a record if one is due, with the number of events since the last one as the fact ``counted``."""
        count = self._due(level, kind)
        if count:
            # Outside of the lock: a handler may run any code.
            try:
                write(level, kind[0], message, {**facts, counted: count})
            except Exception as fault:
                report_unraisable(fault, LOG)

    def _due(self, level: int, kind: tuple[str, ...]) -> int:
        """The events of a kind since its last record, with this one; 0 if no record is due."""
        if not is_enabled(level):
            return 0
        now = self._now()
        with self._lock.current:
            written, count = self._kinds.get(kind, (None, 0))
            count += 1
            if written is not None and now - written < INTERVAL_SECONDS:
                self._kinds[kind] = (written, count)
                return 0
            self._kinds[kind] = (now, 0)
            return count
