"""Many tasks, threads and event loops on one breaker: no count is lost, no slot is taken twice."""

import asyncio
import gc
import sys
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError, CircuitBreakerState, ManualClock

THREADS = 16
AWAITS = 10_000


async def test_ten_thousand_awaits_at_once_lose_no_count() -> None:
    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=65535))
    release = asyncio.Event()

    async def provider(number: int) -> int:
        await release.wait()
        if number % 2:
            raise OSError
        return number

    tasks = [asyncio.create_task(breaker.call(provider, number)) for number in range(AWAITS)]
    await asyncio.sleep(0)
    assert breaker.metrics.in_flight == AWAITS
    for task in tasks[: AWAITS // 10]:
        task.cancel()
    release.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    seen = Counter(type(result) for result in results)
    metrics = breaker.metrics
    assert seen == {int: AWAITS * 9 // 20, OSError: AWAITS * 9 // 20, asyncio.CancelledError: AWAITS // 10}
    assert (metrics.total_calls, metrics.in_flight) == (AWAITS, 0)
    assert (metrics.successful_calls, metrics.failed_calls) == (seen[int], seen[OSError])
    assert metrics.cancelled_calls == seen[asyncio.CancelledError]


async def test_ten_thousand_awaits_never_exceed_the_probe_slots(clock: ManualClock) -> None:
    slots = 3
    config = CircuitBreakerConfig(
        failure_threshold=1, success_threshold=255, timeout_seconds=1, half_open_max_calls=slots
    )
    breaker = CircuitBreaker(config, clock=clock)
    breaker.acquire().failure()
    clock.advance(1)
    probing, most = 0, 0

    async def provider() -> None:
        nonlocal probing, most
        probing += 1
        most = max(most, probing)
        await asyncio.sleep(0)
        probing -= 1

    results = await asyncio.gather(*(breaker.call(provider) for _ in range(AWAITS)), return_exceptions=True)
    rejected = sum(isinstance(result, CircuitBreakerOpenError) for result in results)
    assert most == slots
    assert breaker.metrics.rejected_calls == rejected
    assert breaker.metrics.total_calls + rejected == AWAITS + 1


def test_sixteen_threads_lose_no_count() -> None:
    config = CircuitBreakerConfig(failure_threshold=2, success_threshold=1, timeout_seconds=1e-9)
    ticks = iter(range(10**9))
    breaker = CircuitBreaker(config, clock=lambda: next(ticks) * 1e-9)
    start = threading.Barrier(THREADS)

    def work(thread: int) -> Counter[str]:
        seen: Counter[str] = Counter()
        start.wait()
        for number in range(2000):
            try:
                permit = breaker.acquire()
            except CircuitBreakerOpenError:
                seen["rejected"] += 1
            else:
                how = ("success", "failure", "ignored", "cancelled")[(thread + number) % 4]
                permit.settle(how)  # type: ignore[arg-type]
                seen[how] += 1
        return seen

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            seen = sum(pool.map(work, range(THREADS)), Counter[str]())
    finally:
        sys.setswitchinterval(interval)
    metrics = breaker.metrics
    assert metrics.successful_calls == seen["success"]
    assert metrics.failed_calls == seen["failure"]
    assert metrics.ignored_calls == seen["ignored"]
    assert metrics.cancelled_calls == seen["cancelled"]
    assert metrics.rejected_calls == seen["rejected"]
    assert metrics.in_flight == 0
    assert metrics.state_transitions > 0


def test_threads_that_settle_one_permit_settle_it_once(breaker: CircuitBreaker) -> None:
    for _ in range(200):
        permit = breaker.acquire()
        start = threading.Barrier(4)

        def settle(start: threading.Barrier = start, permit: Any = permit) -> bool:
            start.wait()
            return bool(permit.success())

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(lambda _: settle(), range(4))) == 1
    assert breaker.metrics.successful_calls == 200


def test_many_event_loops_share_one_breaker(breaker: CircuitBreaker) -> None:
    @breaker
    async def ask() -> int:
        async with breaker:
            await asyncio.sleep(0)
        return 1

    def loop(_: int) -> int:
        async def many() -> int:
            return sum(await asyncio.gather(*(ask() for _ in range(50))))

        return asyncio.run(many())

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(loop, range(24))) == 1200
    assert breaker.metrics.successful_calls == 2400
    assert asyncio.run(ask()) == 1


def test_no_lock_is_held_while_the_function_runs(breaker: CircuitBreaker) -> None:
    together = threading.Barrier(5)
    with ThreadPoolExecutor(5) as pool:
        # Each thread waits until all five are in the function; this would hang if a lock were held.
        list(pool.map(lambda _: breaker.call_sync(together.wait, 30), range(5)))
    assert breaker.metrics.successful_calls == 5


def test_the_callee_and_the_clock_may_use_the_breaker() -> None:
    holder: list[CircuitBreaker] = []

    def clock() -> float:
        return float(holder[0].durations()["success"].count) if holder else 0.0

    breaker = CircuitBreaker(CircuitBreakerConfig(failure_threshold=1), clock=clock)
    holder.append(breaker)

    def callee() -> str:
        breaker.reset()
        return breaker.call_sync(lambda: str(breaker.metrics.in_flight))

    assert breaker.call_sync(callee) == "2"


@pytest.mark.parametrize("nonsense", ["text", None, float("nan"), -1.0, float("inf")])
def test_an_exception_of_the_clock_affects_no_call(nonsense: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    readings: list[Any] = [5.0, 5.0]
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_type.__name__))
    breaker = CircuitBreaker(
        CircuitBreakerConfig(failure_threshold=1, timeout_seconds=10),
        clock=lambda: readings.pop() if readings else nonsense,
    )
    assert breaker.call_sync(lambda: "fine") == "fine"
    breaker.acquire().failure()
    status = breaker.get_status()
    assert (status["state"], status["retry_after_seconds"]) == ("open", 10.0)
    assert reported


def test_an_exception_of_the_clock_keeps_a_propagating_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "unraisablehook", lambda _: None)

    def clock() -> float:
        raise RuntimeError

    breaker = CircuitBreaker(clock=clock)

    def callee() -> None:
        breaker.acquire()
        raise OSError("mine")

    with pytest.raises(OSError, match="mine"):
        breaker.call_sync(callee)
    assert breaker.metrics.in_flight == 0


def test_a_breaker_in_a_cycle_with_its_clock_is_collected() -> None:
    class Owner:
        def __init__(self) -> None:
            self.seconds = 0.0
            self.breaker = CircuitBreaker(clock=lambda: self.seconds, classify=self.classify)
            self.permit = self.breaker.acquire()

        def classify(self, error: Exception) -> Any:
            raise NotImplementedError

    owner = Owner()
    gone = weakref.ref(owner), weakref.ref(owner.breaker)
    del owner
    gc.collect()
    assert [reference() for reference in gone] == [None, None]


def test_the_reported_wait_is_exact(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(29.999999999)
    with pytest.raises(CircuitBreakerOpenError) as caught:
        breaker.acquire()
    assert caught.value.retry_after == pytest.approx(1e-9)
    clock.set(30)
    assert breaker.acquire().success()
    assert breaker.state is CircuitBreakerState.CLOSED


def test_each_rejection_is_a_new_error(breaker: CircuitBreaker) -> None:
    breaker.acquire().failure()
    errors = []
    for _ in range(2):
        with pytest.raises(CircuitBreakerOpenError) as caught:
            breaker.acquire()
        errors.append(caught.value)
    assert errors[0] is not errors[1]
