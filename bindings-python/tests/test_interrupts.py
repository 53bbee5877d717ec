"""A signal handler may raise between any two instructions; no permit is lost."""

import gc
import logging
import signal
import sys
import threading
from _thread import interrupt_main
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future
from itertools import count
from operator import call, itemgetter
from types import FrameType
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError

# Between the call of a coroutine function and its await there are instructions as well.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Enables interrupts, which background processes of a shell ignore."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: sys.exit()),
    }
    # Garbage collection runs callbacks, whose exceptions are only reported.
    gc.disable()
    # Python's handlers of records keep their lock if an exception strikes inside, and pytest adds such handlers.
    log = logging.getLogger("halfopen")
    log.propagate = False
    yield
    log.propagate = True
    gc.enable()
    for number, handler in before.items():
        signal.signal(number, handler)


def plain(answer: int) -> int:
    return answer


async def coroutine(answer: int) -> int:
    return answer


def numbers() -> Iterator[int]:
    yield 1


async def later_numbers() -> AsyncIterator[int]:
    yield 1


class Custom:
    """An awaitable that is not a coroutine."""

    def __init__(self, answer: int) -> None:
        self._answer = answer

    def __await__(self) -> Generator[Any, Any, int]:
        return coroutine(self._answer).__await__()


def finish(running: Coroutine[Any, Any, Any] | Generator[Any, Any, Any]) -> Any:
    """Runs a coroutine that never waits, without an event loop, which would handle the interrupt."""
    try:
        running.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it waited")


def submitted(breaker: CircuitBreaker) -> Future[int]:
    """A future that is done from the start."""
    future: Future[int] = Future()
    future.set_result(1)
    return breaker.call_sync(lambda: future)


async def drain(stream: AsyncIterator[int]) -> list[int]:
    return [item async for item in stream]


def block(breaker: CircuitBreaker) -> None:
    with breaker:
        plain(1)


async def async_block(breaker: CircuitBreaker) -> None:
    async with breaker:
        plain(1)


def permit_block(breaker: CircuitBreaker) -> None:
    with breaker.acquire():
        plain(1)


async def async_permit_block(breaker: CircuitBreaker) -> None:
    async with breaker.acquire():
        plain(1)


CALLS: dict[str, Callable[[CircuitBreaker], object]] = {
    "decorated": lambda breaker: breaker(plain)(1),
    "decorated coroutine": lambda breaker: finish(breaker(coroutine)(1)),
    "decorated generator": lambda breaker: list(breaker(numbers)()),
    "decorated async generator": lambda breaker: finish(drain(breaker(later_numbers)())),
    "call_sync": lambda breaker: breaker.call_sync(plain, 1),
    "call_sync with what is awaited later": lambda breaker: finish(breaker.call_sync(coroutine, 1)),
    "call_sync with a custom awaitable": lambda breaker: finish(breaker.call_sync(Custom, 1).__await__()),
    "call_sync with a future": lambda breaker: submitted(breaker).result(),
    "call_sync with what is iterated later": lambda breaker: list(breaker.call_sync(numbers)),
    "call": lambda breaker: finish(breaker.call(plain, 1)),
    "call of a coroutine": lambda breaker: finish(breaker.call(coroutine, 1)),
    "acquire": lambda breaker: breaker.acquire().success(),
    "block of a permit": permit_block,
    "async block of a permit": lambda breaker: finish(async_permit_block(breaker)),
}
BLOCKS: dict[str, Callable[[CircuitBreaker], object]] = {
    "block": block,
    "async block": lambda breaker: finish(async_block(breaker)),
}


def interruptions(
    call: Callable[[CircuitBreaker], object],
    number: signal.Signals = signal.SIGINT,
    *,
    of_ours_alone: bool = False,
    make: Callable[[], CircuitBreaker] = CircuitBreaker,
) -> int:
    """Repeats the call, each time with the signal one step later, until the call completes."""

    def interrupted_at(step: int) -> bool:
        breaker = make()
        steps = count()

        def trace(frame: FrameType, event: str, _: object) -> Any:
            frame.f_trace_opcodes = not (of_ours_alone and frame.f_code.co_filename == __file__)
            if event == "opcode" and next(steps) == step:
                signal.raise_signal(number)
            return trace

        before = sys.gettrace()
        # Python 3.12 checks `f_trace_opcodes` when `settrace` is called.
        sys._getframe().f_trace_opcodes = True
        sys.settrace(trace)
        try:
            call(breaker)
        except (KeyboardInterrupt, SystemExit):
            return True
        else:
            return False
        finally:
            sys.settrace(before)
            metrics = breaker.metrics
            assert metrics.in_flight == 0, f"lost at step {step}"
            assert metrics.failed_calls == 0, f"blamed on the provider at step {step}"

    return next(step for step in count() if not interrupted_at(step))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("way", CALLS)
