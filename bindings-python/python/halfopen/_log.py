"""The log of all breakers: the logger ``halfopen``.

A record has a sentence for people, and its facts once more as flat extra fields that begin with ``halfopen_``. It never
holds the text of an exception, which may contain secrets.
"""

import atexit
import logging
from contextlib import suppress
from typing import Any

from halfopen._core import set_log
from halfopen.types import Cause, RawEvent, Reason

LOG = logging.getLogger("halfopen")

_CAUSES: dict[Cause, str] = {
    "consecutive_failures": "consecutive failures reached their threshold",
    "failure_rate": "the failure rate reached its threshold",
    "slow_call_rate": "the rate of slow calls reached its threshold",
    "timeout_elapsed": "the wait is over and a probe was admitted",
    "probes_succeeded": "its probes succeeded",
    "probe_failed": "a probe failed",
    "probe_slow": "a probe was slow",
    "forced": "an operator forced it open",
    "reset": "an operator reset it",
    "disabled": "an operator disabled it",
}
_FACTS = ("from_state", "to_state", "cause", "generation", "consecutive_failures", "retry_after_seconds")


def extra(event: str, **facts: Any) -> dict[str, Any]:
    """The extra fields of a record: what happened, and its facts, without those that are unknown."""
    known = {"event": event, **facts}
    return {f"halfopen_{name}": value for name, value in known.items() if value is not None}


def facts_of(name: str, provider: str, event: RawEvent) -> dict[str, Any]:
    """The facts of a transition, for a record."""
    values: dict[str, Any] = {**event}
    return {"circuit": name, "provider": provider, **{fact: values[fact] for fact in _FACTS}}


def describe(name: str, provider: str, event: RawEvent) -> str:
    """A sentence about a transition."""
    state, retry_after = event["to_state"].replace("_", "-"), event["retry_after_seconds"]
    wait = "" if retry_after is None else f"; the next probe is in {retry_after:,.1f} s"
    return f"circuit {name!r} of provider {provider!r} is {state}: {_CAUSES[event['cause']]}{wait}"


# As `Logger.log`, but without the lock of `logging`. A signal handler that raises (Ctrl-C, a time limit) could leave it
# locked, and then every thread that logs would hang.


def is_enabled(level: int) -> bool:
    """Whether a record of this level would be written."""
    return not LOG.disabled and LOG.manager.disable < level >= LOG.getEffectiveLevel()


def write(level: int, event: str, message: str, facts: dict[str, Any]) -> None:
    """Writes a record with these facts as its extra fields. The message may name them, as in ``%(circuit)r``."""
    LOG.handle(LOG.makeRecord(LOG.name, level, __file__, 0, message, (facts,), None, extra=extra(event, **facts)))


def escaped(text: str) -> str:
    """A text as a part of a message that names facts."""
    return text.replace("%", "%%")


class WarnOnce:
    """Logs a warning once: a mistake that each call repeats would fill the log."""

    __slots__ = ("_is_done",)

    def __init__(self) -> None:
        self._is_done = False

    def __call__(self, message: str, *parts: object) -> None:
        """Logs the first one. Texts of exceptions must not be among the parts, because they may contain secrets."""
        if not self._is_done:
            self._is_done = True
            # Logging may fail, for example at interpreter exit.
            with suppress(Exception):
                LOG.warning(message, *parts)


class _BreakerLog:
    def changed(self, name: str, provider: str, event: RawEvent, /) -> None:
        level = logging.WARNING if event["to_state"] == "open" else logging.INFO
        if not is_enabled(level):
            return
        write(level, "transition", escaped(describe(name, provider, event)), facts_of(name, provider, event))

    def rejected(self, name: str, provider: str, reason: Reason, retry_after: float | None, count: int, /) -> None:
        if not is_enabled(logging.INFO):
            return
        message = (
            "circuit %(circuit)r of provider %(provider)r has rejected %(rejected_calls)d calls since the last such"
            " record (%(reason)s)"
        )
        facts = {"circuit": name, "provider": provider, "reason": reason, "rejected_calls": count}
        write(logging.INFO, "rejections", message, {**facts, "retry_after_seconds": retry_after})


# Without a handler, Python would print warnings to stderr; with logging configured, the records go to its handlers.
LOG.addHandler(logging.NullHandler())
set_log(_BreakerLog())
# Breakers work to the last moment of the interpreter, but the standard library does not.
atexit.register(set_log, None)
