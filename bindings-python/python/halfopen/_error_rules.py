"""The default rules for exceptions."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from operator import attrgetter
from typing import Any, cast

from halfopen._core import add_plain_error
from halfopen._library_errors import CANCELLED, FAILURE, IGNORED, RULES, Rule, by_status_code
from halfopen._names import names_of
from halfopen._result_rules import is_response
from halfopen.errors import CircuitBreakerOpenError
from halfopen.types import Verdict

# From best to worst.
_OUTCOMES = ("success", "ignored", "cancelled", "failure")
# More classes than a program raises through its breakers; classes made at run time must not fill the memory.
_RULES_KEPT = 1024
# More members of a group, and more causes in a row, than anybody raises on purpose.
_MEMBERS_JUDGED = 1000
_CAUSES_FOLLOWED = 8

_rules: dict[type, Rule] = {}


def classify_error(error: BaseException) -> Verdict:
    """Classifies an exception.

    A failure, unless the rules say otherwise. An exception that is not an ``Exception`` means that the caller gave up
    (``cancelled``), except the timeouts of gevent and eventlet. The worst member of an exception group counts.
    """
    # The two rules of nearly all exceptions, before the general way, which takes four times as long.
    rule = _rules.get(type(error))
    try:
        if rule is FAILURE or (rule is by_status_code and getattr(error, "status_code", None) is None):
            return FAILURE
    except Exception:
        # The attribute is a property that raises.
        return FAILURE
    return rule if isinstance(rule, Verdict) else _classify(error, 0)


def is_rejection(error: BaseException) -> bool:
    """Whether it is the rejection of a call by a circuit, or a group of nothing else."""
    group = group_in(error)
    members = [error] if group is None else members_of(group)
    return all(isinstance(member, CircuitBreakerOpenError) for member in members)


def has_only_members_of(group: BaseExceptionGroup[BaseException], error: BaseException) -> bool:
    """Whether each member of the group is this error, or a member of it if it is a group too."""
    inner = group_in(error)
    own = {id(member) for member in ([error] if inner is None else members_of(inner))}
    return all(id(member) in own for member in members_of(group))


def failures_in(error: BaseException) -> list[tuple[object, ...]]:
    """The members of a group, or the error itself; each as a tuple of the objects that identify a failure.

    The error of an SDK holds the response or the request that a guarded client has counted.
    """
    group = group_in(error)
    return [_known_by(member) for member in ([error] if group is None else members_of(group))]


def _known_by(error: BaseException) -> tuple[object, ...]:
    kind = type(error)
    if kind.__module__ == "builtins":
        return (error,)
    known: list[object] = [error]
    holders: list[Callable[[Any], object]] = [*_HELD_BY_ANY, *(_HELD_BY[it] for it in names_of(kind) if it in _HELD_BY)]
    for held in holders:
        # An attribute may be a property that raises.
        with suppress(Exception):
            known.append(held(error))
    return tuple(it for it in known if it is not None)


_HELD_BY_ANY = (attrgetter("response"), attrgetter("request"), attrgetter("request_info"))
_HELD_BY: dict[str, Callable[[Any], object]] = {
    "google.genai.errors.APIError": attrgetter("response.response_stream"),
    # The error of urllib3 with which a body broke off.
    "requests.exceptions.RequestException": lambda error: error.args[0],
    # Errors of an orchestrator around an error or a result that the breaker of a provider has counted already.
    "halfopen.orchestration._errors.StreamBrokenError": attrgetter("__cause__"),
    "halfopen.orchestration._errors.FailedResultError": attrgetter("result"),
    "tenacity.RetryError": lambda error: error.last_attempt.exception() or _response_in(error.last_attempt.result()),
}


def _response_in(result: object) -> object:
    """The result, if it is a response: others may be constants, by which no failure is known again."""
    return result if is_response(result) else None


def _classify(error: BaseException, depth: int) -> Verdict:
    kind = type(error)
    rule = _rules.get(kind)
    if rule is None:
        rule = _rule_for(kind)
        if len(_rules) >= _RULES_KEPT:
            _rules.clear()
        _rules[kind] = rule
        if _is_plain(kind, rule):
            add_plain_error(kind)
    if isinstance(rule, Verdict):
        return rule
    if depth >= _CAUSES_FOLLOWED:
        return FAILURE
    try:
        return rule(error, lambda cause: _classify(cause, depth + 1))
    except Exception:
        # An attribute is not what the library documents, but it is still an error of the library.
        return FAILURE


def _rule_for(kind: type[BaseException]) -> Rule:
    if issubclass(kind, CircuitBreakerOpenError):
        return IGNORED
    if issubclass(kind, BaseExceptionGroup):
        return _worst_member
    known = next((RULES[name] for name in names_of(kind) if name in RULES), None)
    if known is not None:
        return known
    if not issubclass(kind, Exception):
        return CANCELLED
    return FAILURE if kind.__module__ == "builtins" else by_status_code


def _is_plain(kind: type[BaseException], rule: Rule) -> bool:
    """Whether exceptions of this class are failures as long as they have no ``status_code``.

    The compiled part then looks for that attribute itself. So it must not be looked up by Python code.
    """
    if rule is not FAILURE and rule is not by_status_code:
        return False
    by_python = hasattr(kind, "__getattr__") or kind.__getattribute__ is not BaseException.__getattribute__
    return not by_python and not hasattr(kind, "status_code")


def _worst_member(group: BaseExceptionGroup[BaseException], classify: Any) -> Verdict:
    return worst([classify(member) for member in members_of(group)])


def worst(verdicts: list[Verdict]) -> Verdict:
    """The worst of the verdicts on the members of a group.

    The longest hint of several failures counts, and the longest cooldown of several ignored errors.
    """
    return max(verdicts, key=lambda it: (_OUTCOMES.index(it.outcome), it.retry_after or 0, it.cooldown or 0))


def members_of(
    group: BaseExceptionGroup[BaseException],
    is_one: Callable[[BaseExceptionGroup[BaseException]], bool] = lambda _: False,
) -> Iterator[BaseException]:
    """The members of a group and of the groups in it, except those that count as one member.

    Without recursion, because groups may be nested to any depth.
    """
    groups: list[BaseExceptionGroup[BaseException]] = [group]
    judged = 0
    while groups:
        for member in groups.pop().exceptions:
            inner = group_in(member)
            if inner is not None and not is_one(inner):
                groups.append(inner)
                continue
            yield member
            judged += 1
            if judged == _MEMBERS_JUDGED:
                return


def group_in(error: BaseException) -> BaseExceptionGroup[BaseException] | None:
    """The error, if it is a group."""
    return cast("BaseExceptionGroup[BaseException]", error) if isinstance(error, BaseExceptionGroup) else None
