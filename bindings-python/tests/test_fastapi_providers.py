"""``halfopen.fastapi`` with an orchestrator: ``GET /providers``, and 503 where no provider answers."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from halfopen import CircuitBreakerConfig, ManualClock
from halfopen.fastapi import install
from halfopen.fastapi._provider_routes import describe_orchestrator
from halfopen.orchestration import Orchestrator, Provider


class Backend:
    """An application that asks two providers, which both fail unless they are up."""

    def __init__(self, **arguments: Any) -> None:
        self.up: set[str] = set()
        self.clock = ManualClock()
        self.orchestrator = Orchestrator(
            [
                Provider(name, tier=tier, breaker=CircuitBreakerConfig(name=name, failure_threshold=1))
                for tier, name in enumerate(("openai", "gemini"))
            ],
            clock=self.clock,
        )
        self.app = FastAPI()
        install(self.app, orchestrators=[self.orchestrator], **arguments)
        self.app.get("/say")(self.say)
        self.app.websocket("/voice")(self.voice)
        self.client = TestClient(self.app)

    async def ask(self, provider: Provider) -> str:
        if provider.id not in self.up:
            raise ConnectionError("sk-secret")
        return provider.id

    async def say(self) -> str:
        return await self.orchestrator.call(self.ask)

    async def voice(self, socket: WebSocket) -> None:
        await socket.accept()
        await self.orchestrator.call(self.ask)


def test_a_call_that_no_provider_answers_becomes_503() -> None:
    backend = Backend()
    assert backend.client.get("/say").status_code == 503
    backend.clock.advance(0.5)
    answer = backend.client.get("/say")
    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "application/problem+json")
    assert answer.headers["Retry-After"] == "60"
    problem = answer.json()
    assert problem["code"] == "ALL_PROVIDERS_FAILED"
    assert problem["ended_by"] == "exhausted"
    assert problem["retry_after_seconds"] == 59.5
    assert problem["providers"] == [
        {"provider": "openai", "reason": "open", "retry_after_seconds": 59.5},
        {"provider": "gemini", "reason": "open", "retry_after_seconds": 59.5},
    ]
    assert "secret" not in answer.text


def test_a_web_socket_is_closed_with_try_again_later() -> None:
    backend = Backend()
    with pytest.raises(WebSocketDisconnect) as closed, backend.client.websocket_connect("/voice") as socket:
        socket.receive_text()
    assert closed.value.code == 1013


def test_the_providers_are_shown_with_the_reasons() -> None:
    backend = Backend()
    backend.up = {"gemini"}
    assert backend.client.get("/say").json() == "gemini"
    (shown,) = backend.client.get("/providers").json()
    openai, gemini = shown["providers"]
    assert shown["strategy"] == "priority_list"
    assert (openai["provider"], openai["state"], openai["place"]) == ("openai", "open", None)
    assert (openai["passed_over"], openai["retry_after_seconds"]) == ("open", 60.0)
    assert "open after 1 failure in a row" in openai["explanation"]
    assert (gemini["provider"], gemini["state"], gemini["place"], gemini["role"]) == ("gemini", "closed", 1, "normal")
    assert [choice["provider"] for choice in shown["choices"]] == ["gemini", "openai"], "the newest one first"
    assert [(switch["old"], switch["new"]) for switch in shown["switches"]] == [("openai", "gemini")]
    assert [status["name"] for status in backend.client.get("/breakers").json()] == ["gemini", "openai"]


@pytest.mark.parametrize(
    ("prefix", "path"), [("/breakers", "/providers"), ("/internal/breakers", "/internal/providers")]
)
def test_the_route_is_beside_the_breakers_and_behind_the_viewer(prefix: str, path: str) -> None:
    def viewer(key: str) -> None:
        """Requires a parameter of the query."""

    client = Backend(prefix=prefix, viewer=viewer).client
    assert client.get(path).status_code == 422
    assert client.get(f"{path}?key=1").status_code == 200


def test_each_provider_has_its_share_its_slow_start_and_its_last_switch() -> None:
    members = [
        Provider(name, CircuitBreakerConfig(name=name, failure_threshold=1, success_threshold=1)) for name in "ab"
    ]
    clock = ManualClock()
    orchestrator = Orchestrator(members, clock=clock)
    down = {"a"}

    async def ask(provider: Provider) -> str:
        if provider.id in down:
            raise ConnectionError
        return provider.id

    async def calls() -> None:
        for _ in range(3):
            assert await orchestrator.call(ask) == "b"
        down.clear()
        clock.advance(60)
        assert await orchestrator.call(ask) == "a"
        clock.advance(5)

    asyncio.run(calls())
    shown = describe_orchestrator(orchestrator)
    a, b = shown["providers"]
    assert [(it["chosen"], it["chosen_share"]) for it in (a, b)] == [(2, 0.4), (3, 0.6)]
    assert (a["slow_start_share"], a["slow_start_for"]) == (0.55, 5)
    assert (b["slow_start_share"], b["slow_start_for"]) == (None, None)
    assert (a["last_switch"]["new"], a["last_switch"]["cause"]) == ("b", "failure")
    assert (b["success_rate"], b["in_flight"], b["cooling_down_for"]) == (1, 0, None)
    assert (shown["sessions"], shown["tokens"]) == (0, orchestrator._engine.pool.tokens)


def test_a_provider_that_is_alone_in_its_tier_has_no_slow_start() -> None:
    backend = Backend()
    backend.client.get("/say")
    backend.up = {"openai"}
    backend.clock.advance(60)
    assert [backend.client.get("/say").json() for _ in range(2)] == ["openai"] * 2
    assert [status.slow_start_share for status in backend.orchestrator.status()] == [None, None]


def test_the_background_checks_run_as_long_as_the_application() -> None:
    checked: list[str] = []
    order: list[str] = []

    async def check(provider: Provider) -> None:
        checked.append(provider.id)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        order.append("begin")
        yield
        order.append("end")

    config = CircuitBreakerConfig(name="openai", failure_threshold=1, success_threshold=1, timeout_seconds=0.01)
    orchestrator = Orchestrator([Provider("openai", config)], check=check, check_interval_seconds=0.02)
    app = FastAPI(lifespan=lifespan)
    install(app, orchestrators=[orchestrator])
    orchestrator.breaker("openai").force_open(0.01)
    with TestClient(app):
        deadline = time.monotonic() + 20
        while not checked and time.monotonic() < deadline:
            time.sleep(0.01)
        assert order == ["begin"]
    assert checked == ["openai"]
    assert order == ["begin", "end"]
    assert orchestrator.breaker("openai").state == "closed"


def test_without_an_orchestrator_or_a_prefix_there_is_no_such_route() -> None:
    app = FastAPI()
    install(app)
    assert TestClient(app).get("/providers").status_code == 404
    assert Backend(prefix=None).client.get("/providers").status_code == 404


def test_openapi_documents_the_answer() -> None:
    schema = Backend().app.openapi()
    assert "503" in schema["paths"]["/say"]["get"]["responses"]
    assert "503" not in schema["paths"]["/providers"]["get"]["responses"]
    assert "providers" in schema["components"]["schemas"]["UnavailableProblem"]["properties"]
