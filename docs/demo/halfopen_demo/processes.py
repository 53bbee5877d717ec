"""Runs the providers and the backend as child processes, and stops them in any case."""

import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from halfopen_demo.clients import PROVIDERS

START_SECONDS = 30.0
STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Running:
    """A server that answers at `url`."""

    url: str
    process: subprocess.Popen[str]


@dataclass(frozen=True)
class Demo:
    """All processes: one backend and its providers."""

    backend: Running
    providers: dict[str, Running]


@contextmanager
def running(module: str, *options: str) -> Generator[Running]:
    """Runs one of the demo's servers until the block ends, or until this process ends.

    The child stops when its standard input is closed, so no child survives if this process is killed. The child
    has its own process group, so Ctrl-C reaches only this process, which then stops the children in order.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", f"halfopen_demo.{module}", "--stop-with-parent", *options],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    assert process.stdin
    assert process.stdout
    with process.stdin, process.stdout:
        try:
            yield Running(_address(process, module), process)
        finally:
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[str], module: str) -> str:
    """The address that the server prints once it listens."""
    assert process.stdout
    watchdog = threading.Timer(START_SECONDS, process.kill)
    watchdog.start()
    try:
        address = process.stdout.readline().strip()
    finally:
        watchdog.cancel()
    if not address:
        raise ChildProcessError(f"the {module} did not start")
    return address


@contextmanager
def demo(
    *, port: int = 0, wait_seconds: float = 5.0, deadline_seconds: float = 1.0, slow_start_seconds: float = 10.0
) -> Generator[Demo]:
    """Runs the backend on `port`, with a process for each provider."""
    with ExitStack() as stack:
        providers = {name: stack.enter_context(running("provider", name)) for name in PROVIDERS}
        backend = stack.enter_context(
            running(
                "backend",
                *(f"--port={port}", f"--wait-seconds={wait_seconds}", f"--deadline-seconds={deadline_seconds}"),
                f"--slow-start-seconds={slow_start_seconds}",
                *(f"--provider={name}={provider.url}" for name, provider in providers.items()),
            )
        )
        yield Demo(backend, providers)
