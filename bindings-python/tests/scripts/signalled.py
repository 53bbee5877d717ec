"""Makes calls until a signal comes."""

import asyncio
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator

from halfopen import CircuitBreaker

breaker = CircuitBreaker()
handled = "handled" in sys.argv


def work() -> None:
    time.sleep(0.0001)


async def waits() -> None:
    await asyncio.sleep(0)


def numbers() -> Iterator[int]:
    yield 1


def block() -> None:
    with breaker:
        work()


async def async_block() -> None:
    async with breaker:
        await asyncio.sleep(0)


def forever(call: Callable[[], object]) -> None:
    call()
    print("calling")
    while True:
        call()


async def forever_in_a_loop(call: Callable[[], Awaitable[None]]) -> None:
    if handled:
        # An exception of a signal handler may lose a step of an event loop, which then waits forever.
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    await call()
    print("calling")
    while True:
        await call()


decorated, coroutine, generator = breaker(work), breaker(waits), breaker(numbers)
timed = CircuitBreaker(clock=time.monotonic)(work)
WAYS: dict[str, Callable[[], object]] = {
    "decorated": lambda: forever(decorated),
    "coroutine": lambda: asyncio.run(forever_in_a_loop(coroutine)),
    "generator": lambda: forever(lambda: list(generator())),
    "call_sync": lambda: forever(lambda: breaker.call_sync(work)),
    "block": lambda: forever(block),
    "async block": lambda: asyncio.run(forever_in_a_loop(async_block)),
    "clock": lambda: forever(timed),
}


def end(*_: object) -> None:
    sys.exit(9)


# Background processes of a shell ignore interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)
if handled:
    signal.signal(signal.SIGTERM, end)
try:
    WAYS[sys.argv[1]]()
except (SystemExit, asyncio.CancelledError):
    counts = breaker.metrics
    print(f"{counts.in_flight} in flight, {counts.failed_calls} failed")
    sys.exit(9)
