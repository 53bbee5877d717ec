"""The demo as a program: its story, its end, and that it leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx2
import pytest

from halfopen_demo.processes import demo
from halfopen_demo.witness import Witness
from stage import DEMO

SECONDS = 90


def start(*arguments: str) -> subprocess.Popen[str]:
    """Starts one of the demo's programs in a session of its own, by which its processes are found later."""
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=DEMO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def session_of(leader: int) -> list[str]:
    """The commands that still run in a session."""
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
    """The demo as its user starts it, and the address of its page."""
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


def test_the_story_comes_true() -> None:
    story = start("halfopen_demo.story")
    told, complaints = story.communicate(timeout=SECONDS)
    assert story.returncode == 0, told + complaints
    assert "facts checked, all of them so" in told
    assert complaints == ""
    assert_all_gone(story.pid)


def test_the_story_fails_when_the_provider_is_not_really_broken() -> None:
    story = start("halfopen_demo.story", "--leave-healthy")
    told, complaints = story.communicate(timeout=SECONDS)
    assert story.returncode == 1, told
    assert "NOT SO: openai answers what gemini could not" in complaints
    assert_all_gone(story.pid)


def test_ctrl_c_in_the_middle_of_the_story() -> None:
    story = start("halfopen_demo.story")
    assert story.stdout
    next(line for line in iter(story.stdout.readline, "") if line.startswith("all are well"))
    os.killpg(story.pid, signal.SIGINT)
    _, complaints = story.communicate(timeout=SECONDS)
    assert story.returncode == 130
    assert complaints.strip() == "Stopped before its end."
    assert_all_gone(story.pid)


def test_the_demo_runs_until_ctrl_c(whole_demo: tuple[subprocess.Popen[str], str]) -> None:
    process, address = whole_demo
    assert httpx2.get(address, trust_env=False).status_code == 200
    os.killpg(process.pid, signal.SIGINT)
    _, complaints = process.communicate(timeout=SECONDS)
    assert (process.returncode, complaints) == (0, "")
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


def test_a_port_that_is_taken_is_said_plainly() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start("halfopen_demo", f"--port={taken.getsockname()[1]}")
        _, complaints = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "choose another one with --port" in complaints
    assert "Traceback" not in complaints
    assert_all_gone(process.pid)


def test_a_provider_whose_process_was_killed_counts_as_failing() -> None:
    with demo(wait_seconds=60) as cast, Witness(cast) as witness:
        assert witness.say().by == "gemini"
        cast.providers["gemini"].process.kill()
        cast.providers["gemini"].process.wait()
        assert [witness.say().by for _ in range(3)] == ["openai"] * 3
        assert witness.state("gemini") == "open"
        assert witness.get("/live").json()["providers"][0]["mode"] == "unreachable"
