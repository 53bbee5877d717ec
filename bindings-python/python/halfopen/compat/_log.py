"""The log records of the replaced module. They name the class of an exception, never its text."""

import logging
from collections.abc import Callable
from functools import wraps
from sys import is_finalizing
from typing import Any, ParamSpec, TypeAlias

from halfopen._arguments import refused
from halfopen._core import report_unraisable
from halfopen.status import Event
from halfopen.types import Cause

P = ParamSpec("P")

_THRESHOLDS: dict[Cause, str] = {
    "consecutive_failures": "the number of consecutive failures",
    "failure_rate": "the failure rate",
    "slow_call_rate": "the rate of slow calls",
}
"""Descriptions of the causes that open a circuit automatically."""

Logger: TypeAlias = logging.Logger | logging.LoggerAdapter[Any]

_logger: Logger = logging.getLogger("app.patterns.circuit_breaker")


def set_logger(logger: Logger | str) -> None:
    """Sets the logger of all breakers of this module, as a logger, an adapter or a name.

    Raises ``InvalidValueError`` for anything else, and for an empty name, which would mean the root logger.
    """
    global _logger  # noqa: PLW0603 (one per process, as in the replaced module)
    if not isinstance(logger, logging.Logger | logging.LoggerAdapter | str) or logger == "":  # pyright: ignore[reportUnnecessaryIsInstance]
        raise refused("logger", logger, "a logger, a LoggerAdapter or the name of a logger, which is not empty")
    _logger = logging.getLogger(logger) if isinstance(logger, str) else logger


def _harmless(write: Callable[P, None]) -> Callable[P, None]:
    """Reports an exception of a user's logger or filter, so that it affects no call."""

    @wraps(write)
    def written(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            write(*args, **kwargs)
        except Exception as fault:
            # At interpreter exit, logging itself may have ended.
            if not is_finalizing():
                report_unraisable(fault, _logger)

    return written


@_harmless
def log_construction(name: str, provider_id: str) -> None:
    """A breaker was constructed."""
    _logger.info("Circuit breaker '%s' for provider '%s' initialized", name, provider_id)


@_harmless
def log_failure(name: str, error: BaseException | None, in_a_row: int | None) -> None:
    """A call failed."""
    kind = "no exception" if error is None else type(error).__name__
    if in_a_row is None:
        _logger.warning("Circuit breaker '%s': call failed with %s", name, kind)
    else:
        _logger.warning("Circuit breaker '%s': call failed with %s, %d in a row", name, kind, in_a_row)


@_harmless
def log_rejection(name: str, retry_after: float) -> None:
    """A call was rejected."""
    _logger.debug("Circuit breaker '%s' rejected a call, retry after %.1f seconds", name, retry_after)


@_harmless
def log_change(name: str, event: Event) -> None:
    """The state changed."""
    _logger.info("Circuit breaker '%s': %s -> %s", name, event.from_state.value, event.to_state.value)
    if event.cause in _THRESHOLDS:
        text = "Circuit breaker '%s' OPENED: %s reached its threshold, with %d failures in a row"
        _logger.error(text, name, _THRESHOLDS[event.cause], event.consecutive_failures)
    elif event.cause == "probes_succeeded":
        _logger.info("Circuit breaker '%s' recovered", name)


@_harmless
def log_forced_opening(name: str, seconds: float) -> None:
    """An operator opened the circuit."""
    _logger.info("Circuit breaker '%s' manually opened for %.1f seconds", name, seconds)


@_harmless
def log_reset(name: str) -> None:
    """An operator closed the circuit."""
    _logger.info("Circuit breaker '%s' manually reset", name)
