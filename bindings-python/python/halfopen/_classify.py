"""Combines a breaker's own classification rules with the default ones."""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, cast, get_args

from halfopen._arguments import check_functions, exception_types
from halfopen._core import is_hint
from halfopen._error_rules import classify_error, group_in, members_of, worst
from halfopen._result_rules import as_verdict, verdict_of_result
from halfopen.classify import every_exception_is_a_failure, every_result_is_a_success
from halfopen.errors import CallTimeoutError, InvalidValueError
from halfopen.types import Classifier, ExceptionTypes, Judge, Outcome, Verdict

_log = logging.getLogger("halfopen")
_OUTCOMES = get_args(Outcome)


class FailureByDefault:
    """A classifier without the default rules: an exception for which ``classify`` has no answer is a failure."""

    __slots__ = ("classify",)

    def __init__(self, classify: Classifier) -> None:
        check_functions(None, classify, None)
        self.classify = classify

    def __call__(self, error: Exception) -> Outcome | Verdict:
        """Classifies an exception."""
        return self.classify(error) or every_exception_is_a_failure(error)


class Rules(NamedTuple):
    """The rules of a breaker, for its guards."""

    of_error: Callable[[Any], Outcome | Verdict | None]
    """Classifies exceptions: an orchestrator needs the whole verdict."""
    of_result: Judge
    """Classifies results: guards of HTTP clients judge responses before their bodies have ended."""
    own_verdict: Callable[[BaseException], Outcome | Verdict | None]
    """Classifies errors by ``classify``, ``ignore`` and ``count`` only."""
    judges_all: bool = False
    """Whether it looks at results of every class."""
    counts_every_error: bool = False
    """Whether the default rules are off: an error reported inside a stream is a failure whatever its code."""

    def for_core(self) -> tuple[Callable[[Any], Any] | None, Callable[[Any], Any] | None, bool]:
        """The classifier, the judge and whether that sees every class. Without a function, the core calls none."""
        of_error = None if self.of_error is every_exception_is_a_failure else self.of_error
        return of_error, None if self.of_result is every_result_is_a_success else self.of_result, self.judges_all


def rules_of(classify: Classifier | None, judge: Judge | None, ignore: ExceptionTypes, count: ExceptionTypes) -> Rules:
    """The rules for these arguments of a breaker."""
    ignored, counted = exception_types("ignore", ignore), exception_types("count", count)
    for kind in ignored:
        if kind in counted:
            raise InvalidValueError("ignore", kind.__qualname__, "types that are not in count")
    if classify is None and judge is None and not ignored and not counted:
        return _DEFAULT
    otherwise: Callable[[BaseException], Outcome | Verdict] = classify_error
    counts_every_error = classify is every_exception_is_a_failure
    if isinstance(classify, FailureByDefault):
        classify, otherwise, counts_every_error = classify.classify, _failure_by_default, True
    own = _OwnRules(classify, judge, ignored, counted, otherwise)
    of_error: Callable[[Any], Outcome | Verdict | None] = own.error
    of_result: Judge = own.result
    if not ignored and not counted and (classify is None or classify is every_exception_is_a_failure):
        of_error = classify or classify_error
    if judge is None or judge is every_result_is_a_success:
        of_result = judge or verdict_of_result
    return Rules(of_error, of_result, own.own_verdict, judge is not None, counts_every_error)


def _no_verdict(_error: BaseException) -> None:
    """Leaves every exception to the default rules."""


# Most breakers have no rules of their own, and objects for them would take 400 bytes.
_DEFAULT = Rules(classify_error, verdict_of_result, _no_verdict)


def _failure_by_default(error: BaseException) -> Outcome:
    return every_exception_is_a_failure(error) if isinstance(error, Exception) else "cancelled"


def _named_by(error: BaseException) -> tuple[type, ...]:
    """The types by which ``ignore`` and ``count`` name an error, the nearest first."""
    types = type(error).__mro__
    # Python closes an abandoned coroutine or generator with it, which a rule for a base such as `BaseException` should
    # not match.
    if isinstance(error, GeneratorExit):
        return types[: types.index(GeneratorExit) + 1]
    # The breaker's own timeout is not an error of the operating system, although a `TimeoutError` is an `OSError`.
    if isinstance(error, CallTimeoutError):
        return types[: types.index(TimeoutError) + 1]
    # A group is judged by its members, unless its own class is named.
    if isinstance(error, BaseExceptionGroup):
        return tuple(kind for kind in types if kind not in (Exception, BaseException))
    return types


