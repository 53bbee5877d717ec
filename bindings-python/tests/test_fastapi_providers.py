"""``halfopen.fastapi`` with an orchestrator: ``GET /providers``, and 503 where no provider answers."""

from typing import Any

import pytest
from fastapi import FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from halfopen import CircuitBreakerConfig, ManualClock
from halfopen.fastapi import install
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
