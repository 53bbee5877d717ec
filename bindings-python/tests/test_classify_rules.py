"""How a breaker uses the default rules, and how a user changes them."""

import asyncio
import gc
import logging
import subprocess
import sys
import types
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from functools import partial
from typing import Any, Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfopen import (
    CallTimeoutError,
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    HalfopenError,
    InvalidValueError,
    ManualClock,
    Registry,
    _error_rules,
    compat,
)
from halfopen.classify import (
    Verdict,
    classify_error,
    classify_response,
    classify_result,
    every_exception_is_a_failure,
    every_result_is_a_success,
)
from halfopen.types import Outcome

FAILURE = Verdict("failure", None, "provider")
IGNORED = Verdict("ignored")
CANCELLED = Verdict("cancelled")


class StatusError(Exception):
    """An error as the SDKs raise it that the rules do not know by name."""

    def __init__(self, status_code: Any, headers: Any = None, body: Any = None) -> None:
        self.status_code = status_code
        self.headers = headers
        self.body = body


class FakeResponse:
    def __init__(self, status_code: int, headers: dict[str, str] | None = None) -> None:
        self.status_code = status_code
        self.headers = headers or {}


FakeResponse.__module__, FakeResponse.__qualname__ = "httpx", "Response"


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def counted(breaker: CircuitBreaker) -> list[Outcome]:
    """The outcomes that it has counted."""
    metrics = breaker.metrics
    counts: list[tuple[Outcome, int]] = [
        ("success", metrics.successful_calls),
        ("failure", metrics.failed_calls),
        ("ignored", metrics.ignored_calls),
        ("cancelled", metrics.cancelled_calls),
    ]
    return [outcome for outcome, count in counts for _ in range(count)]


def outcome_of(error: BaseException, **rules: Any) -> Outcome:
    breaker = CircuitBreaker(**rules)
    with pytest.raises(type(error)):
        breaker.call_sync(raising(error))
    [outcome] = counted(breaker)
    return outcome


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (StatusError(503, {"retry-after": "2"}), Verdict("failure", 2.0, "provider")),
        (StatusError(429, [("Retry-After", "2")]), Verdict("ignored", None, "key_and_model", 2.0)),
        (StatusError(404, None, {"error": {"code": "model_not_found"}}), Verdict("ignored", None, "model", 300.0)),
        (StatusError(429, None, {"code": "insufficient_quota"}), Verdict("ignored", None, "key", 300.0)),
        (StatusError(400), IGNORED),
        (StatusError(200), FAILURE),
        (StatusError("400"), FAILURE),
        (StatusError(None), FAILURE),
        (StatusError(503, 17, "body"), FAILURE),
        (StatusError(503, {"retry-after": 17}), FAILURE),
        (RuntimeError(), FAILURE),
        (KeyboardInterrupt(), CANCELLED),
        (SystemExit(), CANCELLED),
        (GeneratorExit(), CANCELLED),
        (CircuitBreakerOpenError("inner", None), IGNORED),
    ],
)
def test_other_exceptions(error: BaseException, verdict: Verdict) -> None:
    assert classify_error(error) == verdict


def test_an_attribute_that_raises_is_a_failure() -> None:
    class Broken(Exception):
        @property
        def status_code(self) -> int:
            raise ValueError

    assert classify_error(Broken()) == FAILURE


def test_a_deadline_of_gevent_is_a_failure() -> None:
    # Its class is no `Exception`.
    kind = type("Timeout", (BaseException,), {"__module__": "gevent.timeout"})
    assert outcome_of(kind()) == "failure"
    assert outcome_of(type("Other", (BaseException,), {})()) == "cancelled"