@dataclass(slots=True, eq=False)
class _OwnRules:
    """The rules of one breaker.

    A mistake of a function that it was given is logged once: a provider that is down would otherwise fill the log.
    """

    classify: Classifier | None
    judge: Judge | None
    ignore: tuple[type[BaseException], ...]
    count: tuple[type[BaseException], ...]
    otherwise: Callable[[BaseException], Outcome | Verdict]
    """Classifies an error that no other rule matches."""
    logged: frozenset[str] = frozenset()
    """The functions whose mistake has been logged."""

    def error(self, error: BaseException) -> Outcome | Verdict:
        """Classifies an exception."""
        # As in `_classified`. Two more calls in Python would make an ignored exception a tenth slower.
        if self.classify is not None and isinstance(error, Exception):
            answer = self._ask("classify", self.classify, error)
            if answer is not None:
                return answer
        return self._without_classify(error) or self.otherwise(error)

    def own_verdict(self, error: BaseException) -> Outcome | Verdict | None:
        """The verdict on an exception without the default rules; ``None`` leaves it to them."""
        return self._classified(error) or self._without_classify(error)

    def _classified(self, error: BaseException) -> Outcome | Verdict | None:
        """The verdict of ``classify``."""
        if self.classify is not None and isinstance(error, Exception):
            return self._ask("classify", self.classify, error)
        return None

    def _without_classify(self, error: BaseException) -> Outcome | Verdict | None:
        """The verdict of ``ignore`` and ``count``, and on the members of a group."""
        named = self._named(error)
        if named is not None:
            return named
        group = group_in(error)
        return None if group is None else self._verdict_on_members(group)

    def _named(self, error: BaseException) -> Outcome | None:
        if self.ignore or self.count:
            for kind in _named_by(error):
                if kind in self.count:
                    return "failure"
                if kind in self.ignore:
                    return "ignored"
        return None

    def _verdict_on_members(self, group: BaseExceptionGroup[BaseException]) -> Verdict | None:
        if not (self.classify or self.ignore or self.count):
            return None
        members = list(members_of(group, lambda inner: self._named(inner) is not None))
        verdicts: list[Outcome | Verdict | None] = [self._classified(it) or self._named(it) for it in members]
        if not any(verdicts):
            return None
        both = zip(members, verdicts, strict=True)
        return worst([as_verdict(verdict or self.otherwise(member)) for member, verdict in both])

    def result(self, result: object) -> Outcome | Verdict:
        """Classifies a result."""
        answer = None if self.judge is None else self._ask("judge", self.judge, result)
        return answer or verdict_of_result(result) or "success"

    def _ask(self, name: str, function: Any, argument: object) -> Outcome | Verdict | None:
        """Calls the user's function.

        Returns ``None``, so that the other rules decide, if it raises or returns no outcome. An outcome with a hint
        that the core refuses counts without the hint.
        """
        # Log types only: the text of an exception or a result may contain a secret.
        try:
            answer: Any = function(argument)
        except Exception as fault:
            self._warn(name, f"raised {type(fault)} for {type(argument)}; the other rules decide")
            return None
        if isinstance(answer, str) and answer in _OUTCOMES:
            return cast("Outcome", answer)
        if answer is None:
            return None
        if isinstance(answer, Verdict) and answer.outcome in _OUTCOMES:
            if is_hint(answer.retry_after):
                return answer
            self._warn(name, f"returned an invalid retry_after for {type(argument)}; the outcome counts without it")
            return answer.outcome
        self._warn(name, f"returned no outcome but {type(answer)} for {type(argument)}; the other rules decide")
        return None

    def _warn(self, name: str, mistake: str) -> None:
        if name in self.logged:
            return
        self.logged |= {name}
        # Logging may fail, for example at interpreter exit. The caller must still get the error of its call.
        with suppress(Exception):
            _log.warning("%s= %s (logged once for this breaker)", name, mistake)
