"""Exits in one of many ways while calls are in flight."""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Generator, Iterator
from typing import Any

from halfopen import CircuitBreaker, CircuitBreakerConfig

breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=9))


def leave() -> None:
    os._exit(7)


def quit_python() -> None:
    sys.exit(8)


def in_a_block(run: Callable[[], object]) -> None:
    with breaker:
        run()


def in_a_listener() -> None:
    breaker.subscribe(lambda _: leave())
    breaker.force_open()


def in_a_coroutine() -> None:
    async def coroutine() -> None:
        quit_python()

    asyncio.run(breaker(coroutine)())


def beside_a_thread() -> None:
    inside = threading.Event()

    def work() -> None:
        inside.set()
        while True:
            pass

    threading.Thread(target=breaker(work), daemon=True).start()
    inside.wait()
    leave()


def threads_that_are_waited_for() -> None:
    main_has_ended = threading.Event()

    def fails() -> None:
        raise OSError

    async def later() -> int:
        return 42

    def work() -> None:
        main_has_ended.wait()
        print(breaker.call_sync(lambda: 41))
        try:
            breaker(fails)()
        except OSError as error:
            print(type(error).__name__)
        print(asyncio.run(breaker(later)()))

    threading.Thread(target=work).start()

    def end() -> None:
        print("main ends")
        main_has_ended.set()

    threading._register_atexit(end)  # type: ignore[attr-defined]


class Pause:
    def __await__(self) -> Generator[None, None, None]:
        yield


@breaker
async def suspended_coroutine() -> None:
    await Pause()


@breaker
def suspended_generator() -> Iterator[int]:
    yield 1


def suspended_block() -> Generator[None, None, None]:
    with breaker:
        yield


def suspended() -> None:
    running: list[Any] = [suspended_coroutine(), suspended_generator(), suspended_block(), breaker.acquire()]
    running[0].send(None)
    next(running[1])
    next(running[2])
    waiting: Coroutine[Any, Any, None] = breaker.call(suspended_coroutine)
    waiting.send(None)
    globals()["kept"] = [running, waiting]
    atexit.register(os.write, 1, b"main ends\n")


WAYS: dict[str, Callable[[], object]] = {
    "os._exit in a call": breaker(leave),
    "os._exit in a block": lambda: in_a_block(leave),
    "os._exit in a listener": in_a_listener,
    "os._exit beside a thread in a call": beside_a_thread,
    "sys.exit in a call": breaker(quit_python),
    "sys.exit in a block": lambda: in_a_block(quit_python),
    "sys.exit in a coroutine": in_a_coroutine,
    "threads that are waited for": threads_that_are_waited_for,
    "suspended": suspended,
}
WAYS[sys.argv[1]]()
