"""The backend's alert rules, evaluated by Prometheus' ``promtool`` on the exported metrics."""

import shutil
import subprocess
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from halfopen import ManualClock
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError

RULES = Path(__file__).with_name("backend") / "alerts.yml"
INTERVAL = 15
"""Seconds between two scrapes."""


def promtool(*arguments: str, stdin: str | None = None) -> str:
    run = subprocess.run(["promtool", *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


def selector(name: str, labels: dict[str, str]) -> str:
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


class Backend:
    """A provider behind a breaker, with a manual clock, scraped at the interval of Prometheus."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name, self.clock, self.down = name, ManualClock(), False
        self.breaker = CircuitBreaker(CircuitBreakerConfig(name=name, **settings), "p", clock=self.clock)
        self.scrapes: list[dict[str, float]] = []
        api = FastAPI()
        api.get("/metrics")(lambda: Response(generate_latest(REGISTRY), media_type="text/plain"))
        self._client = TestClient(api)

    async def call(self) -> None:
        def provider() -> None:
            if self.down:
                raise ConnectionError

        with suppress(ConnectionError, CircuitBreakerOpenError):
            await self.breaker.call(provider)

    async def run(self, seconds: int, every: int | None = None) -> None:
        """Lets this many seconds pass, with a call every ``every`` seconds."""
        for _ in range(0, seconds, INTERVAL):
            now = int(self.clock())
            if every is not None and now % every == 0:
                await self.call()
            self._scrape()
            self.clock.advance(INTERVAL)

    def _scrape(self) -> None:
        families = text_string_to_metric_families(self._client.get("/metrics").text)
        samples = [sample for family in families for sample in family.samples]
        ours = [
            sample
            for sample in samples
            if sample.labels.get("name") == self.name and not sample.name.endswith("_created")
        ]
        self.scrapes.append({selector(sample.name, sample.labels): sample.value for sample in ours})

    def series(self) -> dict[str, str]:
        """Each series in the format of promtool, which writes ``_`` for a missing sample."""
        values: dict[str, list[str]] = defaultdict(list)
        for number, scrape in enumerate(self.scrapes):
            for series, value in scrape.items():
                values[series] += ["_"] * (number - len(values[series])) + [f"{value:g}"]
        return {series: " ".join(values_of_series) for series, values_of_series in values.items()}


def check(folder: Path, backend: Backend, alert: str, firing: dict[str, bool]) -> None:
    """Checks at each time whether the alert fires."""
    shutil.copy(RULES, folder)
    labels = {
        "CircuitBreakerOpen": f"{{severity: page, name: {backend.name}, provider: p}}",
        "CircuitBreakerFlaps": f"{{severity: ticket, name: {backend.name}}}",
    }
    lines = ["rule_files: [alerts.yml]", "tests:", f"  - interval: {INTERVAL}s", "    input_series:"]
    for series, values in backend.series().items():
        lines += [f"      - series: '{series}'", f"        values: '{values}'"]
    lines.append("    alert_rule_test:")
    for moment, fires in firing.items():
        lines += [f"      - eval_time: {moment}", f"        alertname: {alert}"]
        lines += ["        exp_alerts: " + (f"[{{exp_labels: {labels[alert]}}}]" if fires else "[]")]
    (folder / "test.yml").write_text("\n".join(lines))
    promtool("test", "rules", str(folder / "test.yml"))


async def test_the_alert_fires_without_traffic_after_the_opening(tmp_path: Path) -> None:
    backend = Backend("alert_without_traffic")
    await backend.run(60, every=15)
    backend.down = True
    for _ in range(5):
        await backend.call()
    await backend.run(600)
    check(tmp_path, backend, "CircuitBreakerOpen", {"1m30s": False, "2m30s": True, "5m": True, "10m": True})


async def test_the_alert_fires_and_resolves_with_a_call_each_90_seconds(tmp_path: Path) -> None:
    backend = Backend("alert_with_probes", success_threshold=1)
    backend.down = True
    for _ in range(5):
        await backend.call()
    await backend.run(450, every=90)
    assert backend.breaker.metrics.state_transitions > 5, "each call was a probe that failed"
    backend.down = False
    await backend.run(300, every=90)
    expected = {"45s": False, "1m15s": True, "4m": True, "7m15s": True, "8m": False, "12m": False}
    check(tmp_path, backend, "CircuitBreakerOpen", expected)


async def test_a_flapping_circuit_raises_a_ticket(tmp_path: Path) -> None:
    backend = Backend("alert_flaps", failure_threshold=1, success_threshold=1, timeout_seconds=10)
    for down in [True, False] * 10:
        backend.down = down
        await backend.run(30, every=30)
    quiet = Backend("alert_quiet")
    await quiet.run(600, every=15)
    check(tmp_path, backend, "CircuitBreakerFlaps", {"30s": False, "9m": True})
    check(tmp_path, quiet, "CircuitBreakerFlaps", {"9m": False})


async def test_the_alert_fires_for_a_collected_breaker(tmp_path: Path) -> None:
    backend = Backend("alert_collected", failure_threshold=1)
    backend.down = True
    await backend.call()
    del backend.breaker
    await backend.run(180)
    check(tmp_path, backend, "CircuitBreakerOpen", {"2m": True})


@pytest.mark.parametrize("name", ["alert_plain", 'a "name" with \\ and ünïcode ✓'])
async def test_the_exposition_has_no_lint(name: str) -> None:
    backend = Backend(name, failure_threshold=1)
    await backend.call()
    backend.down = True
    await backend.call()
    await backend.call()
    exposed = generate_latest(REGISTRY).decode()
    ours = [line for line in exposed.splitlines() if "circuit_breaker" in line and "_created" not in line]
    assert not promtool("check", "metrics", stdin="\n".join([*ours, ""])).strip()
