"""The collectors of ``halfopen.compat`` and their values."""

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Gauge

import halfopen
import halfopen.prometheus
from halfopen import ManualClock, compat
from halfopen._log import WarnOnce
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig, _metric_writers
from halfopen.compat._write_queue import MOST_WAITING, WRITES, WriteQueue


def sample(metric: str, name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"circuit_breaker_{metric}", {"name": name, "provider": "p", **labels})


def breaker(name: str, **settings: Any) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(name=name, failure_threshold=1, **settings), "p", clock=ManualClock())


async def test_every_way_to_call_is_counted() -> None:
    guard = CircuitBreaker(CircuitBreakerConfig(name="ways", failure_threshold=99), "p")

    @guard
    async def decorated() -> None:
        pass

    await decorated()
    await guard.call(decorated.__wrapped__)  # type: ignore[attr-defined]
    guard.call_sync(lambda: None)
    with guard:
        pass
    async with guard:
        pass
    guard.acquire().success()
    guard.native.call_sync(lambda: None)
    guard.acquire().ignore()
    guard.acquire().cancel()
    guard.acquire().failure()
    counted = {status: sample("calls_total", "ways", status=status) for status in ("attempted", "success", "failure")}
    assert counted == {"attempted": 10, "success": 7, "failure": 1}
    assert sample("call_duration_seconds_count", "ways", status="success") == 7
    assert sample("calls_total", "ways", status="rejected") is None, "a series comes with its first event"


def test_a_stream_is_counted_when_it_ends() -> None:
    guard = breaker("stream")
    items: Iterator[int] = guard.call_sync(lambda: (number for number in range(2)))
    next(items)
    assert sample("calls_total", "stream", status="success") is None
    assert list(items) == [1]
    assert sample("calls_total", "stream", status="success") == 1


def test_the_gauge_shows_the_worst_of_several_breakers_and_stays() -> None:
    first, second = breaker("several"), breaker("several")
    second.acquire().failure()
    assert sample("state", "several") == 2
    third = breaker("several")
    assert sample("state", "several") == 2, "a new one does not hide it"
    del second
    gc.collect()
    assert sample("state", "several") == 0, "the worst of those that live"
    first.acquire().failure()
    del first, third
    gc.collect()
    assert sample("state", "several") == 2, "it stays if no breaker is left"
    assert sample("calls_total", "several", status="failure") == 2
    breaker("several")
    assert sample("state", "several") == 0


def test_a_rename_moves_the_series() -> None:
    guard = breaker("renamed_before")
    guard.acquire().failure()
    guard.config = CircuitBreakerConfig(name="renamed_after")
    assert (sample("state", "renamed_before"), sample("state", "renamed_after")) == (2, 2)
    guard.native.reset()
    assert (sample("state", "renamed_before"), sample("state", "renamed_after")) == (2, 0)


def test_a_restored_state_is_shown_and_not_counted() -> None:
    saved = breaker("saved")
    saved.acquire().failure()
    guard = breaker("restored")
    guard.restore(saved.snapshot())
    assert sample("state", "restored") == 2
    assert sample("state_transitions_total", "restored", from_state="closed", to_state="open") is None
    assert sample("calls_total", "restored", status="failure") is None


def test_breakers_that_are_gone_use_no_memory() -> None:
    for number in range(500):
        breaker(f"gone_{number}")
    gc.collect()
    WRITES.write_all()
    assert not [name for name, _ in _metric_writers._live if name.startswith("gone_")]


