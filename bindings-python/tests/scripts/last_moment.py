"""Makes calls of every kind at interpreter exit, from ``__del__`` of an object in one of several places."""

import asyncio
import atexit
import builtins
import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import Any

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock, Registry, compat
from halfopen.types import Verdict


def ways() -> dict[str, Callable[[], object]]:  # noqa: PLR0915 (one list)
    """The calls. They hold their dependencies, because modules lose their globals before the end."""
    config = CircuitBreakerConfig(failure_threshold=1, timeout_seconds=30)

    def breaker(**arguments: Any) -> CircuitBreaker:
        return CircuitBreaker(config, **arguments)

    def value() -> int:
        return 41

    def failure() -> None:
        raise OSError

    async def later() -> int:
        return 42

    async def failure_later() -> None:
        raise OSError

    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    def broken_numbers() -> Iterator[int]:
        yield 1
        raise OSError

    async def numbers_later() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def broken_numbers_later() -> AsyncIterator[int]:
        yield 1
        raise OSError

    async def drained(stream: AsyncIterator[int]) -> list[int]:
        return [number async for number in stream]

    def finish(running: Any) -> Any:
        try:
            running.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError

    def block(guard: CircuitBreaker, run: Callable[[], object]) -> object:
        with guard:
            return run()

    async def async_block(guard: CircuitBreaker, run: Callable[[], object]) -> object:
        async with guard:
            return run()

    def observed(operation: Callable[[CircuitBreaker], object]) -> Callable[[], object]:
        states: list[str] = []
        observed_breaker = breaker()
        observed_breaker.subscribe(lambda event: states.append(event.to_state.value))

        def call() -> object:
            operation(observed_breaker)
            return ", ".join(states)

        return call

    def suspended() -> Any:
        class Pause:
            def __await__(self) -> Generator[None, None, None]:
                yield

        guard = breaker()

        @guard
        async def waits() -> None:
            await Pause()

        running = waits()
        running.send(None)

        def close() -> object:
            running.close()
            return guard._read_status()["cancelled_calls"]

        return close

    def dropped() -> Any:
        guard = breaker()
        permits = [guard.acquire()]

        def drop() -> object:
            permits.clear()
            return guard._read_status()["cancelled_calls"]

        return drop

    def mapped(outcome: Any) -> Any:
        guard = breaker(classify=lambda _: outcome)
        guarded = guard(failure)

        def call() -> object:
            try:
                return guarded()
            except OSError:
                return guard._read_status()["ignored_calls"]

        return call

    class Response:
        """Has the names and attributes of the response of requests."""

        __module__ = "requests.models"
        __qualname__ = "Response"
        headers: dict[str, str] = {}  # noqa: RUF012

        def __init__(self, status_code: int) -> None:
            self.status_code = status_code

    def answered(status: int) -> Callable[[], object]:
        guard, response = breaker(), Response(status)

        def call() -> object:
            guard.call_sync(lambda: response)
            return (guard.metrics.failed_calls, guard.metrics.ignored_calls)

        return call

    def of_the_replaced_module() -> dict[str, Callable[[], object]]:
        old_config, make = compat.CircuitBreakerConfig(failure_threshold=1), compat.CircuitBreaker
        old_ones = {name: make(old_config) for name in ("works", "fails", "opened", "read")}
        works, fails = old_ones["works"](value), old_ones["fails"](failure)
        return {
            "compat": lambda: finish(works()),
            "compat, call": lambda: finish(old_ones["works"].call(later)),
            "compat, call_sync": lambda: old_ones["works"].call_sync(value),
            "compat, fails": lambda: finish(fails()),
            "compat, rejected": lambda: finish(fails()),
            "compat, force_open": lambda: finish(old_ones["opened"].force_open()) or old_ones["opened"].state.value,
            "compat, reset": lambda: finish(old_ones["opened"].reset()) or old_ones["opened"].state.value,
            "compat, metrics": lambda: old_ones["fails"].metrics.failed_calls,
            "compat, status": lambda: old_ones["fails"].get_status()["metrics"]["rejected_calls"],
            "compat, a new breaker": lambda: finish(make(old_config).call(value)),
        }

    guarded = {name: breaker() for name in ("plain", "coroutine", "generator", "async generator", "call", "block")}
    plain, plain_fails = breaker()(value), breaker()(failure)
    coroutine, coroutine_fails = breaker()(later), breaker()(failure_later)
    generator, generator_fails = breaker()(numbers), breaker()(broken_numbers)
    stream, stream_fails = breaker()(numbers_later), breaker()(broken_numbers_later)
    timed, registry = breaker(clock=ManualClock())(value), Registry(10)
    opened = breaker()
    rejected = opened(value)
    opened.force_open()
    return {
        "decorated": plain,
        "decorated, fails": plain_fails,
        "decorated, rejected": rejected,
        "coroutine": lambda: finish(coroutine()),
        "coroutine, fails": lambda: finish(coroutine_fails()),
        "generator": lambda: [*generator()],
        "generator, fails": lambda: [*generator_fails()],
        "async generator": lambda: finish(drained(stream())),
        "async generator, fails": lambda: finish(drained(stream_fails())),
        "call": lambda: finish(guarded["call"].call(later)),
        "call, plain": lambda: finish(guarded["call"].call(value)),
        "call, fails": lambda: finish(guarded["plain"].call(failure)),
        "call_sync": lambda: guarded["call"].call_sync(value),
        "call_sync, awaited later": lambda: finish(guarded["call"].call_sync(later)),
        "call_sync, iterated later": lambda: [*guarded["call"].call_sync(numbers)],
        "call_sync, a stream": lambda: finish(drained(guarded["call"].call_sync(numbers_later))),
        "call_sync, fails": lambda: guarded["coroutine"].call_sync(failure),
        "call_sync, rejected": lambda: opened.call_sync(value),
        "block": lambda: block(guarded["block"], value),
        "block, fails": lambda: block(guarded["generator"], failure),
        "block, rejected": lambda: block(opened, value),
        "async block": lambda: finish(async_block(guarded["block"], value)),
        "async block, fails": lambda: finish(async_block(guarded["async generator"], failure)),
        "permit": lambda: guarded["block"].acquire().success(),
        "permit, dropped": dropped(),
        "suspended coroutine, closed": suspended(),
        "classifier": mapped("ignored"),
        "classifier with a verdict": mapped(Verdict("ignored", cooldown=5)),
        "classifier without an outcome": mapped("nonsense"),
        "response": answered(503),
        "response, rate limit": answered(429),
        "clock": timed,
        "listener": observed(lambda observed_breaker: observed_breaker.acquire().failure()),
        "force_open": observed(lambda observed_breaker: observed_breaker.force_open()),
        "a new breaker": lambda: breaker().call_sync(value),
        "a new breaker with a classifier": lambda: breaker(classify=repr, judge=repr).call_sync(value),
        "registry": lambda: registry.get_or_create(config) is registry.get("default"),
        "state": lambda: guarded["block"].state.value,
        "metrics": lambda: guarded["block"].metrics.failed_calls,
        "status": lambda: guarded["block"].get_status()["state"],
        "events": lambda: ", ".join([event.to_state.value for event in guarded["generator"].events()]),
        "explain": guarded["block"].explain,
        **of_the_replaced_module(),
        "bad configuration": lambda: config.model_copy(update={"failure_threshold": 0}),
    }