def test_a_call_interrupted_at_any_step_returns_its_permit(way: str, number: signal.Signals) -> None:
    assert interruptions(CALLS[way], number) > 5


@pytest.mark.parametrize("way", CALLS)
def test_a_probe_interrupted_at_any_step_frees_its_slot_and_clears_its_mark(way: str) -> None:
    made: list[CircuitBreaker] = []

    def probing() -> CircuitBreaker:
        config = CircuitBreakerConfig(half_open_max_calls=1, success_threshold=255)
        breaker = CircuitBreaker(config, clock=map(float, count()).__next__)
        breaker.force_open(1e-9)
        made.append(breaker)
        return breaker

    assert interruptions(CALLS[way], make=probing) > 5
    for breaker in made:
        # A call that shares the permit of the previous one would take no slot.
        first = breaker.acquire()
        with pytest.raises(CircuitBreakerOpenError):
            breaker.acquire()
        assert first.success()


@pytest.mark.parametrize("way", BLOCKS)
def test_entering_and_leaving_a_block_cannot_be_interrupted(way: str) -> None:
    # No signal handler runs inside the `with` statement itself, but a trace function does.
    assert interruptions(BLOCKS[way], of_ours_alone=True) == 0


@pytest.mark.parametrize("way", CALLS | BLOCKS)
@pytest.mark.parametrize("reading", ["the first", "the second"])
def test_an_interrupt_at_admission_or_at_the_end_loses_no_permit(way: str, reading: str) -> None:
    # Python handles a signal at the next instruction. The clock receives the signal during the admission. It runs no
    # instruction of its own, because it pops a C function from a list, so the next instruction follows the admission.
    readings: list[Callable[[], float]] = [float] * 100
    breaker = CircuitBreaker(CircuitBreakerConfig(), clock=map(call, iter(readings.pop, None)).__next__)
    interrupted = map(itemgetter(1), zip(iter(interrupt_main, 1), [0.0], strict=False)).__next__
    readings += [interrupted] if reading == "the first" else [interrupted, float]

    def run() -> None:
        (CALLS | BLOCKS)[way](breaker)
        # Python checks for signals at the end of a loop, not at a return.
        for _ in range(2):
            pass

    with pytest.raises(KeyboardInterrupt):
        run()
    assert interrupted not in readings
    assert breaker.metrics.in_flight == 0
    assert breaker.metrics.total_calls == 1


class Leaving(BaseException):
    """Raised by a signal handler, like ``sys.exit`` in a handler of SIGTERM."""


def leave(*_: object) -> None:
    raise Leaving


@pytest.fixture
def signalled() -> Generator[Callable[[], None]]:
    """Sends the process a signal whose handler raises, and fails if an error was swallowed."""
    before = signal.signal(signal.SIGUSR1, leave)
    yield lambda: signal.raise_signal(signal.SIGUSR1)
    signal.signal(signal.SIGUSR1, before)


def reaches_the_caller(call: Callable[[], object]) -> None:
    def call_and_go_on() -> None:
        call()
        # The exception is raised when Python code runs again.
        for _ in range(1_000):
            pass

    with pytest.raises(Leaving):
        call_and_go_on()


def test_an_exception_of_a_signal_handler_in_a_listener_reaches_the_caller(signalled: Callable[[], None]) -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
    breaker.subscribe(lambda _event: signalled())
    reaches_the_caller(lambda: breaker.acquire().failure())
    assert breaker.state == "open"


def test_an_exception_of_a_signal_handler_in_a_clock_reaches_the_caller(signalled: Callable[[], None]) -> None:
    readings = iter([lambda: None, signalled])

    def clock() -> float:
        next(readings, lambda: None)()
        return 1.0

    breaker = CircuitBreaker(clock=clock)
    reaches_the_caller(lambda: breaker.call_sync(int))
    assert breaker.metrics.in_flight == 0


def test_an_exception_of_a_signal_handler_in_an_observer_reaches_the_caller(signalled: Callable[[], None]) -> None:
    class Observer:
        def admitted(self) -> None: ...

        def rejected(self, _retry_after: float | None, _reason: str) -> None: ...

        def settled(self, _outcome: str, _seconds: float | None) -> None:
            signalled()

    breaker = CircuitBreaker()
    assert breaker._observe(Observer())
    reaches_the_caller(lambda: breaker.call_sync(int))
    assert breaker.metrics.successful_calls == 1


def test_an_exception_of_a_listener_in_another_thread_is_reported_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: reported.append(raised.exc_type))
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1))
    breaker.subscribe(lambda _event: leave())
    thread = threading.Thread(target=lambda: breaker.acquire().failure())
    thread.start()
    thread.join()
    assert reported == [Leaving]
