"""Forks again and again while other threads use breakers; each child then does everything that a breaker can do."""

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable

from prometheus_client import CollectorRegistry, generate_latest

from halfopen import CircuitBreaker, CircuitBreakerConfig, Registry
from halfopen.prometheus import register

CHILDREN = 15
TOO_LONG = 20
"""Seconds after which a child hangs."""

config = CircuitBreakerConfig(name="shared", failure_threshold=1)
kept = [CircuitBreaker(CircuitBreakerConfig(name=f"breaker {number}")) for number in range(300)]
breaker, registry, scraped = kept[0], Registry(10), CollectorRegistry()
register(scraped)


def fails() -> None:
    raise OSError


def blocks() -> None:
    for guard in kept:
        with guard:
            pass


def construct() -> None:
    # More than are swept at once, so that some go.
    for number in range(100):
        CircuitBreaker(CircuitBreakerConfig(name=f"short-lived {number}")).call_sync(str)


def fill_registry() -> None:
    for number in range(20):
        registry.get_or_create(CircuitBreakerConfig(name=f"registered {number}"))
    registry.breakers()


def slow_listener() -> None:
    guard = kept[1]
    end = guard.subscribe(lambda _: [None for _ in range(10_000)])
    guard.force_open()
    guard.reset()
    end()


class Unhurried:
    """Garbage that lets other threads run while it is collected, wherever that happens."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        for _ in range(200):
            pass


def litter() -> None:
    for _ in range(50):
        Unhurried()
    construct()


OTHERS: dict[str, Callable[[], object]] = {
    "scrapes": lambda: generate_latest(scraped),
    "reads": lambda: [guard.get_status() for guard in kept],
    "enters and leaves blocks": blocks,
    "makes breakers": construct,
    "fills a registry": fill_registry,
    "delivers": slow_listener,
    "collects garbage": litter,
}


async def asynchronously(guard: CircuitBreaker) -> None:
    async with guard:
        await guard.call(asyncio.sleep, 0)


def use_everything() -> None:
    """What a child does; it raises where something went wrong."""
    heard: list[str] = []
    own = CircuitBreaker(config)
    own.subscribe(lambda event: heard.append(event.to_state.value))
    assert own.call_sync(str) == ""
    try:
        own(fails)()
    except OSError:
        assert own.state == "open"
    assert heard == ["open"]
    for guard in (own, breaker, kept[1]):
        guard.reset()
        with guard:
            assert guard.metrics.in_flight == 1
        assert guard.metrics.in_flight == 0
        asyncio.run(asynchronously(guard))
        guard.snapshot()
    told: list[str] = []
    kept[1].subscribe(lambda event: told.append(event.to_state.value))
    kept[1].force_open()
    assert told == ["open"], "a listener in the child hears of what happens there"
    in_registry = registry.get_or_create(CircuitBreakerConfig(name="in the child"))
    assert registry.remove("in the child") is in_registry
    registry.remove_unused()
    construct()
    assert b"circuit_breaker_state" in generate_latest(scraped)


def child() -> None:
    signal.alarm(TOO_LONG)
    try:
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
    codes: list[int] = []
    for _ in range(CHILDREN):
        process = os.fork()
        if process == 0:
            child()
        codes.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
        if codes[-1]:
            break
    running = False
    for thread in threads:
        thread.join()
    # A child that hangs is ended by its alarm.
    print("a child hangs" if -signal.SIGALRM in codes else set(codes))
    use_everything()


main(OTHERS[sys.argv[1]])
