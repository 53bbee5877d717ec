"""Forked processes: nothing hangs, breakers are independent, and waits get different jitter."""

import multiprocessing
import shutil
import sys
from pathlib import Path

import pytest

from own_process import run

SCRIPTS = Path(__file__).parent / "scripts"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")

# Python warns about forks beside threads since 3.12.
QUIET = {"PYTHONWARNINGS": "ignore::DeprecationWarning"}


@pytest.mark.parametrize(
    "other",
    [
        "scrapes",
        "reads",
        "enters and leaves blocks",
        "makes breakers",
        "fills a registry",
        "delivers",
        "collects garbage",
        "does everything",
        "registers metrics",
    ],
)
def test_a_child_never_hangs_on_work_of_another_thread(other: str) -> None:
    assert run(SCRIPTS / "forks.py", other, environment=QUIET) == ["exit codes {0}"]


# Statics that a thread fills without running Python or waiting, or that only a panic needs.
HARMLESS = (
    "::FN",  # the processor's fastest function
    "GETRANDOM_FN",
    "halfopen::sync::stripe::NEXT",
    "plain_classes::PLAIN_VALUES",  # pointers that no lock guards
    "plain_classes::PLAIN_ITEMS",  # the same
    "SystemClock::new::PROCESS",  # a reader that finds its numbers half written reads the system's clock
    "PyTracebackMethods>::format::INTERNED",
)


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("nm"), reason="needs /proc and nm")
def test_the_compiled_module_fills_nothing_at_its_first_use() -> None:
    filled = run(SCRIPTS / "lazily_filled.py")
    assert [name for name in filled if not name.endswith(HARMLESS)] == []


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_processes_of_each_start_method_have_separate_breakers(method: str) -> None:
    found = run(SCRIPTS / "start_methods.py", method, environment=QUIET)
    assert found == ["{'done'} 4 {0}", "closed 0"]


def children(part: str, *way: str) -> list[str]:
    return run(SCRIPTS / "children.py", part, *way)


def test_children_spread_their_waits_differently() -> None:
    # Waits of a breaker from before the fork, of one from after it, and a wait that was running at the fork.
    assert children("waits") == ["[6, 6, 1]", "True"]
    assert children("grandchild") == ["4"]


def test_children_of_a_compatible_orchestrator_choose_differently() -> None:
    assert children("choices") == ["3"]


# State, successes, failures, cancelled calls, calls in flight.


def test_a_probe_in_flight_at_the_fork_belongs_to_the_parent() -> None:
    assert children("probe") == [
        "[True, True, ['closed', 1, 1, 2, 0]]",
        "True True ['closed', 1, 1, 0, 0]",
    ]


def test_dropping_an_inherited_permit_frees_no_slot_in_the_child() -> None:
    assert children("dropped") == [
        "[True, True, ['closed', 1, 1, 1, 0]]",
        "False ['half_open', 0, 1, 2, 0]",
    ]


WAYS = ["decorated", "call_sync", "coroutine", "generator", "block", "async block"]


@pytest.mark.parametrize("way", WAYS)
def test_a_child_that_ends_the_inherited_call_does_not_count_it(way: str) -> None:
    assert children("within", way) == [
        "[['half_open', 0, 1, 1, 0], True, '', ['closed', 1, 1, 2, 0]]",
        "0 ['closed', 1, 1, 0, 0]",
    ]


@pytest.mark.parametrize("way", WAYS)
def test_calls_of_a_child_inside_the_parents_probe_count_in_the_child(way: str) -> None:
    assert children("still_inside", way) == ["['', ['closed', 1, 1, 1, 0]]", "['closed', 1, 1, 0, 0]"]


def test_a_child_forked_in_a_listener_receives_later_events() -> None:
    assert children("listener") == ["[['open'], 'closed'] ['open']"]
    assert children("goes_on_in_a_listener") == ["['open', 'closed']"] * 2


def test_a_fork_in_a_classifier_is_safe() -> None:
    assert children("classifier") == ["1 0"]
