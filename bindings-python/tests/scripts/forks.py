"""Forks repeatedly while other threads use breakers; each child then uses every function of a breaker."""

import asyncio
import faulthandler
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress

from everything import use_everything
from prometheus_client import CollectorRegistry, generate_latest

from halfopen import CircuitBreaker, CircuitBreakerConfig, Registry, RegistryFullError
from halfopen.prometheus import register

CHILDREN = 8
TOO_LONG = 20
"""Seconds after which a child is considered hung."""

config = CircuitBreakerConfig(name="shared", failure_threshold=1)
kept = [CircuitBreaker(CircuitBreakerConfig(name=f"breaker {number}")) for number in range(300)]
breaker, registry, scraped = kept[0], Registry(10), CollectorRegistry()
register(scraped)
# At its first use, asyncio takes a lock of its own that it does not renew in a child.
asyncio.run(asyncio.sleep(0))


def fails() -> None:
    raise OSError


def blocks() -> None:
    for guard in kept:
        with guard:
            pass


def construct() -> None:
    # Enough breakers that the sweep removes some.
    for number in range(100):
        CircuitBreaker(CircuitBreakerConfig(name=f"short-lived {number}")).call_sync(str)


def fill_registry() -> None:
    for number in range(20):
        # Full, if another thread holds the other breakers.
        with suppress(RegistryFullError):
            registry.get_or_create(CircuitBreakerConfig(name=f"registered {number}"))
    registry.breakers()


def slow_listener() -> None:
    guard = kept[1]
    end = guard.subscribe(lambda _: [None for _ in range(1_000)])
    guard.force_open()
    guard.reset()
    end()


class SlowFinalizer:
    """Garbage that lets other threads run while it is collected."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(200):
            pass


def litter() -> None:
    for _ in range(50):
        SlowFinalizer()
    construct()


OTHERS: dict[str, Callable[[], object]] = {
    "scrapes": lambda: generate_latest(scraped),
    "reads": lambda: [guard.get_status() for guard in kept],
    "enters and leaves blocks": blocks,
    "makes breakers": construct,
    "fills a registry": fill_registry,
    "delivers": slow_listener,
    "collects garbage": litter,
    "does everything": use_everything,
    "registers metrics": lambda: register(CollectorRegistry()),
}


async def asynchronously(guard: CircuitBreaker) -> None:
    async with guard:
        await guard.call(asyncio.sleep, 0)


def use_breakers() -> None:
    """The work of a child; raises if something is wrong."""
    received: list[str] = []
    own = CircuitBreaker(config)
    own.subscribe(lambda event: received.append(event.to_state.value))
    assert own.call_sync(str) == ""
    try:
        own(fails)()
    except OSError:
        assert own.state == "open"
    assert received == ["open"]
    for guard in (own, breaker, kept[1]):
        guard.reset()
        with guard:
            assert guard.metrics.in_flight == 1
        assert guard.metrics.in_flight == 0
        guard.snapshot()
    asyncio.run(asynchronously(own))
    of_child: list[str] = []
    kept[1].subscribe(lambda event: of_child.append(event.to_state.value))
    kept[1].force_open()
    assert of_child == ["open"], "a listener in the child is told what happens there"
    registry.remove_unused()
    in_registry = Registry(1).get_or_create(config)
    assert registry.get("a name that nobody has") is None
    assert in_registry is not own
    construct()
    # A registry of its own: prometheus_client may have forked while another thread held the lock of the inherited one.
    own_registry = CollectorRegistry()
    register(own_registry)
    assert b"halfopen_state" in generate_latest(own_registry)


def child() -> None:
    signal.alarm(TOO_LONG)
    # Prints the traceback of a hung child.
    faulthandler.dump_traceback_later(TOO_LONG - 1)
    sys.setswitchinterval(0.005)
    try:
        use_breakers()
        use_everything()
    except BaseException:
        sys.excepthook(*sys.exc_info())
        os._exit(1)
    os._exit(0)


def main(other: Callable[[], object]) -> None:
    running = True
    sys.setswitchinterval(1e-5)

    def again_and_again() -> None:
        while running:
            other()

    threads = [threading.Thread(target=again_and_again) for _ in range(2)]
    for thread in threads:
        thread.start()
    processes: list[int] = []
    for _ in range(CHILDREN):
        processes.append(os.fork())
        if processes[-1] == 0:
            child()
    running = False
    for thread in threads:
        thread.join()
    codes = {os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes}
    # A hung child is killed by its alarm.
    print("a child hangs" if -signal.SIGALRM in codes else f"exit codes {codes}")
    use_breakers()


# `use_everything` makes listeners, clocks and observers raise.
logging.disable()
sys.unraisablehook = lambda _: None
main(OTHERS[sys.argv[1]])
