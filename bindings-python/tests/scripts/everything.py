"""Uses everything that the compiled part can do, so that each static is filled that is filled at its first use."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from concurrent.futures import Future
from contextlib import suppress
from types import coroutine
from typing import Any

from halfopen import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerOpenError,
    InvalidValueError,
    ManualClock,
    Registry,
)
from halfopen._core import config_json_schema, read_metrics, replay_pool
from halfopen.classify import Verdict, classify_response
from halfopen.orchestration import AllProvidersFailed, Need, Orchestrator, Provider
from halfopen.simulation import replay, simulate


class Observer:
    """Observes as `halfopen.compat` does; each of its methods raises."""

    def admitted(self) -> None:
        raise ValueError

    def rejected(self, retry_after: float | None, reason: str) -> Exception:
        raise ValueError((retry_after, reason))

    def settled(self, outcome: str, seconds: float | None) -> None:
        raise ValueError((outcome, seconds))


def fails(*_: object, **__: object) -> None:
    raise OSError


async def fails_later() -> None:
    raise OSError


def tripping(**further: Any) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(failure_threshold=1, timeout_seconds=1), **further)


def plain_calls() -> None:
    guard = tripping()
    guard.call_sync(str, 1)
    for arguments in ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)):
        guard.reset()
        with suppress(OSError):
            guard(fails)(*arguments)
        with suppress(CircuitBreakerOpenError):
            guard(fails)(*arguments, key=1)
    with suppress(InvalidValueError):
        guard.call_sync(5)  # type: ignore[arg-type]


def raises(error: BaseException) -> None:
    raise error


def nested_calls() -> None:
    guard = CircuitBreaker(CircuitBreakerConfig(failure_threshold=100))
    # An error that can be referred to weakly, and one that cannot.
    for error in (type("Own", (OSError,), {})(), OSError()):
        for _ in range(2):
            with suppress(OSError):
                guard.call_sync(guard.call_sync, raises, error)
    rejection = CircuitBreakerOpenError("", None)
    for group in (ExceptionGroup("", [rejection]), ExceptionGroup("", [ExceptionGroup("", [OSError(), rejection])])):
        with suppress(ExceptionGroup):
            guard.call_sync(raises, group)
    clock = ManualClock()
    probing = tripping(clock=clock)
    for inside in (str, fails):
        probing.force_open(1)
        clock.advance(1)
        with suppress(OSError):
            probing.call_sync(probing.call_sync, inside)


def classified_calls() -> None:
    for classify in (lambda _: "ignored", lambda _: "nothing known", fails):
        with suppress(OSError):
            tripping(classify=classify).call_sync(fails)


class Response:
    """A response to the default rules."""

    status_code = 503
    headers = {"retry-after": "1"}  # noqa: RUF012  # never changed


Response.__module__ = "httpx"


def judged_calls() -> None:
    judges: list[Callable[[Any], Any]] = [lambda _: "failure", lambda _: Verdict("failure", 1.0), lambda _: None, fails]
    for judge in judges:
        guard = CircuitBreaker(judge=judge)
        with guard:
            guard.call_sync(lambda: 1)
    guard = CircuitBreaker()
    for result in (1, Exception, Response(), Response()):
        guard.call_sync(lambda given: given, result)
    for headers in ({}, {"retry-after": "soon"}, {"retry-after": "1"}):
        classify_response(429, headers, code="teapot")
    with suppress(InvalidValueError):
        classify_response(429, now=-1)


def observed_calls() -> None:
    guard = tripping()
    guard._observe(Observer())
    guard.subscribe(fails)
    guard.call_sync(str)
    for _ in range(2):
        with suppress(OSError, CircuitBreakerOpenError):
            guard(fails)()


def clocks() -> None:
    with suppress(InvalidValueError):
        tripping(clock=lambda: "no time")
    tripping(clock=fails).call_sync(str)


@coroutine
def old_coroutine() -> Generator[None, None, None]:
    yield from asyncio.sleep(0).__await__()


def numbers() -> Generator[int, None, int]:
    yield 1
    yield 2
    return 3


async def numbers_later() -> AsyncIterator[int]:
    yield 1
    yield 2


def streams() -> None:
    guard = tripping()
    for made in (guard(numbers), lambda: guard.call_sync(numbers)):
        assert list(made()) == [1, 2]
        with suppress(KeyError):
            stream = made()
            next(stream)
            stream.throw(KeyError())
        with suppress(RuntimeError):
            stream = made()
            next(stream)
            stream.throw(StopIteration())
        stream = made()
        next(stream)
        stream.send(None)
        stream.close()
        del stream
        made()
    with suppress(OSError):
        guard.call_sync(iterate, guard.call_sync(failing_numbers))


def iterate(iterator: Iterator[object]) -> None:
    list(iterator)


def failing_numbers() -> Iterator[int]:
    yield 1
    fails()


async def awaited() -> None:
    clock = ManualClock()
    guard = tripping(clock=clock)

    @guard
    async def decorated() -> int:
        await asyncio.sleep(0)
        return 1

    def returns(made: Callable[[], Awaitable[object]]) -> Callable[[], Awaitable[object]]:
        def plain() -> Awaitable[object]:
            return made()

        return guard(plain)

    await decorated()
    await guard.call(asyncio.sleep, 0)
    await guard.call(str)
    await returns(lambda: asyncio.sleep(0))()
    await returns(old_coroutine)()
    await returns(lambda: asyncio.ensure_future(asyncio.sleep(0)))()
    await asyncio.wait_for(returns(lambda: asyncio.sleep(0))(), 10)
    task = asyncio.ensure_future(decorated())
    await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    stand_in = returns(lambda: asyncio.sleep(0))()
    repr(stand_in), dir(stand_in), stand_in.__class__
    stand_in.close()  # type: ignore[attr-defined]
    async for _ in guard(numbers_later)():
        pass
    async for _ in guard.call_sync(numbers_later):
        pass
    async with guard, guard.acquire():
        pass
    for failing in (fails_later, lambda: asyncio.ensure_future(fails_later())):
        guard.reset()
        with suppress(OSError):
            await returns(failing)()
    with suppress(CircuitBreakerOpenError):
        await decorated()
    clock.advance(1)
    with suppress(OSError):
        await guard.call(guard.call, fails_later)


def futures() -> None:
    guard = tripping()
    succeeding, failing = Future[int](), Future[int]()
    guard.call_sync(lambda: succeeding)
    guard.call_sync(lambda: failing)
    succeeding.set_result(1)
    failing.set_exception(OSError())


def blocks() -> None:
    guard = tripping()
    for block in (guard, guard.acquire()):
        with suppress(OSError), block:
            fails()
        guard.reset()
    permit = guard.acquire()
    permit.success()
    with suppress(AttributeError):
        permit.settled = 1  # type: ignore[misc, assignment]
    with suppress(InvalidValueError), permit:
        pass
    guard.acquire(inside=permit).failure(retry_after=1)


def readings() -> None:
    guard = tripping()
    guard.force_open()
    guard.call_sync(str) if guard.state == "closed" else guard.explain()
    guard.get_status(), guard.events(), guard.durations(), guard.percentile(0.5), guard.snapshot()
    guard.restore(guard.snapshot())
    with suppress(InvalidValueError):
        guard.restore("{")
    guard.reconfigure(CircuitBreakerConfig(window={"calls": 10}, failure_rate_threshold=0.5))
    read_metrics()
    registry = Registry(1)
    registry.get_or_create(CircuitBreakerConfig())
    registry.remove_unused()


def configurations() -> None:
    config = CircuitBreakerConfig(window={"seconds": 10}, failure_rate_threshold=0.5)
    assert config == CircuitBreakerConfig.model_validate(config.model_dump())
    assert json.loads(config.model_dump_json())
    assert config_json_schema()
    repr(config), dir(config), hash(config), config.model_copy(update={"name": "copied"})
    for wrong in ({"name": [object()]}, {"nonsense": 1}, {"failure_threshold": 10**30}):
        with suppress(InvalidValueError):
            CircuitBreakerConfig(**wrong)
    with suppress(AttributeError):
        config.name = "other"


async def orchestrated() -> None:
    async def fails_at_first(provider: Provider) -> str:
        if provider.id == "a":
            raise OSError
        return provider.id

    async def items(provider: Provider) -> AsyncIterator[int]:
        if provider.id == "a":
            fails()
        yield 1

    async def fails_always(_: Provider) -> None:
        raise OSError

    providers = [Provider(name, capabilities=["text"], tier=tier) for tier, name in enumerate("ab")]
    orchestrator = Orchestrator(providers)
    for session in (None, "one"):
        await orchestrator.call(fails_at_first, session=session, need=Need(["text"], size=1), deadline_seconds=5)
        async for _ in orchestrator.stream(items, session=session):
            pass
    with suppress(AllProvidersFailed):
        await orchestrator.call(fails_always)
    # NumPy's `bool` is not Python's, so PyO3 would look at its class.
    with suppress(TypeError):
        await orchestrator.call(fails_always, replayable=1)  # type: ignore[arg-type]
    with suppress(InvalidValueError):
        orchestrator.update("b", weight=-1)
    orchestrator.update("b", weight=2)
    orchestrator.status(), orchestrator.explain(), orchestrator.events(), orchestrator.ranking()
    with suppress(InvalidValueError):
        replay_pool("{")


def simulated() -> None:
    with suppress(InvalidValueError):
        simulate({})
    with suppress(InvalidValueError):
        replay("{", CircuitBreakerConfig())


def use_everything() -> None:
    plain_calls()
    nested_calls()
    classified_calls()
    judged_calls()
    observed_calls()
    clocks()
    streams()
    asyncio.run(awaited())
    asyncio.run(orchestrated())
    simulated()
    futures()
    blocks()
    readings()
    configurations()
