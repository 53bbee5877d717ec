"""Interpreter exit: calls end as usual, and unfinished calls do no harm."""

import signal
from pathlib import Path

import pytest

from own_process import ended, run, start

SCRIPTS = Path(__file__).parent / "scripts"

LAST_ANSWERS = {
    "decorated": "41",
    "decorated, fails": "OSError",
    "decorated, rejected": "CircuitBreakerOpenError",
    "coroutine": "42",
    "coroutine, fails": "OSError",
    "generator": "[1, 2]",
    "generator, fails": "OSError",
    "async generator": "[1, 2]",
    "async generator, fails": "OSError",
    "call": "42",
    "call, plain": "41",
    "call, fails": "OSError",
    "call_sync": "41",
    "call_sync, awaited later": "42",
    "call_sync, iterated later": "[1, 2]",
    "call_sync, a stream": "[1, 2]",
    "call_sync, fails": "OSError",
    "call_sync, rejected": "CircuitBreakerOpenError",
    "block": "41",
    "block, fails": "OSError",
    "block, rejected": "CircuitBreakerOpenError",
    "async block": "41",
    "async block, fails": "OSError",
    "permit": "True",
    "permit, dropped": "1",
    "suspended coroutine, closed": "1",
    "classifier": "1",
    "classifier with a verdict": "1",
    "classifier without an outcome": "0",
    "response": "(1, 0)",
    "response, rate limit": "(0, 1)",
    "clock": "41",
    "listener": "open",
    "force_open": "open",
    "a new breaker": "41",
    "a new breaker with a classifier": "41",
    "registry": "True",
    "state": "closed",
    "metrics": "0",
    "status": "closed",
    "events": "open",
    "explain": "closed: 0 failures in a row, and 1 opens it",
    "compat": "41",
    "compat, call": "42",
    "compat, call_sync": "41",
    "compat, fails": "OSError",
    "compat, rejected": "CircuitBreakerOpenError",
    "compat, force_open": "open",
    "compat, reset": "closed",
    "compat, metrics": "1",
    "compat, status": "1",
    "compat, a new breaker": "41",
    "bad configuration": "InvalidValueError",
}


@pytest.mark.parametrize(
    "place",
    [
        "this module",
        "a module of before",
        "sys",
        "builtins",
        "garbage",
        "a thread",
        "an event loop",
        "atexit",
    ],
)
def test_results_and_errors_arrive_to_the_last_moment(place: str) -> None:
    answers = dict(line.split(": ", 1) for line in run(SCRIPTS / "last_moment.py", place))
    assert answers == LAST_ANSWERS


@pytest.mark.parametrize(
    "way",
    [
        "decorated",
        "decorated, with many arguments",
        "coroutine",
        "generator",
        "call_sync",
        "block",
        "classifier",
        "clock",
        "listener",
        "event loop",
        "suspended coroutine",
    ],
)
def test_a_daemon_thread_inside_a_call_does_not_abort_the_exit(way: str) -> None:
    assert run(SCRIPTS / "daemons.py", way) == ["main ends"]


def test_joined_threads_finish_their_calls() -> None:
    assert run(SCRIPTS / "exits.py", "threads that are waited for") == ["main ends", "41", "OSError", "42"]


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("os._exit in a call", 7),
        ("os._exit in a block", 7),
        ("os._exit in a listener", 7),
        ("os._exit beside a thread in a call", 7),
        ("sys.exit in a call", 8),
        ("sys.exit in a block", 8),
        ("sys.exit in a coroutine", 8),
    ],
)
def test_an_exit_inside_a_call_ends_with_its_code(how: str, code: int) -> None:
    assert ended(start(SCRIPTS / "exits.py", how)) == (code, "", "")


def test_calls_suspended_at_exit_are_cancelled() -> None:
    assert run(SCRIPTS / "exits.py", "suspended") == ["main ends"]


@pytest.mark.parametrize("way", ["decorated", "coroutine", "generator", "call_sync", "block", "async block", "clock"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_a_call_ends_the_process_as_usual(way: str, number: signal.Signals) -> None:
    process = start(SCRIPTS / "signalled.py", way)
    assert process.stdout is not None
    assert process.stdout.readline() == "calling\n"
    process.send_signal(number)
    code, output, errors = ended(process)
    assert code == -number
    assert output == ""
    if number == signal.SIGTERM:
        assert errors == ""
    else:
        assert errors.splitlines()[-1] == "KeyboardInterrupt"
        assert "panicked" not in errors


@pytest.mark.parametrize("way", ["decorated", "coroutine", "generator", "call_sync", "block", "async block", "clock"])
def test_a_signal_handler_that_exits_during_a_call_returns_its_permit(way: str) -> None:
    process = start(SCRIPTS / "signalled.py", way, "handled")
    assert process.stdout is not None
    assert process.stdout.readline() == "calling\n"
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (9, "0 in flight, 0 failed\n", "")


def test_a_subinterpreter_cannot_import_the_package_and_does_the_main_one_no_harm() -> None:
    refused, answer = run(SCRIPTS / "subinterpreter.py")
    assert refused.startswith("halfopen cannot be imported in a subinterpreter: import it in the main interpreter")
    assert answer == "0"
