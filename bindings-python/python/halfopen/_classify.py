"""Asks a classifier about an exception, and survives a classifier that fails."""

import logging
from collections.abc import Callable
from contextlib import suppress

from halfopen.types import Outcome

Classifier = Callable[[Exception], Outcome]
"""A function that returns the outcome of a call that raised this exception."""

_log = logging.getLogger("halfopen")
_OUTCOMES = frozenset(("success", "failure", "ignored", "cancelled"))


def classified(classify: Classifier, error: Exception) -> Outcome:
    """The classifier's outcome for an exception; a failure if the classifier raises or returns anything else."""
    try:
        outcome = classify(error)
    except Exception as fault:
        # Log types only: the text of an exception may contain a secret.
        _warn("a classifier raised %s for %s; counted as a failure", type(fault), type(error))
        return "failure"
    if isinstance(outcome, str) and outcome in _OUTCOMES:  # pyright: ignore[reportUnnecessaryIsInstance]
        return outcome
    _warn("a classifier returned no outcome for %s; counted as a failure", type(error))
    return "failure"


def _warn(message: str, *classes: type) -> None:
    # Logging may fail, for example at interpreter exit. The caller must still get the error of its call.
    with suppress(Exception):
        _log.warning(message, *classes)