@pytest.mark.parametrize(
    ("members", "verdict"),
    [
        ([StatusError(400), RuntimeError()], FAILURE),
        ([StatusError(400), asyncio.CancelledError()], CANCELLED),
        (
            [StatusError(503, {"retry-after": "2"}), StatusError(503, {"retry-after": "9"}), OSError()],
            Verdict("failure", 9.0, "provider"),
        ),
        ([StatusError(400), StatusError(401), StatusError(429)], Verdict("ignored", None, "key", 300.0)),
        ([CircuitBreakerOpenError("a", 1.0), CircuitBreakerOpenError("b", 1.0)], IGNORED),
    ],
)
def test_the_worst_member_of_a_group_counts(members: list[BaseException], verdict: Verdict) -> None:
    group = BaseExceptionGroup("group", members)
    assert classify_error(group) == verdict
    assert classify_error(BaseExceptionGroup("outer", [BaseExceptionGroup("inner", [group])])) == verdict
    assert outcome_of(group) == verdict.outcome


def test_a_group_as_deep_as_one_likes_is_judged() -> None:
    group: Exception = StatusError(503)
    for _ in range(5_000):
        group = ExceptionGroup("group", [group])
    assert classify_error(group) == FAILURE
    # Without this, freeing the group would use as many stack frames as it is deep.
    while isinstance(group, ExceptionGroup):
        group = group.exceptions[0]


def test_causes_in_a_circle_end() -> None:
    kind: Any = type("APIConnectionError", (Exception,), {"__module__": "openai"})
    error = kind()
    error.__cause__ = error
    assert classify_error(error) == FAILURE


def test_the_nearest_type_decides() -> None:
    rules: dict[str, Any] = {"ignore": (OSError, KeyError), "count": ConnectionError}
    assert outcome_of(OSError(), **rules) == "ignored"
    assert outcome_of(KeyError(), **rules) == "ignored"
    assert outcome_of(PermissionError(), **rules) == "ignored"
    assert outcome_of(ConnectionResetError(), **rules) == "failure"
    assert outcome_of(ValueError(), **rules) == "failure"
    assert outcome_of(StatusError(400), count=StatusError) == "failure"
    only = {"ignore": Exception, "count": (TimeoutError, asyncio.CancelledError)}
    assert outcome_of(RuntimeError(), **only) == "ignored"
    assert outcome_of(TimeoutError(), **only) == "failure"
    assert outcome_of(asyncio.CancelledError(), **only) == "failure"


def test_a_classifier_goes_first_and_may_leave_it_to_the_rest() -> None:
    def classify(error: Exception) -> Any:
        return Verdict("success") if str(error) == "fine" else None

    rules: dict[str, Any] = {"classify": classify, "ignore": KeyError}
    assert outcome_of(ValueError("fine"), **rules) == "success"
    assert outcome_of(KeyError("mine"), **rules) == "ignored"
    assert outcome_of(StatusError(401), **rules) == "ignored"
    assert outcome_of(ValueError("broken"), **rules) == "failure"
    assert outcome_of(SystemExit(), **rules) == "cancelled"


def test_the_hint_of_a_verdict_is_heeded(clock: ManualClock) -> None:
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
    """No judge: nobody could await it."""


