"""``ignore``, ``count`` and ``classify`` judge a group of exceptions by its members."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import anyio
import pytest

from halfopen import CallTimeoutError, CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError
from halfopen.classify import Verdict, every_exception_is_a_failure
from halfopen.orchestration import AllProvidersFailed, Orchestrator, Provider, StreamBrokenError
from nesting import WAYS, Way, raising, run

Rules = dict[str, Any]


class Missing(KeyError):
    pass


class Tagged(ExceptionGroup[Exception]):
    """A class of groups that rules may name."""


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status_code = status


def group(*members: BaseException) -> BaseExceptionGroup[BaseException]:
    return BaseExceptionGroup("group", members)


def by_class(error: Exception) -> Any:
    return {KeyError: "ignored", OSError: Verdict("failure", 7.0)}.get(type(error))


IGNORED: Rules = {"ignore": KeyError}
CASES: list[tuple[Rules, BaseException, str]] = [
    (IGNORED, group(KeyError()), "ignored"),
    (IGNORED, group(KeyError(), Missing()), "ignored"),
    (IGNORED, group(KeyError(), OSError()), "failure"),
    (IGNORED, group(OSError(), KeyError()), "failure"),
    (IGNORED, group(group(KeyError()), group(group(Missing()))), "ignored"),
    (IGNORED, group(group(KeyError()), group(group(OSError()))), "failure"),
    (IGNORED, group(KeyError(), StatusError(400)), "ignored"),
    (IGNORED, group(KeyError(), StatusError(503)), "failure"),
    (IGNORED, group(KeyError(), CircuitBreakerOpenError("other", 1.0)), "ignored"),
    (IGNORED, group(KeyError(), asyncio.CancelledError()), "cancelled"),
    (IGNORED, group(KeyError(), CallTimeoutError("other", 1.0)), "failure"),
    ({"ignore": OSError}, group(OSError(), CallTimeoutError("other", 1.0)), "failure"),
    ({"ignore": TimeoutError}, group(CallTimeoutError("other", 1.0)), "ignored"),
    ({"ignore": Exception, "count": OSError}, group(KeyError(), ValueError()), "ignored"),
    ({"ignore": Exception, "count": OSError}, group(KeyError(), ConnectionError()), "failure"),
    ({"ignore": LookupError, "count": Missing}, group(KeyError()), "ignored"),
    ({"ignore": LookupError, "count": Missing}, group(KeyError(), Missing()), "failure"),
    ({"count": StatusError}, group(StatusError(400)), "failure"),
    ({"count": asyncio.CancelledError}, group(KeyError(), asyncio.CancelledError()), "failure"),
    ({"count": BaseException}, group(asyncio.CancelledError()), "failure"),
    ({"count": BaseException}, group(GeneratorExit()), "cancelled"),
    ({"ignore": ExceptionGroup}, group(OSError()), "ignored"),
    ({"ignore": BaseExceptionGroup}, group(OSError(), KeyboardInterrupt()), "ignored"),
    ({"count": ExceptionGroup, "ignore": KeyError}, group(KeyError()), "failure"),
    ({"ignore": Tagged}, Tagged("tagged", [OSError()]), "ignored"),
    ({"ignore": Tagged}, group(Tagged("tagged", [OSError()]), KeyError()), "failure"),
    ({"ignore": (Tagged, KeyError)}, group(Tagged("tagged", [OSError()]), KeyError()), "ignored"),
    ({"ignore": Tagged}, group(OSError()), "failure"),
    ({"classify": by_class}, group(KeyError()), "ignored"),
    ({"classify": by_class}, group(KeyError(), OSError()), "failure"),
    ({"classify": by_class, "ignore": ValueError}, group(KeyError(), ValueError()), "ignored"),
    ({"classify": by_class}, group(KeyError(), StatusError(400)), "ignored"),
    ({"classify": lambda error: "success" if isinstance(error, ExceptionGroup) else None}, group(OSError()), "success"),
    ({"classify": every_exception_is_a_failure, "ignore": KeyError}, group(KeyError()), "failure"),
]


def one_failure(rules: Rules, **config: Any) -> CircuitBreaker:
    return CircuitBreaker("groups", failure_threshold=100, **config, **rules)


def outcome(breaker: CircuitBreaker) -> str:
    metrics = breaker.metrics
    names = ("successful", "failed", "ignored", "cancelled")
    read = {name: getattr(metrics, f"{name}_calls") for name in names}
    assert sum(read.values()) == 1
    [name] = [name for name, count in read.items() if count]
    return {"successful": "success", "failed": "failure"}.get(name, name)


@pytest.mark.parametrize(("rules", "error", "expected"), CASES)
def test_a_group_is_judged_by_its_members(rules: Rules, error: BaseException, expected: str) -> None:
    breaker = one_failure(rules)
    with pytest.raises(BaseExceptionGroup) as raised:
        breaker(raising(error))()
    assert raised.value is error
    assert outcome(breaker) == expected


MEMBERS = [(group(KeyError()), "ignored"), (group(KeyError(), OSError()), "failure")]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize(("error", "expected"), MEMBERS)
def test_in_each_way_of_calling(way: Way, error: BaseException, expected: str) -> None:
    breaker = one_failure(IGNORED)
    with pytest.raises(BaseExceptionGroup):
        run(way(breaker, raising(error)))
    assert outcome(breaker) == expected


async def of_asyncio(*errors: Exception) -> None:
    async def fail(error: Exception) -> None:
        raise error

    async with asyncio.TaskGroup() as tasks:
        for error in errors:
            tasks.create_task(fail(error))


async def of_anyio(*errors: Exception) -> None:
    async def fail(error: Exception) -> None:
        raise error

    async with anyio.create_task_group() as tasks:
        for error in errors:
            tasks.start_soon(fail, error)


@pytest.mark.parametrize("fail", [of_asyncio, of_anyio])
async def test_groups_of_task_groups(fail: Callable[..., Awaitable[None]]) -> None:
    for errors, expected in (([KeyError(), Missing()], "ignored"), ([KeyError(), OSError()], "failure")):
        breaker = one_failure(IGNORED)
        with pytest.raises(ExceptionGroup):
            await breaker.call(fail, *errors)
        assert outcome(breaker) == expected


@pytest.mark.parametrize(("error", "expected"), MEMBERS)
async def test_groups_that_end_streams(error: BaseException, expected: str) -> None:
    breaker = one_failure(IGNORED)

    @breaker
    def plain() -> Iterator[int]:
        yield 1
        raise error

    with pytest.raises(BaseExceptionGroup):
        list(plain())
    assert outcome(breaker) == expected

    breaker = one_failure(IGNORED)

    @breaker
    async def later() -> AsyncIterator[int]:
        yield 1
        raise error

    with pytest.raises(BaseExceptionGroup):
        [item async for item in later()]
    assert outcome(breaker) == expected

    breaker = one_failure(IGNORED)
    with pytest.raises(BaseExceptionGroup):
        [item async for item in breaker.stream(later_of(error))]
    assert outcome(breaker) == expected


async def later_of(error: BaseException) -> AsyncIterator[int]:
    yield 1
    raise error


@pytest.mark.parametrize(("error", "expected"), MEMBERS)
async def test_groups_that_end_sessions(error: BaseException, expected: str) -> None:
    breaker = one_failure(IGNORED)
    with pytest.raises(BaseExceptionGroup):
        async with breaker.session():
            raise error
    assert outcome(breaker) == expected


def orchestrator_of(rules: Rules) -> Orchestrator:
    return Orchestrator([Provider("a", CircuitBreaker(CircuitBreakerConfig(name="a"), **rules))])


@pytest.mark.parametrize(("error", "expected"), MEMBERS)
async def test_groups_of_providers(error: BaseException, expected: str) -> None:
    orchestrator = orchestrator_of(IGNORED)

    async def fail(_: Provider) -> None:
        raise error

    with pytest.raises(BaseExceptionGroup if expected == "ignored" else AllProvidersFailed):
        await orchestrator.call(fail)
    assert outcome(orchestrator.breaker("a")) == expected


@pytest.mark.parametrize(("error", "expected"), MEMBERS)
async def test_groups_that_end_streams_of_providers(error: BaseException, expected: str) -> None:
    orchestrator = orchestrator_of(IGNORED)
    stream = orchestrator.stream(lambda _: later_of(error))
    assert await anext(stream) == 1
    with pytest.raises(BaseExceptionGroup if expected == "ignored" else StreamBrokenError):
        await anext(stream)
    assert outcome(orchestrator.breaker("a")) == expected


async def test_rules_reach_what_is_no_exception_of_a_provider() -> None:
    async def fail(_: Provider, error: BaseException) -> None:
        raise error

    cases: list[tuple[Rules, BaseException, str]] = [
        (IGNORED, group(KeyError(), asyncio.CancelledError()), "cancelled"),
        ({"count": asyncio.CancelledError}, asyncio.CancelledError(), "failure"),
        ({}, asyncio.CancelledError(), "cancelled"),
    ]
    for rules, error, expected in cases:
        orchestrator = orchestrator_of(rules)
        with pytest.raises(type(error)):
            await orchestrator.call(fail, error)
        assert outcome(orchestrator.breaker("a")) == expected


def test_the_longest_hint_of_a_group_counts() -> None:
    breaker = CircuitBreaker("hints", failure_threshold=1, timeout_seconds=1, classify=by_class)
    with pytest.raises(ExceptionGroup):
        breaker(raising(group(KeyError(), OSError())))()
    assert (breaker.get_status()["retry_after_seconds"] or 0) > 6


def test_a_member_that_a_call_inside_has_counted_is_no_second_failure_beside_ignored_ones() -> None:
    breaker = one_failure(IGNORED)

    @breaker
    def outer() -> None:
        try:
            breaker.call_sync(raising(OSError()))
        except OSError as error:
            raise ExceptionGroup("both", [error, KeyError()]) from None

    with pytest.raises(ExceptionGroup):
        outer()
    assert (breaker.metrics.failed_calls, breaker.metrics.ignored_calls) == (1, 1)


def test_a_group_as_deep_as_one_likes() -> None:
    error: Exception = KeyError()
    for _ in range(5_000):
        error = ExceptionGroup("group", [error])
    breaker = one_failure(IGNORED)
    with pytest.raises(ExceptionGroup):
        breaker(raising(error))()
    assert outcome(breaker) == "ignored"
    # Without this, freeing the group would use as many stack frames as it is deep.
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
