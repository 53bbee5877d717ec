"""The records of an orchestrator on the logger ``halfopen``.

An outage moves every call. So the first record of a kind is written at once, and then at most one a minute, with the
number of events since. A record has no id of a session, which may be personal, and no text of an exception.
"""

import logging
from collections.abc import Callable
from typing import Any, Literal

from halfopen._core import report_unraisable
from halfopen._fork import Lock
from halfopen._log import LOG, extra, is_enabled, write
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
        count = self._due(logging.INFO, "switch", moved, old, new, cause)
        if count:
            facts = extra("switch", moved=moved, from_provider=old, to_provider=new, cause=cause, switches=count)
            message = "%d %s(s) moved from provider %r to %r since the last such record (%s)"
            self._write(logging.INFO, message, count, moved, old, new, cause, facts=facts)

    def cools_down(self, provider: str, scope: Scope, seconds: float) -> None:
        """A provider, its key or its model rests."""
        count = self._due(logging.INFO, "cooldown", provider, scope)
        if count:
            facts = extra("cooldown", provider=provider, scope=scope, cooldown_seconds=seconds, cooldowns=count)
            message = "provider %r rests for %.1f s (%s); %d cooldown(s) since the last such record"
            self._write(logging.INFO, message, provider, seconds, scope, count, facts=facts)

    def failed(self, error: AllProvidersFailed, attempts: int) -> None:
        """No provider answered a call."""
        count = self._due(logging.WARNING, "call_failed", error.ended_by)
        if count:
            facts = extra(
                "call_failed",
                ended_by=error.ended_by,
                attempts=attempts,
                seconds=error.seconds,
                retry_after_seconds=error.retry_after,
                failed_calls=count,
            )
            # The error's own text names the types of the providers' errors, and not their texts.
            message = "%s; %d such call(s) since the last such record"
            self._write(logging.WARNING, message, error.message, count, facts=facts)

    def broke(self, provider: str, error: Exception) -> None:
        """A stream broke after its first content, and nothing continued it."""
        name = type(error).__name__
        count = self._due(logging.WARNING, "stream_broken", provider)
        if count:
            facts = extra("stream_broken", provider=provider, error=name, broken_streams=count)
            message = "%d stream(s) of provider %r broke since the last such record, and nothing continued them (%s)"
            self._write(logging.WARNING, message, count, provider, name, facts=facts)

    def _due(self, level: int, *kind: str) -> int:
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

    def _write(self, level: int, message: str, *arguments: object, facts: dict[str, Any]) -> None:
        # Outside of the lock: a handler may run any code.
        try:
            write(level, message, *arguments, facts=facts)
        except Exception as fault:
            report_unraisable(fault, LOG)
