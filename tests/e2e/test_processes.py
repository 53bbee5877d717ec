"""The demo as a program: its scenario, its shutdown, and no leftover processes."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest

from demo_settings import DEMO
from halfopen_demo.demo_client import DemoClient
from halfopen_demo.processes import demo

SECONDS = 90


def start(*arguments: str) -> subprocess.Popen[str]:
    """Starts one of the demo's programs in its own session, so that its processes can be found later."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=DEMO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def session_of(leader: int) -> list[str]:
    """The commands of the processes that still run in a session."""
    listed = subprocess.run(["ps", "-eo", "sess=,stat=,args="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(maxsplit=2) for line in listed.splitlines()]
    return [arguments for session, status, arguments in rows if session == str(leader) and not status.startswith("Z")]


def assert_all_gone(leader: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while left := session_of(leader):
        assert time.monotonic() < end, left
        time.sleep(0.05)


@pytest.fixture
def whole_demo() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo as a user starts it, and the address of its page."""
    process = start("halfopen_demo", "--port=0")
    try:
        assert process.stdout
        lines = iter(process.stdout.readline, "")
        address = next(line.split()[1] for line in lines if line.startswith("backend"))
        next(line for line in lines if line.startswith("Open"))
        yield process, address
    finally:
        process.kill()
        process.communicate()
        assert_all_gone(process.pid)


def test_the_scenario_passes() -> None:
    scenario = start("halfopen_demo.scenario")
    stdout, stderr = scenario.communicate(timeout=SECONDS)
    assert scenario.returncode == 0, stdout + stderr
    assert "checks passed" in stdout
    assert stderr == ""
    assert_all_gone(scenario.pid)


def test_the_scenario_fails_if_the_provider_is_not_broken() -> None:
    scenario = start("halfopen_demo.scenario", "--leave-healthy")
    stdout, stderr = scenario.communicate(timeout=SECONDS)
    assert scenario.returncode == 1, stdout
    assert "FAILED: the stream moves from gemini to openai" in stderr
    assert_all_gone(scenario.pid)


def test_ctrl_c_during_the_scenario() -> None:
    scenario = start("halfopen_demo.scenario")
    assert scenario.stdout
    next(line for line in iter(scenario.stdout.readline, "") if line.startswith("all are healthy"))
    os.killpg(scenario.pid, signal.SIGINT)
    _, stderr = scenario.communicate(timeout=SECONDS)
    assert scenario.returncode == 130
    assert stderr.strip() == "Interrupted."
    assert_all_gone(scenario.pid)


def test_the_demo_runs_until_ctrl_c(whole_demo: tuple[subprocess.Popen[str], str]) -> None:
    process, address = whole_demo
    assert httpx2.get(address, trust_env=False).status_code == 200
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=SECONDS)
    assert (process.returncode, stderr) == (0, "")
    assert_all_gone(process.pid)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_a_demo_that_was_killed(
    whole_demo: tuple[subprocess.Popen[str], str], how: signal.Signals
) -> None:
    process, _ = whole_demo
    assert len(session_of(process.pid)) == 5
    process.send_signal(how)
    process.communicate(timeout=SECONDS)
    assert_all_gone(process.pid)


def test_a_used_port_is_reported_without_a_traceback() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("halfopen_demo", f"--port={taken.getsockname()[1]}")
        _, stderr = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "choose another one with --port" in stderr
    assert "Traceback" not in stderr
    assert_all_gone(process.pid)


def test_a_provider_whose_process_was_killed_counts_as_failing() -> None:
    with demo(wait_seconds=60) as demo_processes, DemoClient(demo_processes) as client:
        assert client.say().by == "gemini"
        demo_processes.providers["gemini"].process.kill()
        demo_processes.providers["gemini"].process.wait()
        assert [client.say().by for _ in range(3)] == ["openai"] * 3
        assert client.state("gemini") == "open"
        assert client.get("/live").json()["providers"][0]["mode"] == "unreachable"
