"""Servers that load the application before they fork: every worker answers and has its own jitter."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from own_process import TIMEOUT_SECONDS, ended, start_command

SERVERS = Path(__file__).parent / "scripts" / "servers"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows does not fork")

# Python warns about forks beside threads since 3.12.
ENVIRONMENT = {"PYTHONPATH": str(SERVERS), "PYTHONWARNINGS": "ignore::DeprecationWarning"}


@contextmanager
def running(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Stops the server after the block; its log must contain no panic and no error."""
    try:
        yield
        process.send_signal(signal.SIGTERM)
        code, output, errors = ended(process)
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            print(*process.communicate())
    assert code == 0, f"{output}{errors}"
    assert "Traceback" not in output + errors, f"{output}{errors}"
    assert "panicked" not in output + errors, f"{output}{errors}"


def check(answers: list[dict[str, Any]]) -> None:
    """Checks that two forked workers answered, with different waits."""
    assert {(answer["answer"], answer["forked"]) for answer in answers} == {("done", True)}
    assert len({answer["process"] for answer in answers}) == 2
    waits = [answer["wait"] for answer in answers]
    assert len(set(waits)) == len(waits)


@pytest.mark.parametrize(
    ("application", "worker"),
    [("web:wsgi", "sync"), ("web:wsgi", "gthread"), ("web:asgi", "uvicorn_worker.UvicornWorker")],
)
def test_gunicorn_with_preloaded_application(application: str, worker: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = start_command(
            sys.executable,
            *("-m", "gunicorn", application, "--preload", "--workers", "2", "--worker-class", worker),
            *("--bind", f"fd://{listening.fileno()}"),
            environment=ENVIRONMENT,
            files=[listening.fileno()],
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        with running(server):
            answers: list[dict[str, Any]] = []
            until = time.monotonic() + TIMEOUT_SECONDS
            while len({answer["process"] for answer in answers}) < 2:
                assert time.monotonic() < until, answers
                with urllib.request.urlopen(address, timeout=TIMEOUT_SECONDS) as response:
                    answers.append(json.load(response))
            check(answers)


def test_celery_with_forked_workers(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "HALFOPEN_TEST_FOLDER": str(tmp_path)}
    worker = start_command(
        sys.executable,
        *("-m", "celery", "--app", "tasks", "worker", "--pool", "prefork", "--concurrency", "2"),
        *("--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
        environment=environment,
        folder=tmp_path,
    )
    with running(worker):
        sender = start_command(sys.executable, str(SERVERS / "send_tasks.py"), environment=environment)
        code, output, errors = ended(sender)
        assert (code, errors) == (0, "")
        check([json.loads(line) for line in output.splitlines()])
