"""The default rules for results, and judges of the user."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halfopen import CircuitBreaker, InvalidValueError, ManualClock, Registry
from halfopen.classify import Verdict, classify_response, classify_result
from judged import FAILURE, FakeResponse, counted


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


def test_a_hint_in_a_response_is_followed(clock: ManualClock) -> None:
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


def test_results_of_other_classes_are_successes() -> None:
    assert classify_result(FakeResponse(503, {"retry-after": "1"})) == Verdict("failure", 1.0, "provider")
    for result in (FakeResponse(302), object(), None):
        assert classify_result(result) == Verdict("success")
    derived = type("Response", (FakeResponse,), {"__module__": "mine"})
    assert classify_result(derived(503)) == FAILURE
    assert classify_result(type("Response", (), {"status_code": 503})()) == Verdict("success")


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
