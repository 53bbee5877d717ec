"""How a user changes the default rules."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import pytest

from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    InvalidValueError,
    ManualClock,
    Registry,
    compat,
)
from halfopen.classify import Verdict, every_exception_is_a_failure, every_result_is_a_success
from judged import FakeResponse, StatusError, counted, outcome_of, raising


def test_a_classifier_goes_first_and_may_leave_it_to_the_rest() -> None:
    def classify(error: Exception) -> Any:
        return Verdict("success") if str(error) == "fine" else None

    rules: dict[str, Any] = {"classify": classify, "ignore": KeyError}
    assert outcome_of(ValueError("fine"), **rules) == "success"
    assert outcome_of(KeyError("mine"), **rules) == "ignored"
    assert outcome_of(StatusError(401), **rules) == "ignored"
    assert outcome_of(ValueError("broken"), **rules) == "failure"
    assert outcome_of(SystemExit(), **rules) == "cancelled"


def test_the_hint_of_a_verdict_is_followed(clock: ManualClock) -> None:
    for hint, wait in ((None, 1), (0.5, 1), (7, 7)):
        breaker = CircuitBreaker(
            failure_threshold=1,
            timeout_seconds=1,
            clock=clock,
            classify=lambda _, hint=hint: Verdict("failure", hint),  # type: ignore[misc]
        )
        with pytest.raises(OSError, match="mine"):
            breaker.call_sync(raising(OSError("mine")))
        assert breaker.get_status()["retry_after_seconds"] == wait


@pytest.mark.parametrize("field", ["ignore", "count"])
@pytest.mark.parametrize("value", [5, "OSError", [OSError], (OSError, 5), (int,), OSError(), None])
def test_rules_refuse_other_values_than_exception_types(field: str, value: Any) -> None:
    for make in (CircuitBreaker, lambda **rules: Registry(1, **rules)):
        with pytest.raises(InvalidValueError) as refused:
            make(**{field: value})
        assert refused.value.field == field


def test_a_type_cannot_be_both_ignored_and_counted() -> None:
    with pytest.raises(InvalidValueError, match="ignore = OSError"):
        CircuitBreaker(ignore=OSError, count=(ValueError, OSError))


async def asynchronous(_: object) -> None:
    """Not a judge, because its result would have to be awaited."""


@pytest.mark.parametrize("judge", [asynchronous, "failure", lambda: "failure", lambda a, b: (a, b)])
def test_an_unusable_judge_is_refused(judge: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(judge=judge)
    assert refused.value.field == "judge"


@pytest.mark.parametrize("name", ["classify", "judge"])
def test_a_mistake_is_logged_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: object) -> Any:
        raise ValueError("secret")

    functions: list[Callable[[Any], Any]] = [fails, lambda _: "nonsense", lambda _: 5, lambda _: Verdict("no")]  # type: ignore[arg-type]
    functions += [lambda _: Verdict([])]  # type: ignore[arg-type]
    for function in functions:
        caplog.clear()
        rules: Any = {name: function}
        breaker = CircuitBreaker(failure_threshold=100, **rules)
        for _ in range(3):
            with pytest.raises(OSError, match="mine"):
                breaker.call_sync(raising(OSError("mine")))
            breaker.call_sync(lambda: "a result")
        assert counted(breaker) == ["success"] * 3 + ["failure"] * 3
        [record] = caplog.records
        assert (record.name, record.levelno) == ("halfopen", logging.WARNING)
        assert name in record.getMessage()
        assert "secret" not in record.getMessage()


@pytest.mark.parametrize("name", ["classify", "judge"])
@pytest.mark.parametrize("hint", [float("nan"), -1, 1e12, True, "soon"])
def test_an_outcome_with_an_invalid_hint_counts_without_it(
    name: str, hint: Any, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    rules: Any = {name: lambda _: Verdict("failure", hint)}
    breaker = CircuitBreaker(failure_threshold=4, timeout_seconds=1, clock=clock, **rules)
    for _ in range(2):
        with pytest.raises(OSError, match="mine"):
            breaker.call_sync(raising(OSError("mine")))
        breaker.call_sync(lambda: "a result")
    assert counted(breaker) == (["failure"] * 4 if name == "judge" else ["success"] * 2 + ["failure"] * 2)
    [record] = [record for record in caplog.records if "retry_after" in record.getMessage()]
    assert (record.name, record.levelno) == ("halfopen", logging.WARNING)
    assert f"{name}= returned an invalid retry_after" in record.getMessage()
    if name == "judge":
        assert breaker.get_status()["retry_after_seconds"] == 1


def test_an_interrupt_in_a_judge_reaches_the_caller() -> None:
    def judge(_: object) -> Any:
        raise KeyboardInterrupt

    breaker = CircuitBreaker(judge=judge)
    with pytest.raises(KeyboardInterrupt):
        breaker.call_sync(str)
    assert counted(breaker) == ["cancelled"]


def test_the_old_behaviour_can_be_restored() -> None:
    rules: dict[str, Any] = {"classify": every_exception_is_a_failure, "judge": every_result_is_a_success}
    assert outcome_of(StatusError(400), **rules) == "failure"
    assert outcome_of(asyncio.CancelledError(), **rules) == "cancelled"
    rejection = CircuitBreakerOpenError("inner", 1.0)
    assert outcome_of(rejection, **rules) == "ignored"
    assert outcome_of(ExceptionGroup("group", [rejection, OSError()]), **rules) == "failure"
    assert outcome_of(ExceptionGroup("group", [rejection]), ignore=KeyError, **rules) == "ignored"
    breaker = CircuitBreaker(**rules)
    breaker.call_sync(lambda: FakeResponse(503))
    assert counted(breaker) == ["success"]


async def test_compat_keeps_the_old_behaviour() -> None:
    breaker = compat.CircuitBreaker(CircuitBreakerConfig(name="old", failure_threshold=100))
    with pytest.raises(StatusError):
        await breaker.call(raising(StatusError(400)))
    await breaker.call(lambda: FakeResponse(503))
    assert counted(breaker.native) == ["success", "failure"]
