"""Metrics in multiprocess mode, as real servers and a real Prometheus see them."""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from own_process import ended, start_command

SERVERS = Path(__file__).parent / "scripts" / "servers"
OUTCOMES = {200: "success", 502: "failure", 503: "rejected"}
CLIENTS, CALLS = 8, 50

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")


def read(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def eventually(condition: Callable[[], bool], seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.1)


def answers(url: str) -> bool:
    try:
        return read(url)[0] == 200
    except OSError:
        return False


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(*command: str, environment: dict[str, str] | None = None, folder: Path | None = None) -> Iterator[None]:
    process = start_command(*command, environment=environment or {}, folder=folder)
    try:
        yield
    finally:
        process.terminate()
        code, output, errors = ended(process)
    assert "Traceback" not in output + errors, output + errors
    assert code in (0, -15), (code, output, errors)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return folder


class Prometheus:
    """Asks a Prometheus server."""

    def __init__(self, address: str) -> None:
        self.address = address

    def sums(self, metric: str, label: str) -> dict[str, float]:
        """The sum of a metric by a label."""
        query = urllib.parse.quote(f"sum by ({label}) ({metric})")
        result = json.loads(read(f"{self.address}/api/v1/query?query={query}")[1])["data"]["result"]
        return {series["metric"].get(label, ""): float(series["value"][1]) for series in result}


@contextmanager
def prometheus(folder: Path, target: int) -> Iterator[Prometheus]:
    binary = shutil.which("prometheus")
    assert binary is not None, "apt-get install prometheus, as `make test-python` does"
    port = free_port()
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\n"
        f"scrape_configs: [{{job_name: backend, static_configs: [{{targets: ['127.0.0.1:{target}']}}]}}]\n"
    )
    address = f"http://127.0.0.1:{port}"
    command = (
        binary,
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
    )
    with running(*command, folder=folder):
        eventually(lambda: answers(f"{address}/-/ready"))
        yield Prometheus(address)


def test_prometheus_sums_what_the_clients_of_two_workers_saw(tmp_path: Path, files: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environment = {"PYTHONPATH": str(SERVERS), "PROMETHEUS_MULTIPROC_DIR": str(files)}
    command = ("-m", "uvicorn", "metered_app:app", "--workers", "2", "--port", str(port), "--log-level", "error")
    with running(sys.executable, *command, environment=environment), prometheus(tmp_path, port) as server:
        eventually(lambda: answers(f"{address}/breakers"))

        def client(number: int) -> Counter[str]:
            chance = random.Random(number)
            seen: Counter[str] = Counter()
            for _ in range(CALLS):
                status, _ = read(f"{address}/say?fails={chance.random() < 0.5}")
                seen[OUTCOMES[status]] += 1
            return seen

        with ThreadPoolExecutor(CLIENTS) as pool:
            seen = sum(pool.map(client, range(CLIENTS)), Counter[str]())
        assert seen.total() == CLIENTS * CALLS
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
        assert len(list(files.glob("counter_*.db"))) == 2, "both workers have counted"
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
