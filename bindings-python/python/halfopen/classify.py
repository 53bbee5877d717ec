"""Classifies exceptions and results: the default rules of every breaker, for use in your own.

``docs/classification.md`` lists the rules. Nothing here imports a client library: exceptions and responses are
recognised by the names of their classes and judged by their attributes, never by their text.

>>> from halfopen.classify import classify_response
>>> classify_response(429, {"retry-after": "20"})
Verdict(outcome='ignored', retry_after=None, scope='key_and_model', cooldown=20.0)
"""

from collections.abc import Iterable, Mapping
from time import time

from halfopen._arguments import check_text, check_whole_number, checked_number, refused
from halfopen._core import classify_response as core_classify_response
from halfopen._error_rules import classify_error, is_rejection
from halfopen._result_rules import classify_result, pairs_of
from halfopen.types import Classifier, Judge, Outcome, Scope, Verdict

__all__ = [
    "Classifier",
    "Judge",
    "Scope",
    "Verdict",
    "classify_error",
    "classify_response",
    "classify_result",
    "every_exception_is_a_failure",
    "every_result_is_a_success",
]


def classify_response(
    status: int,
    headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
    *,
    code: str | None = None,
    now: float | None = None,
) -> Verdict:
    """Classifies an HTTP response.

    ``status`` is 0 if there is none. ``code`` is the provider's own code for the error, for example
    ``insufficient_quota``. ``now`` is the time for headers that give a date, by default ``time.time()``.

    Raises ``InvalidValueError``, naming the argument, for a value of another type, a status outside 0 to 65535 or a
    time before 1970.
    """
    seconds = time() if now is None else now
    check_whole_number("status", status, 0, 65535)
    check_text("code", code)
    checked_number("now", seconds, 2**53, "seconds since the Unix epoch, at least 0")
    return Verdict(*core_classify_response(status, code, _checked_pairs(headers), seconds))


def every_exception_is_a_failure(error: Exception) -> Outcome:
    """A classifier without the default rules: a failure, unless a circuit rejected the call."""
    return "ignored" if is_rejection(error) else "failure"


def every_result_is_a_success(_: object) -> Outcome:
    """A judge without the default rules."""
    return "success"


def _checked_pairs(headers: object) -> list[tuple[str, str]]:
    try:
        return pairs_of(headers)
    except (TypeError, ValueError):
        raise refused("headers", headers, "a mapping, or pairs of a name and a value") from None
