"""A backend that was written for the replaced module, with only its import changed."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

BACKEND = Path(__file__).with_name("backend")
MODULES = {"old": BACKEND / "replaced/circuit_breaker.py", "new": BACKEND / "app/patterns/circuit_breaker.py"}


def backend_with(module: str, folder: Path) -> Path:
    """The backend, with this file as its circuit breaker module."""
    shutil.copytree(BACKEND / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(MODULES[module], folder / "app/patterns/circuit_breaker.py")
    return folder


@pytest.mark.parametrize("module", MODULES)
def test_its_own_tests_pass_with_either_module(module: str, tmp_path: Path) -> None:
    backend_with(module, tmp_path)
    for file in ("own_tests.py", "pytest.ini"):
        shutil.copy(BACKEND / file, tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "own_tests.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-5000:] + run.stderr[-2000:]


Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@contextmanager
def workers(folder: Path) -> Iterator[str]:
    """Serves the backend with two uvicorn workers that share their metrics; yields its address."""
    metrics = folder / "metrics"
    metrics.mkdir()
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics), "BACKEND_BREAKER__FAILURE_THRESHOLD": "100"}
    command = [sys.executable, "-m", "uvicorn", "app.main:api", "--workers", "2", "--port", "0"]
    server = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert server.stderr is not None
    try:
        lines: list[str] = []
        while sum("Application startup complete" in line for line in lines) < 2:
            line = server.stderr.readline()
            assert line, "".join(lines)
            lines.append(line)
        [address] = re.findall(r"running on (http://\S+)", "".join(lines))
        yield address
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)


def scrape(address: str) -> str:
    return httpx2.get(f"{address}/metrics").text


def summed(text: str) -> Series:
    """The samples of the four metrics, summed over all processes, without times and durations."""
    series: Series = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name.startswith("circuit_breaker") and not sample.name.endswith(("_created", "_sum")):
                labels = {name: value for name, value in sample.labels.items() if name != "pid"}
                key = (sample.name, tuple(sorted(labels.items())))
                # Durations vary, so of the buckets only their presence is compared.
                timed = sample.name.endswith("_bucket") and labels["le"] != "+Inf"
                series[key] = 0 if timed else series.get(key, 0) + sample.value
    return series


def forty_calls(address: str) -> Series:
    """Makes calls on separate connections, so that both workers get some, then an order and three more calls."""
    for number in range(40):
        down = number % 4 == 0
        with httpx2.Client(base_url=address) as client:
            client.post("/down/gemini", params={"down": down})
            answer = client.post("/say/gemini", params={"text": "hello"})
            assert answer.status_code == (502 if down else 200)
    with httpx2.Client(base_url=address) as client:
        client.post("/open/gemini")
        assert [client.post("/say/gemini", params={"text": "?"}).status_code for _ in range(3)] == [503] * 3
    return summed(scrape(address))


def test_metrics_of_two_workers_add_up_as_before(tmp_path: Path) -> None:
    measured: dict[str, Series] = {}
    for module in MODULES:
        folder = tmp_path / module
        folder.mkdir()
        with workers(backend_with(module, folder)) as address:
            measured[module] = forty_calls(address)
    labels = (("name", "provider_gemini"), ("provider", "gemini"))

    def calls(status: str) -> float:
        return measured["new"]["circuit_breaker_calls_total", (*labels, ("status", status))]

    ended = {"attempted": 40, "success": 30, "failure": 10, "rejected": 3}
    assert {status: calls(status) for status in ended} == ended
    assert measured["new"]["circuit_breaker_state", labels] == 2, "one worker's circuit is open, the other's closed"
    assert measured["new"] == measured["old"]
