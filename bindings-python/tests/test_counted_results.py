"""A result or a response that counts as a failure counts once."""

import asyncio
import weakref
from collections.abc import Callable
from enum import Enum

import httpx
import pytest

from counting import breaker_of, failed_and_ignored, response
from halfopen import CircuitBreaker


@pytest.fixture
def breaker() -> CircuitBreaker:
    return breaker_of()


# Responses and their errors


def test_the_error_of_a_response_that_was_counted(breaker: CircuitBreaker) -> None:
    outer: Callable[[], object] = breaker(lambda: breaker(response)().raise_for_status())
    with pytest.raises(httpx.HTTPStatusError):
        outer()
    assert failed_and_ignored(breaker) == (1, 1)


def test_the_response_of_an_error_that_was_counted(breaker: CircuitBreaker) -> None:
    inner: Callable[[], httpx.Response] = breaker(lambda: response().raise_for_status())

    @breaker
    def outer() -> httpx.Response:
        try:
            return inner()
        except httpx.HTTPStatusError as error:
            return error.response

    assert outer().status_code == 503
    assert failed_and_ignored(breaker) == (1, 1)


def test_the_error_of_another_response_is_another_failure(breaker: CircuitBreaker) -> None:
    @breaker
    def outer() -> None:
        breaker(response)()
        response().raise_for_status()

    with pytest.raises(httpx.HTTPStatusError):
        outer()
    assert failed_and_ignored(breaker) == (2, 0)


# Results of every kind


class Slots:
    __slots__ = ("text",)


class Answer(Enum):
    FAILED = "failed"


@pytest.mark.parametrize(
    "make", [lambda: 500, lambda: (1, []), Slots, object, lambda: None, lambda: "", lambda: Answer.FAILED, dict]
)
def test_a_result_that_a_judge_calls_a_failure(make: Callable[[], object]) -> None:
    breaker = breaker_of(judge=lambda _: "failure")
    result = make()
    inner: Callable[[], object] = breaker(lambda: result)
    outer: Callable[[], object] = breaker(breaker(inner))
    assert outer() is result
    assert failed_and_ignored(breaker) == (1, 2)

    @breaker
    def retried() -> object:
        results = [inner() for _ in range(3)]
        return results[0]

    assert retried() is result
    assert failed_and_ignored(breaker) == (4, 3)


async def test_a_constant_that_concurrent_calls_return_counts_each_time() -> None:
    breaker = breaker_of(judge=lambda result: "failure" if result == "" else None)
    turns = [asyncio.Event() for _ in range(5)]

    @breaker
    async def provider(number: int) -> str:
        await turns[number].wait()
        return ""

    tasks = [asyncio.create_task(provider(number)) for number in range(5)]
    await asyncio.sleep(0)
    for turn in reversed(turns):
        turn.set()
        await asyncio.sleep(0)
    assert await asyncio.gather(*tasks) == [""] * 5
    assert failed_and_ignored(breaker) == (5, 0)


def test_a_counted_result_is_not_kept_alive() -> None:
    breaker = breaker_of(judge=lambda result: "failure" if isinstance(result, tuple) else "success")

    class Payload:
        pass

    def make() -> tuple[Payload]:
        return (Payload(),)

    @breaker
    def outer() -> None:
        first = weakref.ref(breaker.call_sync(make)[0])
        second = weakref.ref(breaker.call_sync(make)[0])
        assert first() is None
        kept.append(second)

    kept: list[weakref.ref[Payload]] = []
    outer()
    assert kept[0]() is None
    assert failed_and_ignored(breaker) == (2, 0)
