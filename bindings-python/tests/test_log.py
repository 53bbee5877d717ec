"""The logger ``halfopen``: what is logged, at which level, and that logging harms no call."""

import json
import logging
import subprocess
import sys
import threading
from typing import Any

import pytest
import structlog

from halfopen import CircuitBreaker, CircuitBreakerOpenError, ManualClock, Registry
from halfopen import compat as replaced

SECRET = "sk-this-must-not-be-logged"


@pytest.fixture(autouse=True)
def everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)


def failing(breaker: CircuitBreaker) -> None:
    def provider() -> None:
        raise ConnectionError(SECRET)

    with pytest.raises(ConnectionError):
        breaker.call_sync(provider)


def rejected(breaker: CircuitBreaker) -> None:
    with pytest.raises(CircuitBreakerOpenError):
        breaker.acquire()


def extra(record: logging.LogRecord) -> dict[str, Any]:
    return {name: value for name, value in vars(record).items() if name.startswith("halfopen_")}


def test_transitions_are_logged_with_flat_fields(
    breaker: CircuitBreaker, clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    failing(breaker)
    clock.advance(30)
    breaker.call_sync(str)
    opened, probing, closed = caplog.records
    assert {record.name for record in caplog.records} == {"halfopen"}
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO", "INFO"]
    assert extra(opened) == {
        "halfopen_event": "transition",
        "halfopen_circuit": "gemini",
        "halfopen_provider": "google",
        "halfopen_from_state": "closed",
        "halfopen_to_state": "open",
        "halfopen_cause": "consecutive_failures",
        "halfopen_generation": 1,
        "halfopen_consecutive_failures": 1,
        "halfopen_retry_after_seconds": 30.0,
    }
    assert opened.getMessage() == (
        "circuit 'gemini' of provider 'google' is open: consecutive failures reached their threshold;"
        " the next probe is in 30.0 s"
    )
    assert "half-open" in probing.getMessage()
    assert extra(closed)["halfopen_cause"] == "probes_succeeded"


def test_rejections_are_logged_once_a_minute_with_their_number(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()
    breaker = CircuitBreaker("gemini", clock=clock)
    breaker.force_open()
    caplog.clear()
    rejected(breaker)
    for _ in range(500):
        clock.advance(0.1)
        rejected(breaker)
    clock.advance(10)
    rejected(breaker)
    first, second = caplog.records
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert extra(first)["halfopen_rejected_calls"] == 1
    assert extra(second) == {
        "halfopen_event": "rejections",
        "halfopen_circuit": "gemini",
        "halfopen_provider": "unknown",
        "halfopen_reason": "forced_open",
        "halfopen_rejected_calls": 501,
    }


def test_no_record_holds_the_text_of_an_exception(breaker: CircuitBreaker, caplog: pytest.LogCaptureFixture) -> None:
    failing(breaker)
    rejected(breaker)
    assert len(caplog.records) == 2
    assert all(SECRET not in str(vars(record)) and record.exc_info is None for record in caplog.records)


def test_the_log_keeps_no_breaker_in_a_registry() -> None:
    registry = Registry(1)
    registry.get_or_create("first").call_sync(str)
    assert registry.get_or_create("second").name == "second", "the first one is unused and is evicted"


async def test_the_replaced_interface_keeps_its_own_log(caplog: pytest.LogCaptureFixture) -> None:
    breaker = replaced.CircuitBreaker(replaced.CircuitBreakerConfig(name="own log", failure_threshold=1))
    await breaker.force_open(5)
    with pytest.raises(CircuitBreakerOpenError):
        await breaker.call(str)
    assert {record.name for record in caplog.records} == {"app.patterns.circuit_breaker"}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.usefixtures("broken_log")
def test_a_handler_that_fails_harms_no_call(breaker: CircuitBreaker, clock: ManualClock) -> None:
    failing(breaker)
    assert breaker.state == "open"
    rejected(breaker)
    clock.advance(30)
    assert breaker.call_sync(str.upper, "hello") == "HELLO"
    assert (breaker.state, breaker.metrics.in_flight) == ("closed", 0)


QUIET = """
from halfopen import CircuitBreaker
CircuitBreaker("gemini").force_open()
"""


def test_without_configured_logging_nothing_is_printed() -> None:
    ran = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout + ran.stderr == ""


def test_structlog_shows_the_fields(breaker: CircuitBreaker, capsys: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_log_level, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logger = logging.getLogger("halfopen")
    logger.addHandler(handler)
    try:
        failing(breaker)
    finally:
        logger.removeHandler(handler)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["level"], shown["halfopen_to_state"], shown["halfopen_circuit"]) == ("warning", "open", "gemini")
    assert all(not isinstance(value, dict | list) for value in shown.values())


def test_a_record_takes_no_lock_of_logging() -> None:
    """Otherwise an interrupt that strikes in the middle would leave it taken for all threads."""
    module: Any = logging
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with module._lock:
            taken.set()
            done.wait(30)

    log = logging.getLogger("halfopen")
    log.propagate = False
    log.setLevel(logging.INFO)  # empties logging's cache of levels
    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert taken.wait(30)
        opener = threading.Thread(target=CircuitBreaker("locked").force_open)
        opener.start()
        opener.join(10)
        assert not opener.is_alive()
    finally:
        done.set()
        holder.join()
        log.propagate = True
        log.setLevel(logging.NOTSET)