class Last:
    """Makes the calls when it is deleted."""

    def __init__(self, calls: dict[str, Callable[[], object]]) -> None:
        self.calls = calls
        self.write = os.write

    def __del__(self) -> None:
        for name, call in self.calls.items():
            try:
                answer = str(call())
            except Exception as error:
                answer = error.__class__.__name__
            self.write(1, f"{name}: {answer}\n".encode())


def keep(place: str, last: Last) -> None:
    """Stores the object in a place that lives until interpreter exit."""
    if place == "this module":
        globals()["kept"] = last
    elif place == "a module of before":
        os.kept = last  # type: ignore[attr-defined]
    elif place == "sys":
        sys.kept = last  # type: ignore[attr-defined]
    elif place == "builtins":
        builtins.kept = last  # type: ignore[attr-defined]
    elif place == "garbage":
        gc.disable()
        last.cycle = last  # type: ignore[attr-defined]
    elif place == "a thread":
        local = threading.local()
        local.kept = last
        globals()["local"] = local
    elif place == "an event loop":
        loop = asyncio.new_event_loop()
        loop.close()
        loop.kept = last  # type: ignore[attr-defined]
        globals()["loop"] = loop
    elif place == "atexit":
        atexit.register(last.calls["decorated"])
        atexit.register(lambda: last)
    else:
        raise ValueError(place)


for logger in ("halfopen", "app"):
    logging.getLogger(logger).addHandler(logging.NullHandler())
keep(sys.argv[1], Last(ways()))
