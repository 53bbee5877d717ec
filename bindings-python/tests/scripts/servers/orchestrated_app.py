"""An application that asks two providers through an orchestrator.

``PROVIDERS`` holds the URLs of the providers by their ids, as JSON, the preferred one first. Each worker writes a log
of its circuits and choices into the folder ``LOGS`` when it ends.
"""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
from fastapi import FastAPI
from metrics_of_workers import metrics

from halfopen import CircuitBreakerConfig
from halfopen.fastapi import install
from halfopen.orchestration import Choice, Orchestrator, Provider
from halfopen.prometheus import register
from halfopen.status import Event

URLS: dict[str, str] = json.loads(os.environ["PROVIDERS"])


def circuit(name: str) -> CircuitBreakerConfig:
    return CircuitBreakerConfig(
        name=name,
        failure_threshold=5,
        success_threshold=2,
        timeout_seconds=0.5,
        half_open_max_calls=2,
        slow_call_seconds=0.8,
        slow_call_rate_threshold=0.5,
        window={"seconds": 1},
        minimum_calls=5,
    )


orchestrator = Orchestrator(
    [Provider(name, circuit(name), tier=tier) for tier, name in enumerate(URLS)],
    attempt_timeout_seconds=1.5,
    slow_start_seconds=1,
)


class Log:
    """The events of this worker, in order: changes of circuits, and choices with the circuit's state."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, float, str, str]] = []
        self.states = dict.fromkeys(URLS, "closed")
        for name in URLS:
            orchestrator.breaker(name).subscribe(partial(self._circuit_changed, name))
        orchestrator.subscribe(self._chosen)

    def _circuit_changed(self, name: str, event: Event) -> None:
        self.states[name] = event.to_state.value
        self.lines.append(("circuit", event.at.timestamp(), name, event.to_state.value))

    def _chosen(self, event: object) -> None:
        if isinstance(event, Choice):
            self.lines.append(("choice", event.at, event.provider, self.states[event.provider]))

    def write(self) -> None:
        Path(os.environ["LOGS"], f"{os.getpid()}.json").write_text(json.dumps(self.lines))


log = Log()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    # No timeout and no limit of its own: the orchestrator's are tested.
    connector, timeout = aiohttp.TCPConnector(limit=0), aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout, raise_for_status=True) as app.state.http:
        yield
    log.write()


app = FastAPI(lifespan=lifespan)
install(app, orchestrators=[orchestrator])
register()


async def ask(provider: Provider) -> str:
    body = {"model": "small", "messages": [{"role": "user", "content": "Say something."}]}
    async with app.state.http.post(f"{URLS[provider.id]}/v1/chat/completions", json=body) as answer:
        text: str = (await answer.json())["choices"][0]["message"]["content"]
        return text


@app.get("/say")
async def say() -> dict[str, Any]:
    text, report = await orchestrator.call_with_report(ask)
    return {
        "text": text,
        "worker": os.getpid(),
        "attempts": [(attempt.provider, attempt.role, attempt.outcome) for attempt in report.attempts],
    }


app.get("/metrics")(metrics)
