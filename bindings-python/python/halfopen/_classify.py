"""What a breaker makes of the exceptions and results of its calls: its own rules, and otherwise the default ones."""

import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any, cast

from halfopen._arguments import exception_types
from halfopen._error_rules import classify_error
from halfopen._result_rules import verdict_of_result
from halfopen.classify import every_exception_is_a_failure, every_result_is_a_success
from halfopen.errors import InvalidValueError
from halfopen.types import Classifier, ExceptionTypes, Judge, Outcome, Verdict

_log = logging.getLogger("halfopen")
_OUTCOMES = frozenset(("success", "failure", "ignored", "cancelled"))


def rules_of(
    classify: Classifier | None, judge: Judge | None, ignore: ExceptionTypes, count: ExceptionTypes
) -> tuple[Callable[..., Any] | None, Callable[..., Any] | None, bool]:
    """What the compiled breaker asks about exceptions and about results, and whether about results of every class.

    Without a function for exceptions, each is a failure except a rejection; without one for results, each is a success.
    """
    ignored, counted = exception_types("ignore", ignore), exception_types("count", count)
    for kind in ignored:
        if kind in counted:
            raise InvalidValueError("ignore", kind.__qualname__, "types that are not in count")
    rules = _Rules(classify, judge, ignored, counted)
    of_error: Callable[..., Any] | None = rules.error
    if not ignored and not counted:
        if classify is None:
            of_error = classify_error
        elif classify is every_exception_is_a_failure:
            of_error = None
    if judge is None:
        return of_error, verdict_of_result, False
    return of_error, None if judge is every_result_is_a_success else rules.result, True


class _Rules:
    """The rules of one breaker.

    A mistake of a function that it was given is logged once: a provider that is down would otherwise fill the log.
    """

    __slots__ = ("_classify", "_count", "_ignore", "_judge", "_logged")

    def __init__(
        self,
        classify: Classifier | None,
        judge: Judge | None,
        ignore: tuple[type[BaseException], ...],
        count: tuple[type[BaseException], ...],
    ) -> None:
        self._classify = classify
        self._judge = judge
        self._ignore = ignore
        self._count = count
        self._logged: set[str] = set()

    def error(self, error: BaseException) -> Outcome | Verdict:
        """What an exception means."""
        if self._classify is not None and isinstance(error, Exception):
            answer = self._ask("classify", self._classify, error)
            if answer is not None:
                return answer
        if self._ignore or self._count:
            for kind in type(error).__mro__:
                if kind in self._count:
                    return "failure"
                if kind in self._ignore:
                    return "ignored"
        return classify_error(error)

    def result(self, result: object) -> Outcome | Verdict:
        """What a result means."""
        answer = None if self._judge is None else self._ask("judge", self._judge, result)
        return answer or verdict_of_result(result) or "success"

    def _ask(self, name: str, function: Any, argument: object) -> Outcome | Verdict | None:
        """The answer of the user's function; ``None``, for the default rules, if it is none or no outcome."""
        # Log types only: the text of an exception or a result may contain a secret.
        try:
            answer: Any = function(argument)
        except Exception as fault:
            self._warn(name, "raised", type(fault), type(argument))
            return None
        if answer is None or _is_outcome(answer):
            outcome: Outcome | Verdict | None = answer
            return outcome
        self._warn(name, "returned no outcome but", type(cast("object", answer)), type(argument))
        return None

    def _warn(self, name: str, did: str, what: type, argument: type) -> None:
        if name in self._logged:
            return
        self._logged.add(name)
        message = "%s= %s %s for %s; the default rules decide (logged once for this breaker)"
        # Logging may fail, for example at interpreter exit. The caller must still get the error of its call.
        with suppress(Exception):
            _log.warning(message, name, did, what, argument)


def _is_outcome(answer: Any) -> bool:
    if isinstance(answer, Verdict):
        wait: Any = answer.retry_after
        is_wait = wait is None or (isinstance(wait, int | float) and 0 <= wait < float("inf"))
        return answer.outcome in _OUTCOMES and is_wait
    return isinstance(answer, str) and answer in _OUTCOMES
