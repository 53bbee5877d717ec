"""Exits while a daemon thread is inside a call, late enough for the thread to notice."""

import asyncio
import atexit
import builtins
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from itertools import count

from halfopen import CircuitBreaker, CircuitBreakerConfig

started = threading.Event()


def work(*_: object) -> None:
    """Releases the interpreter repeatedly."""
    started.set()
    while True:
        time.sleep(0.001)


async def waits() -> None:
    started.set()
    for _ in count():
        await asyncio.sleep(0.001)


breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))


def in_a_coroutine() -> None:
    async def coroutine() -> None:
        work()

    asyncio.run(breaker(coroutine)())


def in_a_generator() -> None:
    def numbers() -> Iterator[int]:
        work()
        yield 1

    list(breaker(numbers)())


def in_a_block() -> None:
    with breaker:
        work()


def in_a_classifier() -> None:
    def fails() -> None:
        raise OSError

    CircuitBreaker(classify=work).call_sync(fails)


def in_a_clock() -> None:
    def clock() -> float:
        if made:
            work()
        return 0.0

    made: list[CircuitBreaker] = []
    made.append(CircuitBreaker(clock=clock))
    made[0].acquire()


def in_a_listener() -> None:
    breaker.subscribe(work)
    breaker.force_open()


def suspended() -> None:
    @breaker
    def paused() -> Generator[None, None, None]:
        try:
            yield
        finally:
            work()

    running = paused()
    next(running)
    running.close()


WAYS: dict[str, Callable[[], object]] = {
    "decorated": breaker(work),
    "decorated, with many arguments": lambda: breaker(work)(1, 2, 3, 4),
    "coroutine": in_a_coroutine,
    "generator": in_a_generator,
    "call_sync": lambda: breaker.call_sync(work, 1),
    "block": in_a_block,
    "classifier": in_a_classifier,
    "clock": in_a_clock,
    "listener": in_a_listener,
    "event loop": lambda: asyncio.run(breaker(waits)()),
    "suspended coroutine": suspended,
}


class Late:
    """Delays finalization, so that the thread returns to the interpreter."""

    def __init__(self) -> None:
        self.sleep = time.sleep

    def __del__(self) -> None:
        self.sleep(0.05)


builtins.late = Late()  # type: ignore[attr-defined]
threading.Thread(target=WAYS[sys.argv[1]], daemon=True).start()
started.wait()
atexit.register(os.write, 1, b"main ends\n")
