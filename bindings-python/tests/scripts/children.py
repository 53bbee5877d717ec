"""Inherited breakers in forked children. Each part prints its findings."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

from halfopen import CircuitBreaker, CircuitBreakerConfig, ManualClock
from halfopen.compat.orchestration import OrchestrationConfig, ProviderOrchestrator, SelectionStrategy

config = CircuitBreakerConfig(
    failure_threshold=1, success_threshold=1, timeout_seconds=100, half_open_max_calls=1, timeout_jitter=0.5
)
clock = ManualClock()
breaker = CircuitBreaker(config, clock=clock)


def fails() -> None:
    raise OSError


def in_a_child(find: Callable[[], object]) -> Any:
    """Prints the findings of a child."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        signal.alarm(20)
        try:
            os.write(writer, json.dumps(find()).encode())
        except BaseException:
            sys.excepthook(*sys.exc_info())
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as found:
        text = found.read()
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    return json.loads(text)


def counts(of: CircuitBreaker = breaker) -> list[object]:
    metrics = of.metrics
    return [of.state.value, metrics.successful_calls, metrics.failed_calls, metrics.cancelled_calls, metrics.in_flight]


def wait(of: CircuitBreaker) -> float | None:
    return of.get_status()["retry_after_seconds"]


def opened(of: CircuitBreaker) -> float | None:
    of.acquire().failure()
    return wait(of)


def waits() -> None:
    """Waits of breakers made before and after the fork, and of one whose wait runs at the fork."""
    running = CircuitBreaker(config, clock=clock)
    opened(running)

    def find() -> list[float | None]:
        return [opened(breaker), opened(CircuitBreaker(config, clock=clock)), wait(running)]

    found = [in_a_child(find) for _ in range(6)]
    print([len({waits[place] for waits in found}) for place in range(3)])
    print({waits[2] for waits in found} == {wait(running)})


def half_open() -> None:
    opened(breaker)
    clock.advance(200)


def slot_is_taken() -> bool:
    try:
        breaker.acquire().cancel()
    except Exception as error:
        return bool(error.args[2] == "probes_busy")
    return False


def probe() -> None:
    """A probe is in flight at the fork."""
    half_open()
    permit = breaker.acquire()

    def find() -> object:
        free = not slot_is_taken()
        permit.failure()
        still_half_open = breaker.state == "half_open"
        breaker.call_sync(str)
        return [free, still_half_open, counts()]

    print(in_a_child(find))
    print(slot_is_taken(), permit.success(), counts())


def dropped() -> None:
    """The same, and the child drops the permit while another probe holds the slot."""
    half_open()
    permits = [breaker.acquire()]

    def find() -> object:
        own = breaker.acquire()
        permits.clear()
        return [slot_is_taken(), own.success(), counts()]

    print(in_a_child(find))
    permits.clear()
    print(slot_is_taken(), counts())


def run_inside(way: str, found: Callable[[], Any]) -> Any:
    """Runs something inside a call."""

    async def later() -> Any:
        return found()

    def numbers() -> Iterator[Any]:
        yield found()

    async def block() -> Any:
        async with breaker:
            return found()

    def finish(running: Any) -> Any:
        try:
            running.send(None)
        except StopIteration as end:
            return end.value
        raise AssertionError

    if way == "decorated":
        return breaker(found)()
    if way == "call_sync":
        return breaker.call_sync(found)
    if way == "coroutine":
        return finish(breaker(later)())
    if way == "generator":
        return [*breaker(numbers)()].pop()
    if way == "async block":
        return finish(block())
    assert way == "block"
    with breaker:
        return found()


def within(way: str) -> None:
    """A child is forked inside a call, ends the call and makes other calls; the parent does the same."""
    half_open()
    reader, writer = os.pipe()
    process = run_inside(way, os.fork)
    if process == 0:
        # The end of the parent's call does not count here.
        os.write(writer, json.dumps([counts(), not slot_is_taken(), breaker.call_sync(str), counts()]).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as found:
        print(json.loads(found.read()))
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), counts())


def still_inside(way: str) -> None:
    """A child is forked inside a probe and continues there; its calls count in the child."""
    half_open()

    def find() -> object:
        return [breaker.call_sync(str), counts()]

    print(run_inside(way, lambda: in_a_child(find)))
    print(counts())


def listener() -> None:
    """A child is forked in a listener."""
    received: list[str] = []
    found: list[object] = []

    def listen(event: Any) -> None:
        received.append(event.to_state.value)
        if event.sequence == 1:

            def find() -> object:
                breaker.reset()
                before = list(received)
                return [before, breaker.state.value]

            found.append(in_a_child(find))

    breaker.subscribe(listen)
    opened(breaker)
    print(found[0], received)


def goes_on_in_a_listener() -> None:
    """The child leaves the listener in which it was forked, and receives later events."""
    received: list[str] = []
    processes: list[int] = []

    def listen(event: Any) -> None:
        received.append(event.to_state.value)
        if event.sequence == 1:
            processes.append(os.fork())

    breaker.subscribe(listen)
    opened(breaker)
    breaker.reset()
    if processes[0]:
        assert os.waitpid(processes[0], 0)[1] == 0
    print(received, flush=True)
    if not processes[0]:
        os._exit(0)


def classifier() -> None:
    """A child is forked in a classifier and exits there."""
    guard = CircuitBreaker(config, classify=lambda _: in_a_child(lambda: "ignored"))
    try:
        guard.call_sync(fails)
    except OSError:
        print(guard.metrics.ignored_calls, guard.metrics.in_flight)


def choices() -> None:
    """Forked children that share an orchestrator of ``halfopen.compat`` choose at random independently."""
    orchestrator = ProviderOrchestrator(OrchestrationConfig(strategy=SelectionStrategy.RANDOM))

    async def chosen() -> list[str]:
        return [(await orchestrator.select_provider()).provider_id for _ in range(20)]

    found = [in_a_child(lambda: asyncio.run(chosen())) for _ in range(3)]
    print(len({*map(tuple, found)}))


def grandchild() -> None:
    """Each generation of children has other waits."""

    def find() -> list[object]:
        return [in_a_child(lambda: opened(breaker)), in_a_child(lambda: opened(breaker)), opened(breaker)]

    print(len({*in_a_child(find), opened(breaker)}))


PARTS: dict[str, Callable[..., None]] = {
    part.__name__: part
    for part in (
        waits, probe, dropped, within, still_inside, listener, goes_on_in_a_listener, classifier, choices, grandchild
    )
}  # fmt: skip
PARTS[sys.argv[1]](*sys.argv[2:])
