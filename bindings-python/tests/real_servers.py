"""Real servers in processes of their own: applications, with one or two workers, and Prometheus, which scrapes one."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from own_process import ended, start_command

SERVERS = Path(__file__).parent / "scripts" / "servers"


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


@contextmanager
def two_workers(app: str, metrics: Path, environment: dict[str, str] | None = None) -> Iterator[int]:
    """An application of ``scripts/servers`` with two workers, which export metrics through files; yields its port."""
    port = free_port()
    variables = {"PYTHONPATH": str(SERVERS), "PROMETHEUS_MULTIPROC_DIR": str(metrics), **(environment or {})}
    command = ("-m", "uvicorn", f"{app}:app", "--workers", "2", "--port", str(port), "--log-level", "error")
    with running(sys.executable, *command, environment=variables):
        yield port


@contextmanager
def served(script: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A script of ``scripts/servers`` that prints its port; yields its address and its process."""
    with subprocess.Popen([sys.executable, SERVERS / script], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{process.stdout.readline().decode().strip()}", process
        finally:
            process.kill()


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
