"""Metrics in multiprocess mode, as real servers and a real Prometheus see them."""

import os
import random
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from real_servers import answers, eventually, prometheus, read, two_workers

OUTCOMES = {200: "success", 502: "failure", 503: "rejected"}
CLIENTS, CALLS = 8, 50

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return folder


def test_prometheus_sums_what_the_clients_of_two_workers_saw(tmp_path: Path, files: Path) -> None:
    with two_workers("metered_app", files) as port, prometheus(tmp_path, port) as server:
        address = f"http://127.0.0.1:{port}"
        eventually(lambda: answers(f"{address}/breakers"))

        def client(number: int) -> Counter[str]:
            chance = random.Random(number)
            own: Counter[str] = Counter()
            for _ in range(CALLS):
                status, _ = read(f"{address}/say?fails={chance.random() < 0.5}")
                own[OUTCOMES[status]] += 1
            return own

        seen: Counter[str] = Counter()

        def both_workers_have_counted() -> bool:
            with ThreadPoolExecutor(CLIENTS) as pool:
                made = sum(pool.map(client, range(CLIENTS)), Counter[str]())
            assert made.total() == CLIENTS * CALLS
            seen.update(made)
            return len(list(files.glob("counter_*.db"))) == 2

        # One worker may start later than the other, and would miss calls that are made only once.
        eventually(both_workers_have_counted)
        assert min(seen[outcome] for outcome in OUTCOMES.values()) > 0, seen

        def agrees() -> bool:
            calls = server.sums("halfopen_calls_total", "outcome")
            rejections = server.sums("halfopen_rejections_total", "circuit")
            durations = server.sums("halfopen_call_duration_seconds_count", "outcome")
            counted = {
                "success": calls.get("success"),
                "failure": calls.get("failure"),
                "rejected": rejections.get("openai"),
            }
            return counted == seen and durations == {"success": seen["success"], "failure": seen["failure"]}

        eventually(agrees)
        assert sum(server.sums("halfopen_state", "state").values()) == 2, "each worker is in one state"
        text = read(f"{address}/metrics")[1]
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


PROGRAM = """
import os, sys
from prometheus_client import CollectorRegistry, REGISTRY
from prometheus_client.multiprocess import MultiProcessCollector
from halfopen import CircuitBreaker, Registry, prometheus

def exported():
    prometheus.flush()
    registry = CollectorRegistry()
    MultiProcessCollector(registry)
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
    }

def total(name, **labels):
    return sum(value for (sample, *of), value in exported().items() if sample == name and labels.items() <= set(of))

prometheus.register()
"""


def run(program: str, files: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", PROGRAM + program],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(files)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


FORKED = """
breaker = CircuitBreaker("gemini", failure_threshold=3)
for _ in range(5):
    breaker.call_sync(str)
in_flight = breaker.acquire()
child = os.fork()
if child == 0:
    breaker.call_sync(str)
    breaker.acquire().failure()
    exported()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert total("halfopen_calls_total", outcome="success") == 6
assert total("halfopen_calls_total") == 7, "the child does not count what its parent counts"
assert total("halfopen_call_duration_seconds_count") == 7
assert total("halfopen_calls_in_flight") == 1
assert total("halfopen_state", state="closed") == 2
"""


def test_a_forked_child_adds_only_what_it_has_counted_itself(files: Path) -> None:
    run(FORKED, files)


NAMES = """
registry = Registry(100)
for number in range(4_000):
    registry.get_or_create(f"name {number}").call_sync(str)
    if number % 500 == 499:
        assert total("halfopen_calls_total") == number + 1
again = registry.get_or_create("name 0")
again.call_sync(str)
assert total("halfopen_calls_total") == 4_001
assert total("halfopen_calls_total", circuit="name 0") == 2
circuits = {dict(labels).get("circuit") for _, *labels in exported()}
assert len(circuits) == 1_001 and "(other)" in circuits, len(circuits)
assert total("halfopen_calls_total", circuit="(other)") == 3_000
assert total("halfopen_state") <= 101, "breakers that are gone are in no state"
"""


def test_dynamic_names_have_a_bounded_number_of_series_and_no_call_is_lost(files: Path) -> None:
    run(NAMES, files)


EXIT = """
CircuitBreaker("gemini").call_sync(str)
"""
AFTERWARDS = """
assert total("halfopen_calls_total", circuit="gemini") == 1
prometheus.register()
prometheus.unregister()
CircuitBreaker("unseen").call_sync(str)
assert total("halfopen_calls_total", circuit="unseen") == 0
"""


def test_a_process_writes_its_counts_when_it_ends(files: Path) -> None:
    run(EXIT, files)
    run(AFTERWARDS, files)


FULL = """
import logging, shutil
import halfopen._prometheus_files as files

records = []
handler = logging.Handler()
handler.emit = records.append
logging.getLogger("halfopen").addHandler(handler)
breaker = CircuitBreaker("gemini")
shutil.rmtree(os.environ["PROMETHEUS_MULTIPROC_DIR"])
for _ in range(3):
    assert breaker.call_sync(str.upper, "hello") == "HELLO"
    prometheus.flush()
assert [record.getMessage() for record in records] == [
    "the metrics of circuit breakers cannot be written: FileNotFoundError"
]
"""


def test_files_that_cannot_be_written_harm_no_call(files: Path) -> None:
    run(FULL, files)
