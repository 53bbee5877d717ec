"""Readings: status, metrics, events, percentiles."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from halfopen import CircuitBreaker, CircuitBreakerState, Event, InvalidValueError, ManualClock


def test_the_status_of_an_open_circuit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().success()
    clock.advance(2)
    breaker.acquire().failure()
    clock.advance(1)
    status = breaker.get_status()
    assert json.loads(json.dumps(status)) == status
    assert (status["name"], status["provider_id"], status["state"]) == ("gemini", "google", "open")
    assert (status["mode"], status["retry_after_seconds"], status["failure_count"]) == ("auto", 29.0, 1)
    metrics = status["metrics"]
    assert (metrics["total_calls"], metrics["success_rate"], metrics["state_transitions"]) == (2, 50.0, 1)
    assert status["config"]["half_open_max_calls"] == 1
    assert "name" not in status["config"]
    failed = datetime.fromisoformat(metrics["last_failure_time"])
    assert failed == datetime.fromisoformat(metrics["last_state_change"])
    assert failed - datetime.fromisoformat(metrics["last_success_time"]) == timedelta(seconds=2)


def test_times_are_aware_and_equal_at_every_reading(breaker: CircuitBreaker) -> None:
    assert breaker.metrics.last_success_time is None
    before = datetime.now(UTC)
    breaker.acquire().success()
    time = breaker.metrics.last_success_time
    assert time is not None
    assert time.tzinfo is UTC
    assert abs(time - before) < timedelta(minutes=1)
    assert breaker.metrics.last_success_time == time
    assert breaker.metrics is not breaker.metrics


class Wall:
    """A wall clock that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()
        monkeypatch.setattr("halfopen.status.time", lambda: self.seconds)

    def date(self, ago: float = 0) -> datetime:
        return datetime.fromtimestamp(self.seconds - ago, UTC)


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    return Wall(monkeypatch)


@pytest.mark.parametrize("step", [3600, -3600, 1, -1, 10**8])
def test_a_corrected_wall_clock_corrects_every_date(
    breaker: CircuitBreaker, clock: ManualClock, wall: Wall, step: float
) -> None:
    received: list[Event] = []
    breaker.subscribe(received.append)
    breaker.acquire().success()
    breaker.acquire().failure()
    assert received[0].at == breaker.events()[0].at == breaker.metrics.last_failure_time == wall.date()
    wall.seconds += step
    for read in (breaker.metrics, breaker.metrics):
        assert (read.last_success_time, read.last_failure_time, read.last_state_change) == (wall.date(),) * 3
    assert breaker.get_status()["metrics"]["last_failure_time"] == wall.date().isoformat()
    assert breaker.events()[0].at == wall.date()
    wall.seconds += 30
    clock.advance(30)
    wall.seconds += step
    breaker.acquire().success()
    assert [event.at for event in received[1:]] == [wall.date()] * 2
    assert [event.at for event in breaker.events()] == [wall.date(ago=30), wall.date(), wall.date()]


def test_an_event_uses_the_corrected_wall_clock(breaker: CircuitBreaker, clock: ManualClock, wall: Wall) -> None:
    received: list[datetime] = []
    breaker.subscribe(lambda event: received.append(event.at))
    assert breaker.metrics.last_state_change is None
    clock.advance(100)
    wall.seconds += 100 + 3600
    breaker.acquire().failure()
    assert received == [wall.date()]


def test_a_date_does_not_move_while_the_clocks_differ_by_less_than_a_second(
    breaker: CircuitBreaker, clock: ManualClock, wall: Wall
) -> None:
    breaker.acquire().failure()
    first = breaker.metrics.last_failure_time
    for drift in (0.0, 0.5, 0.4, -1.8):
        clock.advance(10)
        wall.seconds += 10 + drift
        assert breaker.metrics.last_failure_time == breaker.events()[0].at == first
    wall.seconds -= 0.2
    assert breaker.metrics.last_failure_time == wall.date(ago=40)


def test_events_are_in_order(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    breaker.acquire().success()
    events = breaker.events()
    assert [(event.sequence, event.from_state, event.to_state, event.cause) for event in events] == [
        (1, "closed", "open", "consecutive_failures"),
        (2, "open", "half_open", "timeout_elapsed"),
        (3, "half_open", "closed", "probes_succeeded"),
    ]
    assert (events[0].retry_after, events[0].consecutive_failures) == (30.0, 1)
    assert events[2].consecutive_successes == 1
    assert events[1].at - events[0].at == timedelta(seconds=30)
    assert breaker.events(after=2) == events[2:]


def test_an_operator_forces_open_resets_and_disables(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.force_open()
    assert (breaker.state, breaker.get_status()["mode"]) == ("open", "forced_open")
    assert breaker.get_status()["retry_after_seconds"] is None
    clock.advance(10**6)
    assert breaker.state is CircuitBreakerState.OPEN
    breaker.force_open(5)
    assert breaker.get_status()["retry_after_seconds"] == 5.0
    breaker.disable()
    breaker.acquire().failure()
    assert (breaker.state, breaker.get_status()["mode"]) == ("closed", "disabled")
    breaker.reset()
    assert breaker.get_status()["mode"] == "auto"


def test_reading_takes_no_permit(breaker: CircuitBreaker, clock: ManualClock) -> None:
    breaker.acquire().failure()
    clock.advance(30)
    for _ in range(3):
        assert breaker.state is CircuitBreakerState.HALF_OPEN
        breaker.get_status()
        repr(breaker)
    assert breaker.metrics.in_flight == 0
    assert breaker.acquire().success()


def test_a_state_is_its_plain_string() -> None:
    assert "half_open" in {CircuitBreakerState.HALF_OPEN}
    assert json.dumps(CircuitBreakerState.OPEN) == '"open"'
    assert CircuitBreakerState("closed") is CircuitBreakerState.CLOSED
    with pytest.raises(ValueError, match="ajar"):
        CircuitBreakerState("ajar")


def test_percentiles_are_separate_by_outcome(breaker: CircuitBreaker, clock: ManualClock) -> None:
    assert breaker.percentile(0.5) is None
    for seconds in (0.001, 0.002, 0.03, 0.04):
        permit = breaker.acquire()
        clock.advance(seconds)
        permit.success()
    assert [breaker.percentile(share) for share in (0.25, 0.5, 0.75, 1)] == pytest.approx([0.0025, 0.005, 0.0375, 0.05])
    assert breaker.percentile(0.5, "failure") is None
    permit = breaker.acquire()
    clock.advance(3600)
    permit.failure()
    assert breaker.percentile(0.5, "failure") == 10.0
    durations = breaker.durations()
    assert durations["success"].count == 4
    assert durations["success"].total_seconds == pytest.approx(0.073)
    assert durations["success"].buckets[0] == (0.005, 2)
    assert durations["failure"].buckets[-1] == (float("inf"), 1)


@pytest.mark.parametrize(
    ("share", "outcome", "field"),
    [
        (95, "success", "share"),
        (-0.1, "success", "share"),
        (float("nan"), "success", "share"),
        ("0.5", "success", "share"),
        (None, "success", "share"),
        (True, "success", "share"),
        (0.5, "ignored", "outcome"),
        (0.5, 1, "outcome"),
    ],
)
def test_a_bad_percentile_is_refused_by_name(breaker: CircuitBreaker, share: Any, outcome: Any, field: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        breaker.percentile(share, outcome)
    assert caught.value.field == field