@pytest.mark.parametrize("judge", [asynchronous, "failure", lambda: "failure", lambda a, b: (a, b)])
def test_an_unusable_judge_is_refused(judge: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        CircuitBreaker(judge=judge)
    assert refused.value.field == "judge"


def ways(breaker: CircuitBreaker, result: object) -> list[Callable[[], object]]:
    """Every way to make a call that returns this."""

    async def coroutine() -> object:
        return result

    def future() -> object:
        made: Future[object] = Future()
        breaker.call_sync(lambda: made)
        made.set_result(result)
        return made.result()

    async def task() -> object:
        return await breaker(lambda: asyncio.ensure_future(coroutine()))()

    return [
        lambda: breaker.call_sync(lambda: result),
        breaker(lambda: result),
        lambda: asyncio.run(breaker(coroutine)()),
        lambda: asyncio.run(breaker.call(coroutine)),
        lambda: asyncio.run(breaker.call(lambda: result)),
        lambda: asyncio.run(breaker(partial(coroutine))()),
        future,
        lambda: asyncio.run(task()),
    ]


def test_every_way_to_call_judges_its_result() -> None:
    for status, outcome in ((503, "failure"), (404, "ignored"), (200, "success")):
        result = FakeResponse(status)
        for way in ways(breaker := CircuitBreaker(failure_threshold=None, failure_rate_threshold=1), result):
            assert way() is result
        assert counted(breaker) == [outcome] * 8


def test_a_judge_decides_about_results() -> None:
    answers: dict[object, Any] = {1: "failure", 2: Verdict("ignored"), 3: None, 4: "cancelled"}
    breaker = CircuitBreaker(failure_threshold=100, judge=lambda result: answers[result])
    for result in answers:
        assert breaker.call_sync(lambda result=result: result) == result  # type: ignore[misc]
    assert counted(breaker) == ["success", "failure", "ignored", "cancelled"]
    registered = Registry(1, judge=lambda _: "ignored").get_or_create("a")
    registered.call_sync(str)
    assert counted(registered) == ["ignored"]


def test_a_judge_that_leaves_a_response_to_the_default() -> None:
    breaker = CircuitBreaker(failure_threshold=100, judge=lambda _: None)
    breaker.call_sync(lambda: FakeResponse(503))
    assert counted(breaker) == ["failure"]


def test_a_hint_in_a_response_is_heeded(clock: ManualClock) -> None:
    breaker = CircuitBreaker(failure_threshold=1, timeout_seconds=1, clock=clock)
    breaker.call_sync(lambda: FakeResponse(503, {"Retry-After": "30"}))
    assert breaker.get_status()["retry_after_seconds"] == 30


def test_one_response_through_several_layers_is_one_failure() -> None:
    breaker = CircuitBreaker(failure_threshold=100)

    @breaker
    def inner() -> FakeResponse:
        return FakeResponse(503)

    @breaker
    def outer() -> FakeResponse:
        return inner()

    assert outer().status_code == 503
    assert counted(breaker) == ["failure", "ignored"]
    # The response of another call counts again.
    inner()
    assert counted(breaker) == ["failure", "failure", "ignored"]


async def test_the_end_of_an_iterator_is_no_failure() -> None:
    breaker = CircuitBreaker(failure_threshold=1)
    with pytest.raises(StopIteration):
        breaker.call_sync(next, iter([]))

    async def nothing() -> AsyncIterator[int]:
        for number in range(0):
            yield number

    with pytest.raises(StopAsyncIteration):
        await breaker.call(anext, nothing())
    assert counted(breaker) == ["success"] * 2


@pytest.mark.parametrize("layers", [3, 5, 9])
def test_one_response_through_many_layers_is_one_failure(layers: int) -> None:
    breaker = CircuitBreaker(failure_threshold=100)

    @breaker
    def call(below: int) -> FakeResponse:
        return call(below - 1) if below else FakeResponse(503)

    call(layers - 1)
    assert counted(breaker) == ["failure", *["ignored"] * (layers - 1)]


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


def test_the_old_manners_can_be_had() -> None:
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


async def test_compat_keeps_the_old_manners() -> None:
    breaker = compat.CircuitBreaker(CircuitBreakerConfig(name="old", failure_threshold=100))
    with pytest.raises(StatusError):
        await breaker.call(raising(StatusError(400)))
    await breaker.call(lambda: FakeResponse(503))
    assert counted(breaker.native) == ["success", "failure"]


def test_results_of_other_classes_are_successes() -> None:
    assert classify_result(FakeResponse(503, {"retry-after": "1"})) == Verdict("failure", 1.0, "provider")
    for result in (FakeResponse(302), object(), None):
        assert classify_result(result) == Verdict("success")
    derived = type("Response", (FakeResponse,), {"__module__": "mine"})
    assert classify_result(derived(503)) == FAILURE
    assert classify_result(type("Response", (), {"status_code": 503})()) == Verdict("success")


def test_nothing_is_imported() -> None:
    program = """
import sys, halfopen
known = set(sys.modules)
breaker = halfopen.CircuitBreaker(failure_threshold=100)
for error in (OSError(), KeyError(), type("E", (Exception,), {})()):
    try:
        with breaker:
            raise error
    except Exception:
        pass
print(sorted(set(sys.modules) - known), "asyncio" in known, "httpx" in known)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[] False False\n"


def test_classes_that_are_made_at_run_time_do_not_fill_the_memory() -> None:
    kinds = [type("Made", (Exception,), {}) for _ in range(3_000)]
    results = [type("Made", (), {}) for _ in range(3_000)]
    breaker = CircuitBreaker(failure_threshold=65535)
    for kind in kinds:
        assert classify_error(kind()) == FAILURE
    for result in results:
        breaker.call_sync(result)
    assert len(_error_rules._rules) <= 1024
    gone = [weakref.ref(kind) for kind in (*kinds, *results)]
    del kinds, results, kind, result
    gc.collect()
    assert sum(kind() is not None for kind in gone) <= 1024 + 256


@pytest.mark.parametrize(("status", "now"), [(-1, 0), (65536, 0), (200, -1), (200, float("nan"))])
def test_a_response_that_cannot_be_is_refused(status: int, now: float) -> None:
    with pytest.raises(InvalidValueError):
        classify_response(status, now=now)


@given(st.integers(-5, 70_000), st.dictionaries(st.text(), st.text()), st.none() | st.text(), st.floats())
@settings(max_examples=200, deadline=None)
def test_any_response_is_judged_or_refused(status: int, headers: dict[str, str], code: str | None, now: float) -> None:
    try:
        verdict = classify_response(status, headers, code=code, now=now)
    except InvalidValueError:
        return
    assert verdict.outcome in {"success", "failure", "ignored"}


@pytest.mark.parametrize(
    ("ignored", "failed"),
    [
        (OSError, 1),
        (Exception, 1),
        (TimeoutError, 0),
        (CallTimeoutError, 0),
        (HalfopenError, 0),
        ((OSError, TimeoutError), 0),
    ],
)
async def test_the_breakers_own_timeout_is_ignored_by_its_name_only(ignored: Any, failed: int) -> None:
    breaker = CircuitBreaker(ignore=ignored, call_timeout_seconds=0.001)
    with pytest.raises(CallTimeoutError):
        await breaker.call(asyncio.Event().wait)
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (failed, 1 - failed)


@types.coroutine
def pause() -> Iterator[None]:
    yield


async def paused() -> None:
    await pause()


def pausing() -> Iterator[None]:
    yield


@pytest.mark.parametrize("rules", [{}, {"count": BaseException}, {"ignore": BaseException}], ids=str)
def test_a_call_that_its_consumer_leaves_is_cancelled(rules: Any) -> None:
    breaker = CircuitBreaker(**rules)
    for awaitable in (breaker(paused)(), breaker.call_sync(paused)):
        awaitable.send(None)
        awaitable.close()
    for _ in breaker(pausing)():
        break
    assert (breaker.metrics.cancelled_calls, breaker.metrics.total_calls) == (3, 3)


@pytest.mark.parametrize("rules", [{}, {"count": BaseException}, {"ignore": BaseException}], ids=str)
async def test_wrong_arguments_say_nothing_about_the_provider(rules: Any) -> None:
    breaker = CircuitBreaker(**rules)
    call: Any = breaker.call_sync
    with pytest.raises(TypeError):
        call(paused, "too many")
    call = breaker.call
    with pytest.raises(TypeError):
        await call(paused, "too many")
    assert (breaker.metrics.cancelled_calls, breaker.metrics.total_calls) == (2, 2)


@pytest.mark.parametrize("counted", [BaseException, asyncio.CancelledError])
async def test_cancellations_count_if_they_are_named(counted: type[BaseException]) -> None:
    breaker = CircuitBreaker(count=counted)
    start: Callable[[], asyncio.Task[Literal[True]]]
    start = breaker(lambda: asyncio.ensure_future(asyncio.Event().wait()))
    for task in (start(), asyncio.create_task(breaker(asyncio.Event().wait)())):
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (breaker.metrics.failed_calls, breaker.metrics.total_calls) == (2, 2)
