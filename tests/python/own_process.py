"""Scripts that run in a process of their own, for what can be seen only there: forks, exits, signals."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

TOO_LONG = 60
"""Seconds after which a script hangs, on whatever machine."""


def start(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
    """Begins to run a script."""
    return start_command(sys.executable, str(script), *arguments, environment=environment)


def start_command(
    *command: str, environment: Mapping[str, str] | None = None, folder: Path | None = None, files: Sequence[int] = ()
) -> "subprocess.Popen[str]":
    """Begins to run a command in a process group of its own, which inherits the open files that are named."""
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
    """Its exit code, its output and its errors, when it and all that it has forked have ended."""
    try:
        output, errors = process.communicate(timeout=TOO_LONG)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise AssertionError(f"it hangs; it had said:\n{output}{errors}") from None
    return process.returncode, output, errors


def run(script: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> list[str]:
    """The lines that a script says which ends well and has nothing to complain of."""
    code, output, errors = ended(start(script, *arguments, environment=environment))
    assert (code, errors) == (0, ""), f"exit code {code}\n{output}{errors}"
    return output.splitlines()
