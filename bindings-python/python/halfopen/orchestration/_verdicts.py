"""The meaning of an attempt's end: for the breaker, and for whether another provider is asked.

The table stands in ``docs/orchestration.md``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from inspect import iscoroutinefunction
from typing import Any, Literal, NamedTuple

from halfopen._core import report_unraisable
from halfopen._error_rules import classify_error, is_rejection
from halfopen._library_errors import codes_in
from halfopen._names import names_of
from halfopen._result_rules import as_verdict, get
from halfopen.breaker import CircuitBreaker
from halfopen.orchestration._errors import FailedResultError, ReportedError
from halfopen.types import Verdict

Next = Literal["no", "if_replayable", "at_once", "larger"]
"""Whether another provider is asked: never; if the call may be made again; always; only one with a larger limit."""

_TOO_LARGE_CODES = frozenset(
    (
        "context_length_exceeded",  # OpenAI and Azure, and many servers with their protocol
        "string_above_max_length",  # OpenAI
        "request_too_large",  # Anthropic
        "exceed_context_size_error",  # llama.cpp
    )
)
_CONTENT_TOO_LARGE = 413
_TIMEOUTS = frozenset(
    (
        "builtins.TimeoutError",
        "httpx.TimeoutException",
        "httpx2.TimeoutException",
        "openai.APITimeoutError",
        "anthropic.APITimeoutError",
        "requests.exceptions.Timeout",
        "botocore.exceptions.ReadTimeoutError",
        "botocore.exceptions.ConnectTimeoutError",
    )
)


class Judgement(NamedTuple):
    """The verdict on an attempt, and what follows from it."""

    verdict: Verdict
    next: Next
    is_timeout: bool

    @property
    def move_after(self) -> Literal["refusal", "failure", "timeout"]:
        """The reason for a further attempt, on which its price in the budget depends."""
        if self.verdict.outcome != "failure":
            return "refusal"
        return "timeout" if self.is_timeout else "failure"


@dataclass(slots=True, eq=False)
class Rules:
    """The user's functions that decide beside the table."""

    is_too_large: Callable[[Exception], bool] | None
    next_after: Callable[[Exception], bool] | None

    def judge(self, breaker: CircuitBreaker, error: BaseException) -> Judgement:
        """Judges an exception."""
        if isinstance(error, ReportedError):
            verdict = error.verdict
        elif isinstance(error, Exception):
            verdict = as_verdict(breaker._rules.of_error(error))
        else:
            verdict = as_verdict(breaker._rules.own_verdict(error) or classify_error(error))
        return Judgement(verdict, self._next(verdict, error), is_timeout(error))

    def judge_result(self, breaker: CircuitBreaker, error: FailedResultError) -> Judgement:
        """Judges a result, for example a response with an error status."""
        verdict = as_verdict(breaker._rules.of_result(error.result))
        return Judgement(verdict, self._next(verdict, error), is_timeout=False)

    def _next(self, verdict: Verdict, error: BaseException) -> Next:
        match verdict.outcome:
            case "failure":
                return "if_replayable"
            case "ignored" if verdict.scope is not None:
                # The provider has refused the request without working on it.
                return "at_once"
            case "ignored" if isinstance(error, Exception):
                return self._next_after_ignored(error)
            case _:
                return "no"

    def _next_after_ignored(self, error: Exception) -> Next:
        if is_rejection(error):
            return "at_once"
        if is_too_large_by_code(error) or _says(self.is_too_large, error):
            return "larger"
        return "at_once" if _says(self.next_after, error) else "no"


def _says(function: Callable[[Exception], bool] | None, error: Exception) -> bool:
    """The answer of the user's function; false if it raises, so that the attempt still ends with its own error."""
    try:
        return function is not None and bool(function(error))
    except Exception as fault:
        report_unraisable(fault, function)
        return False


def is_timeout(error: BaseException) -> bool:
    """Whether a call was cut off because it took too long; the provider may still be working on it."""
    return any(name in _TIMEOUTS for name in names_of(type(error)))


def is_too_large_by_code(error: Exception) -> bool:
    """Whether a provider refused a request because it is too large: status 413, or the error code that says so."""
    if isinstance(error, ReportedError):
        return _has_code([get(error.error, "code"), get(error.error, "type")])
    status = getattr(error, "status_code", None)
    response: Any = getattr(error, "response", None)
    if _CONTENT_TOO_LARGE in (status, getattr(response, "status_code", None)):
        return True
    candidates = [getattr(error, "code", None), getattr(error, "type", None), *codes_in(getattr(error, "body", None))]
    if response is not None:
        candidates += codes_in(_json_of(response))
    return _has_code(candidates)


def _has_code(candidates: Iterable[object]) -> bool:
    return any(isinstance(code, str) and code in _TOO_LARGE_CODES for code in candidates)


def _json_of(response: Any) -> object:
    """The body of a response that has been read, if it is JSON."""
    # The method of aiohttp's responses is a coroutine function.
    if iscoroutinefunction(getattr(response, "json", None)):
        return None
    try:
        return response.json()
    except Exception:
        return None
