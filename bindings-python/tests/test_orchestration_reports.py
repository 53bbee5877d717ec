"""Bugs that users of other routers reported, tested against the orchestrator."""

import asyncio
from typing import Any

import aiohttp
import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import TypeAdapter

from halfopen import ManualClock
from halfopen.orchestration import AllProvidersFailed, CoolingDown, Orchestrator, Provider, ProviderFailure, Report
from orchestrated import Hang, HttpError, Script, always, config, counts, in_flight, pair


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(),
        ConnectionRefusedError("never heard of them"),
        httpx.ConnectError("all is well"),
        httpx.RemoteProtocolError("status 400"),
        aiohttp.ServerDisconnectedError("content_filter"),
        aiohttp.ClientConnectionError(),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
async def test_connection_errors_are_recognised_by_type_and_not_by_their_text(error: Exception) -> None:
    orchestrator, script = pair(), Script(a=[error])
    assert await orchestrator.call(script) == "b"
    assert counts(orchestrator, "a") == {"failed": 1}


async def test_an_error_that_only_talks_of_connections_is_the_callers_own() -> None:
    class Refused(Exception):
        status_code = 400

    orchestrator, script = pair(), Script(a=[Refused("connection error, 429 rate limit, timed out, 503")])
    with pytest.raises(Refused):
        await orchestrator.call(script)
    assert (script.asked, counts(orchestrator, "a")) == (["a"], {"ignored": 1})


async def test_callers_who_hang_up_leave_a_provider_as_it_was() -> None:
    orchestrator, script = pair(), Script(a=[Hang()] * 20)
    for _ in range(20):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(orchestrator.call(script), 0.001)
    assert orchestrator.events(CoolingDown) == []
    assert orchestrator.ranking() == ([("a", "normal"), ("b", "normal")], [])
    assert await orchestrator.call(script) == "a"
    assert counts(orchestrator, "a") == {"cancelled": 20, "successful": 1}


@pytest.mark.parametrize(
    "strategy", ["priority_list", "round_robin", "random", "best_performance", "highest_availability"]
)
async def test_the_provider_that_has_just_failed_is_not_the_fallback_whatever_the_strategy(strategy: Any) -> None:
    # Its weight and its record make it the favourite.
    members = [Provider("a", config("a", failure_threshold=1000), weight=1000), Provider("b", config("b"))]
    orchestrator, script = Orchestrator(members, strategy=strategy, min_health=0), Script()
    for _ in range(10):
        await orchestrator.call(script)
    script.parts["a"], asked_first = always(HttpError(500)), set[str]()
    for _ in range(20):
        script.asked.clear()
        assert await orchestrator.call(script) == "b"
        assert script.asked in (["a", "b"], ["b"])
        asked_first.add(script.asked[0])
    assert "a" in asked_first


async def test_nobody_is_asked_after_the_client_has_left() -> None:
    settings: dict[str, Any] = {"same_provider_retries": 1, "retry_delay_seconds": 0.03}
    members = [Provider(name, config(name, failure_threshold=5), tier=tier) for tier, name in enumerate("ab")]
    retries = Orchestrator(members, **settings)
    script = Script(a=[HttpError(500)])
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(retries.call(script), 0.01)
    assert script.asked == ["a"]

    waits = Orchestrator([Provider("a", config("a", timeout_seconds=0.05))], on_exhausted="wait")
    waits.breaker("a").acquire().failure()
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waits.call(script), 0.01)
    await asyncio.sleep(0.1)
    assert script.asked == ["a"]
    assert in_flight(retries) == in_flight(waits) == 0


async def test_a_breaker_works_on_streams_as_on_calls() -> None:
    clock, opened = ManualClock(), list[str]()
    members = [Provider(name, config(name, failure_threshold=3), tier=tier) for tier, name in enumerate("ab")]
    orchestrator = Orchestrator(members, clock=clock)

    async def words(provider: Provider) -> Any:
        opened.append(provider.id)
        if provider.id == "a":
            raise HttpError(503)
        yield provider.id

    for _ in range(6):
        assert [word async for word in orchestrator.stream(words)] == ["b"]
    assert opened == ["a", "b"] * 3 + ["b"] * 3
    assert orchestrator.breaker("a").state == "open"
    orchestrator.breaker("b").force_open()
    with pytest.raises(AllProvidersFailed) as caught:
        [word async for word in orchestrator.stream(words)]
    assert [failure.reason for failure in caught.value.failures] == ["open", "forced_open"]
    assert len(opened) == 9
    clock.advance(30)
    with pytest.raises(AllProvidersFailed):
        [word async for word in orchestrator.stream(words)]
    assert opened[9:] == ["a"], "one probe"


class Unusual(httpx.ConnectError):
    """An error that cannot be copied."""

    def __init__(self, *, key: str) -> None:
        super().__init__(key)


async def test_a_report_is_the_response_of_a_route_and_holds_no_text_of_an_error() -> None:
    orchestrator, script = pair(), Script(a=[Unusual(key="secret")])
    app = FastAPI()

    @app.get("/report")
    async def route() -> Report:
        _, report = await orchestrator.call_with_report(script)
        return report

    @app.get("/failures")
    async def failures() -> list[ProviderFailure]:
        with pytest.raises(AllProvidersFailed) as caught:
            await orchestrator.call(Script(a=[Unusual(key="secret")], b=[Unusual(key="secret")]))
        return list(caught.value.failures)

    with TestClient(app) as client:
        answer = client.get("/report").json()
        assert (answer["provider"], [attempt[0] for attempt in answer["attempts"]]) == ("b", ["a", "b"])
        assert [attempt[-1] for attempt in answer["attempts"]] == ["Unusual", None]
        assert "Unusual" in {failure["error"] for failure in client.get("/failures").json()}
        assert client.get("/openapi.json").status_code == 200
    assert TypeAdapter(Report).json_schema() != {}
