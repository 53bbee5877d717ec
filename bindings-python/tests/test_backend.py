"""A backend that was written for the replaced modules, with only its imports changed."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from alert_rules import INTERVAL, Labels, Series, check_alerts, promtool, samples

BACKEND = Path(__file__).with_name("backend")
REPLACED = {"circuit_breaker.py": "app/patterns", "provider_orchestration.py": "app/services"}
"""The two old modules, and where the backend has the new ones."""
MODULES = ("old", "new")


def backend_with(module: str, folder: Path) -> Path:
    """The backend, with the old or the new modules."""
    shutil.copytree(BACKEND / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    if module == "old":
        for file, place in REPLACED.items():
            shutil.copy(BACKEND / "replaced" / file, folder / place / file)
    return folder


@pytest.mark.parametrize("module", MODULES)
def test_its_own_tests_pass_with_either_module(module: str, tmp_path: Path) -> None:
    backend_with(module, tmp_path)
    tests = ("own_tests.py", "own_orchestration_tests.py")
    for file in (*tests, "pytest.ini"):
        shutil.copy(BACKEND / file, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]


Sums = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Workers:
    """The backend in two uvicorn workers that share their metrics."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder, self.address = folder, address

    def post(self, path: str, **query: object) -> int:
        """Sends a request on a connection of its own, which any worker may accept; returns the status."""
        with httpx2.Client(base_url=self.address) as client:
            return client.post(path, params={name: str(value) for name, value in query.items()}).status_code

    def scrape(self) -> str:
        """The scrape of Prometheus."""
        return httpx2.get(f"{self.address}/metrics").text

    def records(self, file: str) -> list[dict[str, Any]]:
        """The records that the backend has written to this file."""
        return [json.loads(line) for line in (self.folder / file).read_text().splitlines() if line.startswith("{")]


@contextmanager
def workers(module: str, folder: Path, **settings: object) -> Iterator[Workers]:
    """Serves the backend with this module and these settings of its breakers."""
    folder.mkdir()
    backend_with(module, folder)
    (folder / "metrics").mkdir()
    environment = {
        **os.environ,
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "BACKEND_PAGED": str(folder / "paged"),
        **{f"BACKEND_BREAKER__{name.upper()}": str(value) for name, value in settings.items()},
    }
    command = [sys.executable, "-m", "uvicorn", "app.main:api", "--workers", "2", "--port", "0"]
    with open(folder / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=log, text=True)
    assert server.stderr is not None
    try:
        lines: list[str] = []
        while sum("Application startup complete" in line for line in lines) < 2:
            line = server.stderr.readline()
            assert line, "".join(lines)
            lines.append(line)
        [address] = re.findall(r"running on (http://\S+)", "".join(lines))
        yield Workers(folder, address)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)


def summed(text: str) -> Sums:
    """The samples of the four metrics, summed over all processes, without times and durations."""
    series: Sums = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("circuit_breaker") and not sample.name.endswith(("_created", "_sum")):
                labels = {name: value for name, value in sample.labels.items() if name != "pid"}
                key = (sample.name, tuple(sorted(labels.items())))
                # Durations vary, so of the buckets only their presence is compared.
                timed = sample.name.endswith("_bucket") and labels["le"] != "+Inf"
                series[key] = 0 if timed else series.get(key, 0) + sample.value
    return series


def forty_calls(backend: Workers) -> Sums:
    """Makes calls on separate connections, so that both workers get some, then an operation and three more calls."""
    for number in range(40):
        down = number % 4 == 0
        with httpx2.Client(base_url=backend.address) as client:
            client.post("/down/gemini", params={"down": down})
            answer = client.post("/say/gemini", params={"text": "hello"})
            assert answer.status_code == (502 if down else 200)
    with httpx2.Client(base_url=backend.address) as client:
        client.post("/open/gemini")
        assert [client.post("/say/gemini", params={"text": "?"}).status_code for _ in range(3)] == [503] * 3
    return summed(backend.scrape())


def test_metrics_of_two_workers_add_up_as_before(tmp_path: Path) -> None:
    seen: dict[str, Sums] = {}
    for module in MODULES:
        with workers(module, tmp_path / module, failure_threshold=100) as backend:
            seen[module] = forty_calls(backend)
    labels = (("name", "provider_gemini"), ("provider", "gemini"))

    def calls(status: str) -> float:
        return seen["new"]["circuit_breaker_calls_total", (*labels, ("status", status))]

    ended = {"attempted": 40, "success": 30, "failure": 10, "rejected": 3}
    assert {status: calls(status) for status in ended} == ended
    assert seen["new"]["circuit_breaker_state", labels] == 2, "one worker's circuit is open, the other's closed"
    assert seen["new"] == seen["old"]


