"""The log that the demo records, replayed: in Python, and on the simulator's page."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from demo_settings import DEADLINE_SECONDS, DEMO, WAIT_SECONDS
from halfopen import CircuitBreakerConfig
from halfopen.simulation import replay
from halfopen_demo.demo_client import DemoClient
from halfopen_demo.processes import demo

CONFIG: dict[str, Any] = {
    "failure_threshold": 3,
    "success_threshold": 2,
    "timeout_seconds": WAIT_SECONDS,
    "half_open_max_calls": 1,
}
"""The configuration in ``services.py``."""


@pytest.fixture(scope="module")
def outage() -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """The log of an outage of Gemini and a hang of OpenAI, and the transitions as the backend reports them."""
    with (
        demo(wait_seconds=WAIT_SECONDS, deadline_seconds=DEADLINE_SECONDS, slow_start_seconds=0) as processes,
        DemoClient(processes) as client,
    ):
        client.say()
        client.set_behaviour("gemini", "fail")
        for _ in range(4):
            client.say()
        client.wait_until(lambda: client.state("gemini") == "half_open", "gemini's circuit admits a probe")
        client.set_behaviour("openai", "hang")
        for _ in range(4):
            client.say()
        for provider in ("gemini", "openai"):
            client.set_behaviour(provider, "healthy")
        for provider in ("gemini", "openai"):
            client.wait_until(lambda: client.state(provider) == "half_open", "the circuit admits a probe")  # noqa: B023
        client.wait_until(
            lambda: client.say().status == 200 and {client.state(it) for it in ("gemini", "openai")} == {"closed"},
            "both have recovered",
        )
        transitions = [
            (f"provider_{it['provider']}", it["from_state"], it["to_state"], it["cause"])
            for it in reversed(client.get("/live").json()["transitions"])
        ]
        yield client.get("/log.jsonl").text, transitions


def test_python_replays_each_transition(outage: tuple[str, list[tuple[str, str, str, str]]]) -> None:
    log, recorded = outage
    best, worst = replay(log, CircuitBreakerConfig(**CONFIG))
    assert best == worst
    assert best["first_difference"] is None
    replayed = [(it["circuit"], it["from_state"], it["to_state"], it["cause"]) for it in best["transitions"]]
    assert sorted(replayed) == sorted(recorded)
    for circuit in ("provider_gemini", "provider_openai"):
        assert [it for it in replayed if it[0] == circuit] == [it for it in recorded if it[0] == circuit]
    assert {cause for *_, cause in recorded} == {
        "consecutive_failures",
        "timeout_elapsed",
        "probe_failed",
        "probes_succeeded",
    }


def test_the_page_replays_each_transition(outage: tuple[str, list[tuple[str, str, str, str]]]) -> None:
    log, _ = outage
    best, _ = replay(log, CircuitBreakerConfig(**CONFIG))
    script = DEMO.parent / "simulator/test/replay.mjs"
    document = json.dumps({"log": log, "config": CONFIG})
    printed = subprocess.run(
        ["node", script], input=document, capture_output=True, text=True, timeout=120, check=True
    ).stdout
    shown = json.loads(printed)
    assert shown["verdict"].startswith("A reproduces every decision of the ")
    assert [it["explanation"] for it in shown["transitions"]] == [it["explanation"] for it in best["transitions"]]
    assert [(it["to_state"], it["cause"]) for it in shown["transitions"]] == [
        (it["to_state"], it["cause"]) for it in best["transitions"]
    ]
