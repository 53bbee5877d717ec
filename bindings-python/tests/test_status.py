"""What an operator reads."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from halfopen import CircuitBreaker, CircuitBreakerState, ManualClock


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


def test_times_are_aware_and_the_same_at_every_look(breaker: CircuitBreaker) -> None:
    assert breaker.metrics.last_success_time is None
    before = datetime.now(UTC)
    breaker.acquire().success()
    time = breaker.metrics.last_success_time
    assert time is not None
    assert time.tzinfo is UTC
    assert abs(time - before) < timedelta(minutes=1)
    assert breaker.metrics.last_success_time == time
    assert breaker.metrics is not breaker.metrics


def test_events_tell_what_happened_in_order(breaker: CircuitBreaker, clock: ManualClock) -> None:
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


def test_an_operator_holds_resets_and_disables(breaker: CircuitBreaker, clock: ManualClock) -> None:
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


def test_looking_takes_no_permit(breaker: CircuitBreaker, clock: ManualClock) -> None:
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