def of_gemini(labels: Labels) -> bool:
    return labels.get("name") == "provider_gemini"


def workers_with_state(exposition: str, state: int) -> set[str]:
    """The workers whose circuit has this state."""
    families = text_string_to_metric_families(exposition)
    gauges = [it for family in families for it in family.samples if it.name == "circuit_breaker_state"]
    return {it.labels["pid"] for it in gauges if of_gemini(it.labels) and it.value == state}


def repeated(step: Callable[[], object], done: Callable[[], bool]) -> None:
    """Repeats a request until it has reached the workers that it should; each accepts some of the connections."""
    for _ in range(1000):
        if done():
            return
        step()
    raise AssertionError("a worker accepted no connection")


@pytest.mark.parametrize("module", MODULES)
def test_alert_rules_fire_on_the_scrapes_of_two_workers_and_resolve(module: str, tmp_path: Path) -> None:
    scrapes: list[Series] = []
    with workers(module, tmp_path / "backend", failure_threshold=3) as backend:

        def pass_minutes(minutes: float) -> None:
            scrapes.extend(samples(backend.scrape(), of_gemini) for _ in range(int(minutes * 60 / INTERVAL)))

        repeated(
            lambda: backend.post("/say/gemini", text="hello"),
            lambda: len(workers_with_state(backend.scrape(), 0)) == 2,
        )
        assert not promtool("check", "metrics", stdin=promtool_reads(backend.scrape())).strip()
        pass_minutes(2)

        def down() -> None:
            backend.post("/down/gemini", down=True)
            backend.post("/say/gemini", text="hello")

        repeated(down, lambda: len(workers_with_state(backend.scrape(), 2)) == 2)
        opened = workers_with_state(backend.scrape(), 2)
        pass_minutes(2)
        repeated(lambda: backend.post("/reset/gemini"), lambda: not workers_with_state(backend.scrape(), 2))
        pass_minutes(2)

    paged = [{"severity": "page", "name": "provider_gemini", "provider": "gemini", "pid": worker} for worker in opened]
    firing: dict[str, list[dict[str, str]]] = {"2m45s": [], "3m15s": paged, "3m45s": paged, "4m15s": [], "6m": []}
    check_alerts(tmp_path, scrapes, "CircuitBreakerOpen", firing)


def promtool_reads(exposition: str) -> str:
    """The metrics of the breakers, without the time of creation, which promtool knows from no text format."""
    lines = [line for line in exposition.splitlines() if "circuit_breaker" in line and "_created" not in line]
    return "\n".join([*lines, ""])


def outage(backend: Workers) -> list[str]:
    """The records of one worker in an outage, without the names of exceptions and times."""
    with httpx2.Client(base_url=backend.address) as client:
        client.post("/down/gemini", params={"down": True})
        statuses = [client.post("/say/gemini", params={"text": "hello"}).status_code for _ in range(4)]
        assert statuses == [502, 502, 503, 503]
        client.post("/reset/gemini")
        client.post("/open/gemini")
    records = [record for record in backend.records("log") if "provider_gemini" in record["text"]]
    [worker] = {record["worker"] for record in records if record["level"] == "ERROR"}
    assert "secret" not in str(records)
    return [f"{record['level']} {record['logger']}" for record in records if record["worker"] == worker]


def test_the_log_of_two_workers_is_as_before(tmp_path: Path) -> None:
    seen: dict[str, list[str]] = {}
    paged: dict[str, list[dict[str, Any]]] = {}
    for module in MODULES:
        with workers(module, tmp_path / module, failure_threshold=2) as backend:
            seen[module] = outage(backend)
            paged[module] = backend.records("paged")
    assert seen["new"] == seen["old"]
    assert seen["new"].count("ERROR app.patterns.circuit_breaker") == 1
    assert seen["new"].count("DEBUG app.patterns.circuit_breaker") == 2
    for module in MODULES:
        [record] = paged[module]
        assert (record["level"], "OPENED" in record["text"]) == ("ERROR", True)
