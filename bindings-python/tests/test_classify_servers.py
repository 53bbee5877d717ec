"""A client that hangs up or sends nonsense says nothing about the provider: errors of Starlette and FastAPI."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import Depends, FastAPI, Query, Request, WebSocket, WebSocketException
from fastapi.exceptions import ResponseValidationError
from fastapi.testclient import TestClient
from starlette.requests import ClientDisconnect
from starlette.websockets import WebSocketDisconnect

from halfopen import CircuitBreaker
from halfopen.classify import classify_error


@pytest.mark.parametrize("code", [1000, 1001, 1005, 1006])
def test_a_caller_who_hangs_up_is_no_failure(breaker: CircuitBreaker, code: int) -> None:
    application = FastAPI()

    @application.websocket("/voice")
    async def voice(socket: WebSocket) -> None:  # pyright: ignore[reportUnusedFunction]
        await socket.accept()
        async with breaker.session() as session:
            session.healthy()
            await socket.receive_text()

    with pytest.raises(WebSocketDisconnect), TestClient(application).websocket_connect("/voice") as socket:
        socket.close(code)
    metrics = breaker.metrics
    assert (metrics.successful_calls, metrics.ignored_calls, metrics.failed_calls) == (1, 1, 0)


async def test_a_client_that_leaves_while_it_sends_its_request_is_no_failure(breaker: CircuitBreaker) -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    with pytest.raises(ClientDisconnect):
        await breaker.call(Request({"type": "http", "method": "POST", "headers": []}, gone).body)
    assert (breaker.metrics.ignored_calls, breaker.metrics.failed_calls) == (1, 0)


def test_an_invalid_request_is_no_failure_of_what_a_dependency_guards(breaker: CircuitBreaker) -> None:
    application = FastAPI()

    async def provider() -> AsyncIterator[None]:
        async with breaker:
            yield

    @application.get("/")
    async def route(_: Annotated[None, Depends(provider)], number: Annotated[int, Query()]) -> int:  # pyright: ignore[reportUnusedFunction]
        return number

    @application.websocket("/voice")
    async def voice(_: Annotated[None, Depends(provider)], number: Annotated[int, Query()]) -> None:  # pyright: ignore[reportUnusedFunction]
        raise NotImplementedError

    client = TestClient(application)
    assert [client.get("/", params={"number": number}).status_code for number in ("five", "5")] == [422, 200]
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/voice?number=five"):
        raise NotImplementedError
    metrics = breaker.metrics
    assert (metrics.ignored_calls, metrics.successful_calls, metrics.failed_calls) == (2, 1, 0)


@pytest.mark.parametrize(
    ("code", "outcome"), [(1008, "ignored"), (1011, "failure"), (1013, "failure"), (4000, "ignored")]
)
def test_a_refused_socket_is_judged_by_its_close_code(code: int, outcome: str) -> None:
    assert classify_error(WebSocketException(code)).outcome == outcome


def test_an_invalid_answer_of_the_server_is_a_failure() -> None:
    assert classify_error(ResponseValidationError([])).outcome == "failure"
