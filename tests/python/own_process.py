"""Runs scripts in separate processes, for tests of forks, exits and signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TIMEOUT_SECONDS = 60
"""A script that runs longer hangs, even on a slow machine."""


def start(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Starts a script."""
    return start_command(sys.executable, str(script), *arguments, environment=environment)


def start_command(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None, files: Sequence[int] = ()
) -> "subprocess.Popen[str]":
    """Starts a command in its own process group; it inherits the given open files."""
    return subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=files,
        env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Waits for the process and its forked children; returns the exit code, the output and the errors."""
    try:
        output, errors = process.communicate(timeout=TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise AssertionError(f"the process hangs; its output:\n{output}{errors}") from None
    return process.returncode, output, errors


def run(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """The output lines of a script that must exit with 0 and print no errors."""
    code, output, errors = ended(start(script, *arguments, environment=environment))
    assert (code, errors) == (0, ""), f"exit code {code}\n{output}{errors}"
    return output.splitlines()
