"""``halfopen.fastapi``: the answers, the routes that show breakers and those that change them."""

import logging
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Header, HTTPException, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from halfopen import CircuitBreaker, CircuitBreakerConfig, InvalidValueError, ManualClock, Registry
from halfopen.fastapi import Installed, breaker, install
from halfopen.orchestration import Orchestrator, Provider


def operator(authorization: Annotated[str, Header()] = "") -> str:
    if authorization != "Bearer secret":
        raise HTTPException(401, "who are you?")
    return "ada"


def failing() -> None:
    raise ConnectionError("no route")


class Application:
    """An application with the breaker ``openai`` on a manual clock, which opens at the first failure."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock()
        self.registry = Registry(100, clock=self.clock)
        self.app = FastAPI()
        self.installed: Installed = install(self.app, self.registry, **options)
        self.client = TestClient(self.app)

        @self.app.get("/ask")
        def ask(
            openai: Annotated[
                CircuitBreaker, Depends(breaker("openai", "OpenAI", failure_threshold=1, timeout_seconds=30))
            ],
        ) -> str:
            return openai.call_sync(lambda: "hello")

        self.ask: Callable[[], str] = lambda: self.client.get("/ask").json()

    def open(self) -> CircuitBreaker:
        self.client.get("/ask")
        openai = self.registry.get("openai")
        assert openai is not None
        with pytest.raises(ConnectionError):
            openai.call_sync(failing)
        return openai


@pytest.fixture
def application() -> Application:
    return Application(operator=operator)


AUTHORIZED = {"Authorization": "Bearer secret"}


def test_an_open_circuit_is_a_problem_document_with_retry_after(application: Application) -> None:
    application.open()
    application.clock.advance(0.5)
    answer = application.client.get("/ask")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "30", "29.5 s, rounded up"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "circuit 'openai' is OPEN (open): retry after 29.5 s",
        "code": "CIRCUIT_OPEN",
        "circuit": "openai",
        "reason": "open",
        "retry_after_seconds": 29.5,
    }


def test_a_wait_that_nobody_knows_has_no_retry_after(application: Application) -> None:
    application.open().force_open()
    answer = application.client.get("/ask")
    assert answer.status_code == 503
    assert "retry-after" not in answer.headers
    assert answer.json()["retry_after_seconds"] is None


def test_a_healthy_call_passes_through_the_registrys_breaker(application: Application) -> None:
    assert application.ask() == "hello"
    openai = application.registry.get("openai")
    assert openai is not None
    assert (openai.provider_id, openai.config.failure_threshold, openai.metrics.successful_calls) == ("OpenAI", 1, 1)
    application.ask()
    assert openai.metrics.successful_calls == 2, "the same breaker at each request"


def test_a_breaker_given_by_hand_serves_routes_too() -> None:
    given = CircuitBreaker(CircuitBreakerConfig(name="openai"))
    application = Application(breakers=[given])
    application.ask()
    assert given.metrics.successful_calls == 1
    assert application.registry.get("openai") is None


def test_a_web_socket_is_closed_with_try_again_later(application: Application) -> None:
    @application.app.websocket("/live")
    async def live(socket: WebSocket, openai: Annotated[CircuitBreaker, Depends(breaker("openai"))]) -> None:
        await socket.accept()
        with openai:
            await socket.send_text("hello")

    application.open()
    with application.client.websocket_connect("/live") as socket, pytest.raises(WebSocketDisconnect) as closed:
        socket.receive_text()
    assert (closed.value.code, closed.value.reason) == (1013, "circuit 'openai' is open")


def test_openapi_documents_the_answer_of_each_operation(application: Application) -> None:
    schema = application.client.get("/openapi.json").json()
    unavailable = schema["paths"]["/ask"]["get"]["responses"]["503"]
    assert "Retry-After" in unavailable["headers"]
    reference = unavailable["content"]["application/problem+json"]["schema"]["$ref"]
    problem = schema["components"]["schemas"][reference.rpartition("/")[2]]
    application.open()
    answer = application.client.get("/ask").json()
    assert set(problem["properties"]) - set(answer) == {"ended_by", "providers"}, "those of AllProvidersFailed"
    assert set(problem["required"]) <= set(answer)
    assert "503" not in schema["paths"]["/breakers"]["get"]["responses"]
    assert application.client.get("/openapi.json").json() == schema


def test_an_operation_that_documents_503_itself_keeps_its_text() -> None:
    application = Application()

    @application.app.get("/own", responses={503: {"description": "ours"}})
    def own() -> None: ...

    schema = application.client.get("/openapi.json").json()
    assert schema["paths"]["/own"]["get"]["responses"]["503"] == {"description": "ours"}


def test_the_list_and_one_breaker_are_explained(application: Application) -> None:
    openai = application.open()
    (listed,) = application.client.get("/breakers").json()
    assert (listed["name"], listed["state"], listed["explanation"]) == ("openai", "open", openai.explain())
    one = application.client.get("/breakers/openai").json()
    assert one["retry_after_seconds"] == 30
    assert [event["cause"] for event in one["events"]] == ["consecutive_failures"]
    missing = application.client.get("/breakers/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "UNKNOWN_CIRCUIT")


def test_no_route_is_a_liveness_probe(application: Application) -> None:
    """A process with an open circuit is alive: nothing that shows breakers answers with an error for it."""
    application.open()
    for path in ("/breakers", "/breakers/openai", "/breakers/page"):
        assert application.client.get(path).status_code == 200
    paths = application.app.openapi()["paths"]
    assert not [path for path in paths if any(word in path for word in ("health", "live", "ready"))]
    assert all(
        "503" not in operation["responses"]
        for path in paths
        if "breakers" in path
        for operation in paths[path].values()
    )


def test_a_name_with_a_slash_has_its_routes(application: Application) -> None:
    application.registry.get_or_create(CircuitBreakerConfig(name="eu/openai"))
    assert application.client.get("/breakers/eu/openai").json()["name"] == "eu/openai"
    answer = application.client.put(
        "/breakers/eu/openai/order", json={"order": "disable", "reason": "drill"}, headers=AUTHORIZED
    )
    assert answer.json()["mode"] == "disabled"


def test_nothing_changes_a_breaker_without_an_operator() -> None:
    application = Application()
    application.open()
    order = {"order": "reset", "reason": "please"}
    assert application.client.put("/breakers/openai/order", json=order).status_code in {404, 405}
    assert application.client.patch("/breakers/openai/config", json={}).status_code in {404, 405}
    paths = application.client.get("/openapi.json").json()["paths"]
    assert {method for path in paths.values() for method in path} == {"get"}


def test_an_unauthenticated_caller_changes_nothing(application: Application) -> None:
    openai = application.open()
    order = {"order": "reset", "reason": "please"}
    assert application.client.put("/breakers/openai/order", json=order).status_code == 401
    assert application.client.get("/breakers/audit").status_code == 401
    assert openai.state == "open"


def test_a_dependency_that_returns_no_name_changes_nothing() -> None:
    application = Application(operator=lambda: None)
    openai = application.open()
    answer = application.client.put("/breakers/openai/order", json={"order": "reset", "reason": "x"})
    assert (answer.status_code, answer.json()["code"]) == (403, "UNKNOWN_ACTOR")
    assert openai.state == "open"


def test_each_operation_takes_effect_and_is_audited(application: Application, caplog: pytest.LogCaptureFixture) -> None:
    openai = application.open()

    def put(**body: Any) -> dict[str, Any]:
        answer = application.client.put("/breakers/openai/order", json=body, headers=AUTHORIZED)
        assert answer.status_code == 200, answer.text
        result: dict[str, Any] = answer.json()
        return result

    with caplog.at_level(logging.WARNING, "halfopen"):
        assert put(order="reset", reason="they say it is fixed")["state"] == "closed"
        forced = put(order="force_open", seconds=60, reason="maintenance")
        assert (forced["mode"], forced["retry_after_seconds"]) == ("forced_open", 60)
        assert put(order="disable", reason="drill")["mode"] == "disabled"
    changed = application.client.patch(
        "/breakers/openai/config", json={"fields": {"shadow": True}, "reason": "watch first"}, headers=AUTHORIZED
    )
    assert changed.json()["config"]["shadow"] is True
    assert openai.config.shadow
    changes = application.client.get("/breakers/audit", headers=AUTHORIZED).json()
    assert [(it["actor"], it["order"], it["circuit"], it["reason"]) for it in changes] == [
        ("ada", "reconfigure", "openai", "watch first"),
        ("ada", "disable", "openai", "drill"),
        ("ada", "force_open", "openai", "maintenance"),
        ("ada", "reset", "openai", "they say it is fixed"),
    ]
    assert changes[0]["fields"] == {"shadow": True}
    assert changes[2]["seconds"] == 60
    record = next(record for record in caplog.records if "operator" in record.getMessage())
    assert record.getMessage() == "operator ada: reset openai (they say it is fixed)"
    assert vars(record)["halfopen_actor"] == "ada"


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("PUT", "order", {"order": "force_open", "seconds": -1, "reason": "x"}, "seconds"),
        ("PUT", "order", {"order": "reset", "seconds": 5, "reason": "x"}, "seconds"),
        ("PATCH", "config", {"fields": {"failure_threshold": 0}, "reason": "x"}, "failure_threshold"),
        ("PATCH", "config", {"fields": {"name": "other"}, "reason": "x"}, "name"),
        ("PATCH", "config", {"fields": {"colour": 1}, "reason": "x"}, "colour"),
    ],
)
def test_a_value_that_the_core_refuses_is_reported_and_not_audited(
    application: Application, method: str, path: str, body: dict[str, Any], field: str
) -> None:
    openai = application.open()
    before = openai.config
    answer = application.client.request(method, f"/breakers/openai/{path}", json=body, headers=AUTHORIZED)
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (422, "INVALID_VALUE")
    [error] = problem["errors"]
    assert error["field"] == field
    assert error["allowed"]
    assert openai.config == before
    assert not application.installed.audit.newest_first()


def test_an_operation_without_a_reason_is_refused(application: Application) -> None:
    application.open()
    for body in ({"order": "reset"}, {"order": "reset", "reason": ""}, {"order": "explode", "reason": "x"}):
        answer = application.client.put("/breakers/openai/order", json=body, headers=AUTHORIZED)
        assert (answer.status_code, answer.headers["Content-Type"]) == (422, "application/problem+json")
        problem = answer.json()
        assert (problem["code"], problem["status"]) == ("INVALID_VALUE", 422)
        assert all(error["field"].startswith("body.") and error["allowed"] for error in problem["errors"])
        assert problem["errors"][0]["allowed"] in problem["detail"]


def test_input_that_is_no_json_is_refused_in_the_same_form(application: Application) -> None:
    application.open()
    for content in ('{"order": NaN}', r'{"order": "reset", "reason": "\ud800"}', "{"):
        answer = application.client.put("/breakers/openai/order", content=content, headers=AUTHORIZED)
        assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_VALUE")
    refused = application.app.openapi()["paths"]["/breakers/{name}/order"]["put"]["responses"]["422"]
    assert refused["content"].keys() == {"application/problem+json"}


def test_a_viewer_guards_what_is_shown() -> None:
    application = Application(viewer=operator)
    for path in ("", "/openai", "/page", "/events"):
        assert application.client.get(f"/breakers{path}").status_code == 401
    assert application.client.get("/breakers", headers=AUTHORIZED).json() == []


def test_without_a_prefix_nothing_is_shown() -> None:
    application = Application(prefix=None)
    application.open()
    assert application.client.get("/breakers").status_code == 404
    assert application.client.get("/ask").status_code == 503


def not_installed() -> Application:
    application = Application()
    install(application.app)
    return application


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (lambda: Application(prefix="breakers"), "prefix"),
        (lambda: Application(prefix="/breakers/"), "prefix"),
        (lambda: Application(viewer="admin"), "viewer"),
        (lambda: Application(operator=5), "operator"),
        (lambda: Application(operator=operator, prefix=None), "operator"),
        (lambda: Application(stream_seconds=-1), "stream_seconds"),
        (lambda: Application(stream_seconds=float("inf")), "stream_seconds"),
        (lambda: Application(orchestrators=Orchestrator([Provider("a")])), "orchestrators"),
        (lambda: Application(orchestrators=[CircuitBreaker()]), "orchestrators"),
        (lambda: install(FastAPI(), "openai"), "registry"),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        (lambda: Application(breakers=[CircuitBreaker(), CircuitBreaker()]), "breakers"),
        (lambda: breaker(""), "name"),
        (lambda: breaker("openai", failure_threshold=0), "failure_threshold"),
        (not_installed, "app"),
    ],
)
def test_wrong_settings_are_refused_where_they_are_given(wrong: Callable[[], object], field: str) -> None:
    with pytest.raises(InvalidValueError) as refused:
        wrong()
    assert refused.value.field == field


def test_a_dependency_without_install_says_what_to_do() -> None:
    app = FastAPI()

    @app.get("/")
    def ask(_: Annotated[CircuitBreaker, Depends(breaker("openai"))]) -> None: ...

    with pytest.raises(RuntimeError, match=r"install\(app\) has not been called"):
        TestClient(app).get("/")


def test_the_audit_trail_and_the_events_are_bounded(application: Application) -> None:
    openai = application.open()
    for _ in range(1_200):
        openai.force_open()
        openai.reset()
        application.installed.events.after(None)
        application.installed.audit.add("ada", "reset", "openai", "again")
    assert len(application.installed.events.after(None)) == 1_000
    assert len(application.installed.audit.newest_first()) == 1_000
