"""The default rules for exceptions of any kind: groups, causes, timeouts, cancellations."""

import asyncio
import gc
import subprocess
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest

from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerOpenError, HalfopenError, _error_rules
from halfopen.classify import Verdict, classify_error
from judged import FAILURE, StatusError, outcome_of

IGNORED = Verdict("ignored")
CANCELLED = Verdict("cancelled")


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
        (RuntimeError("401 Unauthorized, 429 rate limit reached, context too long, cancelled"), FAILURE),
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


@pytest.mark.parametrize("library", ["gevent", "eventlet"])
def test_a_deadline_of_gevent_is_a_failure(library: str) -> None:
    # Its class is not an `Exception`.
    kind = type("Timeout", (BaseException,), {"__module__": f"{library}.timeout"})
    assert outcome_of(kind()) == "failure"
    assert outcome_of(type("Other", (BaseException,), {})()) == "cancelled"
    breaker = CircuitBreaker(failure_threshold=2)
    with pytest.raises(kind), breaker:
        raise kind
    with pytest.raises(kind):
        breaker.call_sync(raises, type("Own", (kind,), {})())
    assert breaker.state == "open"


def raises(error: BaseException) -> None:
    raise error


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


def test_a_group_of_any_depth_is_judged() -> None:
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
