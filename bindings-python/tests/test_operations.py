"""Live configuration, snapshots, listeners and ``explain``."""

import gc
import json
import sys
import threading
import weakref
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerConfig, Event, InvalidValueError, ManualClock


def test_reconfiguring_keeps_the_name_the_state_and_the_running_wait(
    breaker: CircuitBreaker, clock: ManualClock
) -> None:
    breaker.acquire().failure()
    breaker.reconfigure(CircuitBreakerConfig(name="other", timeout_seconds=5))
    assert (breaker.name, breaker.config.name, breaker.config.timeout_seconds) == ("gemini", "gemini", 5.0)
    clock.advance(29)
    assert breaker.state == "open"
    clock.advance(1)
    assert breaker.acquire().success()


def test_a_snapshot_is_restored_in_another_breaker(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(10)
    document = breaker.snapshot()
    assert json.loads(document)["version"] == 1
    other = CircuitBreaker(breaker.config, clock=ManualClock())
    other.restore(document)
    assert other.get_status()["retry_after_seconds"] == 20.0
    assert other.metrics.failed_calls == 1


@pytest.mark.parametrize("damaged", ["", "{", "null", "[]", "{}", "[" * 100_000, '{"version": 2}', b"\xff", None])
def test_a_damaged_snapshot_is_refused_and_changes_nothing(breaker: CircuitBreaker, damaged: Any) -> None:
    breaker.acquire().failure()
    before = breaker.get_status()["metrics"]
    with pytest.raises(InvalidValueError) as caught:
        breaker.restore(damaged)
    assert caught.value.field.startswith("snapshot")
    assert breaker.get_status()["metrics"] == before


def test_a_duplicate_part_of_a_snapshot_is_refused_by_name(breaker: CircuitBreaker) -> None:
    breaker.acquire().failure()
    document = breaker.snapshot()
    parts = {
        "snapshot.version": '{"version": 1, ' + document[1:],
        "snapshot.counters.total_calls": document.replace('"total_calls":', '"total_calls": 1, "total_calls":'),
    }
    for field, twice in parts.items():
        assert json.loads(twice) == json.loads(document)
        with pytest.raises(InvalidValueError) as caught:
            breaker.restore(twice)
        assert (caught.value.field, caught.value.allowed) == (field, "given once")


@pytest.mark.parametrize("form", [str, str.encode, lambda document: bytearray(document.encode())])
def test_a_snapshot_is_read_from_text_and_from_bytes(breaker: CircuitBreaker, form: Any) -> None:
    breaker.acquire().failure()
    other = CircuitBreaker(breaker.config)
    other.restore(form(breaker.snapshot()))
    assert other.state == "open"


def test_a_listener_gets_each_transition_in_order_until_it_unsubscribes(breaker: CircuitBreaker) -> None:
    received: list[Event] = []
    stop = breaker.subscribe(received.append)
    breaker.acquire().failure()
    breaker.reset()
    assert [(event.sequence, event.cause) for event in received] == [(1, "consecutive_failures"), (2, "reset")]
    assert stop()
    assert not stop()
    breaker.force_open()
    assert len(received) == 2


async def _listen(event: Event) -> None:
    raise NotImplementedError


@pytest.mark.parametrize("missed", [0, 100])
def test_a_slow_listener_receives_the_newest_events_and_the_missed_ones_are_counted(missed: int) -> None:
    breaker, received = CircuitBreaker(), list[int]()
    entered, goes_on = threading.Event(), threading.Event()

    def listener(event: Event) -> None:
        received.append(event.sequence)
        if event.sequence == 1:
            entered.set()
            assert goes_on.wait(60)

    breaker.subscribe(listener)
    slow = threading.Thread(target=breaker.force_open)
    slow.start()
    assert entered.wait(60)
    for _ in range((4096 + missed) // 2):
        breaker.reset()
        breaker.force_open()
    goes_on.set()
    slow.join(60)
    assert received == [1, *range(missed + 2, missed + 4098)]
    assert breaker.missed_events == missed


@pytest.mark.parametrize("listener", [_listen, None, 5, "print"])
def test_a_listener_that_is_no_plain_function_is_refused(breaker: CircuitBreaker, listener: Any) -> None:
    with pytest.raises(InvalidValueError) as refused:
        breaker.subscribe(listener)
    assert refused.value.field == "listener"


def test_an_exception_of_a_listener_affects_no_call(breaker: CircuitBreaker, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda report: reported.append(report.exc_type.__name__))

    def listener(event: Event) -> None:
        raise RuntimeError(event)

    breaker.subscribe(listener)
    breaker.subscribe(lambda event: breaker.reset() if event.to_state == "open" else None)
    with pytest.raises(OSError, match="mine"):
        breaker.call_sync(_fail)
    assert reported == ["RuntimeError", "RuntimeError"]
    assert breaker.state == "closed"


def test_a_listener_of_a_dropped_permit_keeps_a_propagating_exception(clock: ManualClock) -> None:
    config = CircuitBreakerConfig(failure_threshold=1, cancel_failure_after_seconds=1)
    breaker = CircuitBreaker(config, clock=clock)
    received: list[Event] = []
    breaker.subscribe(received.append)

    def late() -> None:
        clock.advance(1)
        raise OSError("mine")

    with pytest.raises(OSError, match="mine") as caught:
        # The permit is on the interpreter's stack, which is cleared while the exception propagates.
        print(breaker.acquire(), late())  # type: ignore[func-returns-value]
    assert caught.value.__context__ is None
    assert [event.to_state for event in received] == ["open"]


def _fail() -> None:
    raise OSError("mine")


def test_a_listener_in_a_cycle_with_its_breaker_is_collected() -> None:
    class Owner:
        def __init__(self) -> None:
            self.breaker = CircuitBreaker()
            self.breaker.subscribe(self.receive)

        def receive(self, event: Event) -> None:
            raise NotImplementedError

    owner = Owner()
    gone = weakref.ref(owner)
    del owner
    gc.collect()
    assert gone() is None


def test_it_explains_itself(breaker: CircuitBreaker) -> None:
    breaker.acquire().failure()
    assert breaker.explain() == "open after 1 failure in a row: in 30.0 s the next call is let through as a probe"
    breaker.force_open()
    assert breaker.explain() == "forced open by an operator: it stays so until it is reset"


def test_a_retry_hint_extends_the_wait(breaker: CircuitBreaker) -> None:
    with pytest.raises(InvalidValueError) as caught:
        breaker.acquire().failure(retry_after=-1)
    assert caught.value.field == "retry_after"
    assert breaker.acquire().failure(retry_after=90)
    assert breaker.get_status()["retry_after_seconds"] == 90.0
