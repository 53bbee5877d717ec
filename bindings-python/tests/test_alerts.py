"""The backend's alert rules, evaluated by Prometheus' ``promtool`` on the exported metrics."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI, Response
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY, generate_latest

from alert_rules import INTERVAL, Labels, Series, check_alerts, promtool, samples
from halfopen import ManualClock
from halfopen.compat import CircuitBreaker, CircuitBreakerConfig, CircuitBreakerOpenError


class Backend:
    """A provider behind a breaker, with a manual clock, scraped at the interval of Prometheus."""

    def __init__(self, name: str, **settings: Any) -> None:
        self.name, self.clock, self.down = name, ManualClock(), False
        self.breaker = CircuitBreaker(CircuitBreakerConfig(name=name, **settings), "p", clock=self.clock)
        self.scrapes: list[Series] = []
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
        exposition = self._client.get("/metrics").text
        self.scrapes.append(samples(exposition, lambda labels: labels.get("name") == self.name))


def check(folder: Path, backend: Backend, alert: str, firing: dict[str, bool]) -> None:
    """Checks at each moment whether the alert fires."""
    labels: dict[str, Labels] = {
        "CircuitBreakerOpen": {"severity": "page", "name": backend.name, "provider": "p"},
        "CircuitBreakerFlaps": {"severity": "ticket", "name": backend.name},
    }
    expected = {moment: [labels[alert]] if fires else [] for moment, fires in firing.items()}
    check_alerts(folder, backend.scrapes, alert, expected)


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