def test_failing_metrics_affect_no_call(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_labels: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(compat.circuit_breaker_calls_total, "labels", broken)
    monkeypatch.setattr(WRITES, "_warn", WarnOnce())
    guard = breaker("broken")
    assert guard.call_sync(lambda: 7) == 7
    guard.acquire().failure()
    with pytest.raises(halfopen.CircuitBreakerOpenError):
        guard.acquire()
    assert [record.getMessage() for record in caplog.records if record.name == "halfopen"] == [
        "the metrics of circuit breakers cannot be written: OSError"
    ]


def test_counts_of_many_threads_add_up() -> None:
    guard = CircuitBreaker(CircuitBreakerConfig(name="threads"), "p")
    threads = [threading.Thread(target=lambda: [guard.call_sync(int) for _ in range(500)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sample("calls_total", "threads", status="success") == 2000
    assert sample("call_duration_seconds_count", "threads", status="success") == 2000


def test_callers_wait_a_moment_for_the_one_that_writes_if_many_writes_are_queued(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("halfopen.compat._write_queue.sleep", pauses.append)
    queue, written = WriteQueue(), list[int]()

    def flood() -> None:
        for number in range(MOST_WAITING + 100):
            queue.write(written.append, number)

    queue.write(flood)
    assert len(pauses) == 100
    assert max(pauses) < 0.001
    assert written == list(range(MOST_WAITING + 100))


def test_a_write_inside_a_write_is_queued() -> None:
    ledger, written = WriteQueue(), list[int]()

    def outer() -> None:
        ledger.write(written.append, 2)
        written.append(1)

    ledger.add(written.append, 0)
    ledger.write(outer)
    assert written == [0, 1, 2]


def interrupted_at(step: int, scenario: Callable[[], object]) -> bool:
    """Runs the scenario with an interrupt at this call or return of a function; false if it ended before."""
    steps, struck = count(), list[int]()

    # Only in our code: a profiler could raise between a `with` and its lock, but a signal handler cannot.
    ours = str(Path(compat.__file__).parent)

    def profile(frame: FrameType, _event: str, _argument: object) -> None:
        if frame.f_code.co_filename.startswith(ours) and next(steps) == step:
            sys.setprofile(None)
            struck.append(step)
            raise KeyboardInterrupt

    sys.setprofile(profile)
    try:
        scenario()
        sys.setprofile(None)
    except KeyboardInterrupt:
        assert struck
    return bool(struck)


def test_an_interrupt_at_any_step_releases_the_lock() -> None:
    def scenario(ledger: WriteQueue) -> None:
        ledger.write(written.append, "at once")
        ledger.add(written.append, "in line")
        ledger.write_all()

    for step in count():
        ledger, written = WriteQueue(), list[str]()
        interrupted = interrupted_at(step, lambda ledger=ledger: scenario(ledger))  # type: ignore[misc]
        ledger.write(written.append, "after")
        assert written[-1] == "after", f"stuck at step {step}"
        if not interrupted:
            break
    assert written == ["at once", "in line", "after"]


def test_an_interrupt_at_any_step_leaves_the_gauge_correct(monkeypatch: pytest.MonkeyPatch) -> None:
    # An exception in a listener is reported there.
    monkeypatch.setattr("sys.unraisablehook", lambda _: None)
    guard = breaker("interrupted")

    def scenario() -> None:
        for _ in range(2):
            guard.native.force_open(60)
            guard.native.reset()

    for step in count():
        interrupted = interrupted_at(step, scenario)
        guard.native.reset()
        guard.native.force_open(60)
        assert sample("state", "interrupted") == 2, f"wrong after an interrupt at step {step}"
        guard.native.reset()
        assert sample("state", "interrupted") == 0, f"wrong after an interrupt at step {step}"
        if not interrupted:
            break


def test_the_child_of_a_fork_during_a_write_can_write() -> None:
    entered, leave = threading.Event(), threading.Event()

    def slow() -> None:
        entered.set()
        leave.wait(0.2)

    def write() -> None:
        WRITES.write(slow)

    thread = threading.Thread(target=write)
    thread.start()
    entered.wait()
    child = os.fork()
    if child == 0:
        breaker("forked").call_sync(int)
        os._exit(0 if sample("calls_total", "forked", status="success") == 1 else 1)
    leave.set()
    thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    breaker("forked_parent").call_sync(int)
    assert sample("calls_total", "forked_parent", status="success") == 1


def test_the_other_metrics_may_be_registered_as_well() -> None:
    halfopen.prometheus.register()
    try:
        breaker("both").native.call_sync(int)
        labels = {"circuit": "both", "provider": "p", "outcome": "success"}
        assert REGISTRY.get_sample_value("halfopen_calls_total", labels) == 1
        assert sample("calls_total", "both", status="success") == 1
    finally:
        halfopen.prometheus.unregister()


def test_the_collectors_have_the_kinds_of_prometheus_client() -> None:
    assert isinstance(compat.circuit_breaker_state, Gauge)
    compat.circuit_breaker_state.labels(name="set_by_hand", provider="p").set(2)
    assert sample("state", "set_by_hand") == 2
    compat.circuit_breaker_state.remove("set_by_hand", "p")
    assert sample("state", "set_by_hand") is None


async def test_the_counter_of_transitions_lacks_those_that_were_missed_and_the_one_that_is_read_does_not() -> None:
    guard = breaker("flooded")

    def flood(_: object) -> None:
        unsubscribe()
        for _ in range(3000):
            guard.native.force_open()
            guard.native.reset()

    unsubscribe = guard.native.subscribe(flood)
    await guard.force_open()
    made, missed = guard.native.metrics.state_transitions, guard.missed_events
    assert missed > 1000
    ways = {("closed", "open"), ("open", "closed")}
    written = [
        sample("state_transitions_total", "flooded", from_state=left, to_state=entered) for left, entered in ways
    ]
    assert sum(value or 0 for value in written) == made - missed
    registry = CollectorRegistry()
    halfopen.prometheus.register(registry)
    try:
        read = [
            registry.get_sample_value(
                "halfopen_transitions_total",
                {"circuit": "flooded", "provider": "p", "from_state": left, "to_state": entered},
            )
            for left, entered in ways
        ]
    finally:
        halfopen.prometheus.unregister(registry)
    assert sum(value or 0 for value in read) == made
