"""The backend's own tests, which run with the old module and with the new one."""

import asyncio
import copy
import gc
import inspect
import json
import logging
import pickle
from collections.abc import Iterator
from typing import Any

import app.main
import httpx2
import pytest
from app.patterns import circuit_breaker as module
from app.patterns.circuit_breaker import (
    CircuitBreaker,
    CircuitBreakerConfig,
    CircuitBreakerMetrics,
    CircuitBreakerOpenError,
    CircuitBreakerState,
    circuit_breaker_call_duration,
    circuit_breaker_calls_total,
    circuit_breaker_state,
    circuit_breaker_state_transitions,
)
from app.sessions import Session
from app.settings import Settings
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from pydantic import BaseModel, TypeAdapter, ValidationError

LOGGER = "app.patterns.circuit_breaker"


@pytest.fixture
def client() -> Iterator[TestClient]:
    for provider in app.main.sessions:
        app.main.sessions[provider] = Session(provider, app.main.settings.breaker_of(provider))
    gc.collect()  # The gauge shows the worst of the live breakers.
    with TestClient(app.main.api) as client:
        yield client


def make_breaker(name: str, **settings: Any) -> CircuitBreaker:
    return CircuitBreaker(CircuitBreakerConfig(name=name, **settings), provider_id="p")


async def ok() -> str:
    return "ok"


async def down() -> None:
    raise ConnectionError("token=secret")


async def fail(breaker: CircuitBreaker, times: int) -> None:
    for _ in range(times):
        with pytest.raises(ConnectionError):
            await breaker.call(down)


def sample(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


# The configuration


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKEND_BREAKER__TIMEOUT_SECONDS", "30")
    monkeypatch.setenv("BACKEND_BREAKER__FAILURE_THRESHOLD", "7")
    config = Settings().breaker_of("gemini")
    assert config.model_dump() == {
        "name": "provider_gemini",
        "failure_threshold": 7,
        "success_threshold": 2,
        "timeout_seconds": 30.0,
        "half_open_max_calls": 3,
    }
    monkeypatch.setenv("BACKEND_BREAKER__FAILURE_THRESHOLD", "0")
    with pytest.raises(ValidationError, match="failure_threshold"):
        Settings()


def test_the_config_is_a_pydantic_model() -> None:
    config = CircuitBreakerConfig(timeout_seconds=60)
    assert list(CircuitBreakerConfig.model_fields) == list(config.model_dump())
    assert config.model_fields_set == {"timeout_seconds"}
    assert config == CircuitBreakerConfig()
    assert config.model_dump(exclude_unset=True) == {"timeout_seconds": 60.0}
    assert CircuitBreakerConfig.model_validate({"failure_threshold": "30"}).failure_threshold == 30
    assert CircuitBreakerConfig.model_validate_json(config.model_dump_json()) == config
    assert CircuitBreakerConfig.model_validate_strings({"timeout_seconds": "1.5"}).timeout_seconds == 1.5
    assert CircuitBreakerConfig.model_construct(name="x").failure_threshold == 5
    assert set(CircuitBreakerConfig.model_json_schema()["properties"]) == set(CircuitBreakerConfig.model_fields)
    assert config.model_copy(update={"name": "y"}).name == "y"
    assert copy.deepcopy(config) == pickle.loads(pickle.dumps(config)) == config
    assert TypeAdapter(list[CircuitBreakerConfig]).validate_python([{}]) == [config]
    assert CircuitBreakerConfig.model_validate({"unheard_of": 1}) == config
    with pytest.raises(ValidationError):
        CircuitBreakerConfig(failure_threshold=0)
    with pytest.raises(ValidationError):
        CircuitBreakerConfig.model_validate({"timeout_seconds": True}, strict=True)


def test_the_config_can_be_subclassed_and_be_a_field() -> None:
    class Own(CircuitBreakerConfig):
        team: str = "voice"
        timeout_seconds: float = 5.0

    class Deployment(BaseModel):
        breaker: Own = Own()

    deployment = Deployment.model_validate({"breaker": {"team": "video"}})
    assert (deployment.breaker.team, deployment.breaker.timeout_seconds) == ("video", 5.0)
    assert CircuitBreaker(deployment.breaker).get_status()["config"]["timeout_seconds"] == 5.0
    with pytest.raises(ValidationError) as caught:
        Deployment.model_validate({"breaker": {"success_threshold": 0}})
    assert caught.value.errors()[0]["loc"] == ("breaker", "success_threshold")


async def test_the_passed_config_object_stays_in_force() -> None:
    config = CircuitBreakerConfig(name="own_assigned")
    breaker = CircuitBreaker(config)
    assert breaker.config is config
    breaker.config = CircuitBreakerConfig(name="own_assigned", failure_threshold=1)
    assert breaker.get_status()["config"]["failure_threshold"] == 1
    await fail(breaker, 1)
    assert breaker.state == "open"
    await breaker.reset()
    breaker.config.failure_threshold = 2
    await fail(breaker, 1)
    assert breaker.state == "closed"
    await fail(breaker, 1)
    assert breaker.state == "open"


# Calls


async def test_a_circuit_opens_rejects_probes_and_closes() -> None:
    breaker = make_breaker("own_story", failure_threshold=2, success_threshold=1, timeout_seconds=0.05)
    assert await breaker.call(ok) == "ok"
    await fail(breaker, 2)
    assert breaker.get_status()["state"] == CircuitBreakerState.OPEN
    with pytest.raises(CircuitBreakerOpenError) as caught:
        await breaker.call(ok)
    assert 0 < caught.value.retry_after <= 0.05
    await asyncio.sleep(0.06)
    assert await breaker.call(ok) == "ok"
    assert breaker.state == CircuitBreakerState.CLOSED
    metrics = breaker.metrics
    assert isinstance(metrics, CircuitBreakerMetrics)
    assert (metrics.total_calls, metrics.successful_calls, metrics.failed_calls) == (4, 2, 2)
    assert (metrics.rejected_calls, metrics.state_transitions, metrics.consecutive_failures) == (1, 3, 0)
    assert metrics.last_failure_time is not None
    assert metrics.last_failure_time.tzinfo is not None
    assert breaker.metrics is not metrics
    metrics.total_calls = 99
    assert breaker.metrics.total_calls == 4


async def test_keyword_arguments_reach_the_function() -> None:
    breaker = make_breaker("own_keywords")

    async def takes(*args: int, **kwargs: int) -> Any:
        return args, kwargs

    assert await breaker.call(takes, 1, fn=3) == ((1,), {"fn": 3})
    assert await breaker.call(func=ok) == "ok"
    assert await breaker.call(lambda: 7) == 7


async def test_every_exception_is_a_failure_and_every_result_a_success() -> None:
    breaker = make_breaker("own_rule", failure_threshold=99)
    guarded: Any = breaker(ok)
    for wrong in (lambda: breaker.call(ok, 1), lambda: guarded(1), lambda: breaker.call(int, "x")):
        with pytest.raises((TypeError, ValueError)):
            await wrong()
    for error in (StopAsyncIteration, KeyError, TimeoutError, PermissionError):
        with pytest.raises(error):
            await breaker.call(lambda error=error: (_ for _ in ()).throw(error).__next__())
    unavailable = httpx2.Response(503)
    assert await breaker.call(lambda: unavailable) is unavailable
    assert (breaker.metrics.failed_calls, breaker.metrics.successful_calls) == (7, 1)


async def test_a_breaker_carries_attributes_of_the_backend() -> None:
    breaker: Any = make_breaker("own_attributes")
    for name in ("note", "name", "mode", "session", "stream", "clock", "classify", "failure_threshold"):
        setattr(breaker, name, "mine")
        assert getattr(breaker, name) == "mine"

    async def patched(func: Any, *args: Any) -> tuple[Any, ...]:
        return (func, *args)

    breaker.call = patched
    assert await breaker(len)("x") == (len, "x")


async def test_a_decorated_function_is_a_coroutine_function() -> None:
    breaker = make_breaker("own_decorated")

    @breaker
    def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    assert inspect.iscoroutinefunction(double)
    assert (double.__name__, double.__doc__) == ("double", "Twice as much.")
    assert list(inspect.signature(double).parameters) == ["number"]
    assert double.__wrapped__(2) == await double(2) == 4  # type: ignore[attr-defined]


async def test_a_subclass_overrides_call_and_the_decorator_uses_it() -> None:
    session = Session("sub", CircuitBreakerConfig(name="own_subclass"))
    assert await session.ask("hello") == "HELLO"
    assert await session.say("hello") == "echo: hello"
    assert session.breaker.called == ["_ask", "_say"]
    assert session.breaker.provider_id == "sub"


async def test_force_open_ends_by_itself() -> None:
    breaker = make_breaker("own_forced", timeout_seconds=0.05, success_threshold=1)
    await breaker.force_open()
    with pytest.raises(CircuitBreakerOpenError) as caught:
        await breaker.call(ok)
    assert int(caught.value.retry_after) == 0
    await asyncio.sleep(0.06)
    assert await breaker.call(ok) == "ok"
    assert breaker.state == "closed"


def test_the_error_is_a_normal_exception() -> None:
    error = CircuitBreakerOpenError("gemini", 12.345)
    assert isinstance(error, Exception)
    assert error.args == ("Circuit breaker 'gemini' is OPEN. Retry after 12.3 seconds.",)
    assert str(error) == error.args[0]
    assert (error.circuit_name, error.retry_after) == ("gemini", 12.345)
    error.retry_after = 1.0
    assert error.retry_after == 1.0
    named = CircuitBreakerOpenError(circuit_name="openai", retry_after=3)
    assert named.circuit_name == "openai"


def test_the_status_is_unchanged() -> None:
    status = make_breaker("own_status").get_status()
    assert json.loads(json.dumps(status)) == status
    assert status["config"] == {
        "failure_threshold": 5,
        "success_threshold": 2,
        "timeout_seconds": 60.0,
        "half_open_max_calls": 3,
    }
    assert status["metrics"] == {
        "total_calls": 0,
        "successful_calls": 0,
        "failed_calls": 0,
        "rejected_calls": 0,
        "success_rate": 0.0,
        "consecutive_failures": 0,
        "consecutive_successes": 0,
        "state_transitions": 0,
        "last_failure_time": None,
        "last_success_time": None,
        "last_state_change": None,
    }
    assert (status["name"], status["provider_id"], status["state"]) == ("own_status", "p", "closed")
    assert (status["retry_after_seconds"], status["failure_count"]) == (None, 0)


# Metrics


async def test_the_collectors_have_the_same_interface() -> None:
    labels = {"name": "own_collectors", "provider": "p"}
    breaker = make_breaker("own_collectors", failure_threshold=1)
    assert sample("circuit_breaker_state", **labels) == 0
    await breaker.call(ok)
    await fail(breaker, 1)
    with pytest.raises(CircuitBreakerOpenError):
        await breaker.call(ok)
    assert sample("circuit_breaker_state", **labels) == 2
    for status, calls in {"attempted": 2, "success": 1, "failure": 1, "rejected": 1}.items():
        assert sample("circuit_breaker_calls_total", status=status, **labels) == calls
    edge = {"from_state": "closed", "to_state": "open"}
    assert sample("circuit_breaker_state_transitions_total", **labels, **edge) == 1
    for status in ("success", "failure"):
        assert sample("circuit_breaker_call_duration_seconds_count", status=status, **labels) == 1
    del breaker
    assert sample("circuit_breaker_state", **labels) == 2, "the gauge keeps its value after the breaker is collected"

    circuit_breaker_calls_total.labels(status="success", **labels).inc()
    assert sample("circuit_breaker_calls_total", status="success", **labels) == 2
    for collector in (circuit_breaker_state, circuit_breaker_calls_total, circuit_breaker_call_duration):
        collector.clear()
    circuit_breaker_state_transitions.clear()
    assert sample("circuit_breaker_calls_total", status="success", **labels) is None
    await make_breaker("own_collectors").call(ok)
    assert sample("circuit_breaker_calls_total", status="success", **labels) == 1
    assert sample("circuit_breaker_call_duration_seconds_count", status="success", **labels) == 1


async def test_the_gauge_stays_at_2_until_the_next_call() -> None:
    labels = {"name": "own_gauge", "provider": "p"}
    breaker = make_breaker("own_gauge", failure_threshold=1, success_threshold=2, timeout_seconds=0.05)
    await fail(breaker, 1)
    await asyncio.sleep(0.06)
    assert sample("circuit_breaker_state", **labels) == 2
    await breaker.call(ok)
    assert sample("circuit_breaker_state", **labels) == 1
    await breaker.call(ok)
    assert sample("circuit_breaker_state", **labels) == 0


# Logs


async def test_the_log_records_are_unchanged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, LOGGER)
    breaker = make_breaker("own_log", failure_threshold=2, success_threshold=1, timeout_seconds=0.05)
    await fail(breaker, 2)
    with pytest.raises(CircuitBreakerOpenError):
        await breaker.call(ok)
    await asyncio.sleep(0.06)
    await breaker.call(ok)
    await breaker.force_open()
    await breaker.reset()
    records = [record for record in caplog.records if record.name == LOGGER]
    levels = [record.levelno for record in records]
    assert levels.count(logging.ERROR) == 1
    assert levels.count(logging.WARNING) == 2
    assert levels.count(logging.DEBUG) == 1
    # The construction, five transitions, the recovery and two operations.
    assert levels.count(logging.INFO) == 9
    assert levels.index(logging.ERROR) > levels.index(logging.WARNING)
    assert all("own_log" in record.getMessage() for record in records)
    warnings = [record.getMessage() for record in records if record.levelno == logging.WARNING]
    assert all("ConnectionError" in warning for warning in warnings)
    assert "2" in warnings[-1]
    assert "secret" not in caplog.text


# The API


def test_an_outage_as_a_client_sees_it(client: TestClient) -> None:
    assert client.post("/say/gemini", params={"text": "hello"}).json() == {"said": "echo: hello"}
    client.post("/down/gemini", params={"down": True})
    assert [client.post("/say/gemini", params={"text": "?"}).status_code for _ in range(6)] == [502] * 5 + [503]
    refused = client.post("/say/gemini", params={"text": "?"})
    assert refused.json()["circuit"] == "provider_gemini"
    assert "OPEN" in refused.json()["detail"]
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    status = client.get("/status/gemini").json()
    assert (status["state"], status["config"]["timeout_seconds"]) == ("open", 60.0)
    assert client.get("/counters/gemini").json()["rejected_calls"] == 2
    assert client.post("/say/openai", params={"text": "hello"}).status_code == 200
    client.post("/reset/gemini")
    client.post("/down/gemini", params={"down": False})
    assert client.post("/say/gemini", params={"text": "hello"}).status_code == 200


def test_a_forced_opening_is_a_503_until_it_ends(client: TestClient) -> None:
    client.post("/open/gemini")
    refused = client.post("/say/gemini", params={"text": "?"})
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) <= 60


def test_the_config_is_a_response_and_a_body(client: TestClient) -> None:
    assert client.get("/config/gemini").json() == app.main.settings.breaker_of("gemini").model_dump()
    changed = client.put("/config/gemini", json={"name": "provider_gemini", "failure_threshold": "1"})
    assert changed.json()["failure_threshold"] == 1
    client.post("/down/gemini", params={"down": True})
    assert [client.post("/say/gemini", params={"text": "?"}).status_code for _ in range(2)] == [502, 503]
    refused = client.put("/config/gemini", json={"failure_threshold": 0})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["body", "failure_threshold"]
    components = client.get("/openapi.json").json()["components"]["schemas"]
    assert set(components["CircuitBreakerConfig"]["properties"]) == set(CircuitBreakerConfig.model_fields)


def test_the_four_metrics_are_exposed(client: TestClient) -> None:
    client.post("/say/gemini", params={"text": "hello"})
    text = client.get("/metrics").text
    assert 'circuit_breaker_state{name="provider_gemini",provider="gemini"} 0.0' in text
    for metric in ("calls_total", "call_duration_seconds_bucket"):
        assert f"circuit_breaker_{metric}{{" in text


def test_the_names_are_unchanged() -> None:
    import app.patterns

    for name in ("CircuitBreaker", "CircuitBreakerConfig", "CircuitBreakerState"):
        assert getattr(app.patterns, name) is getattr(module, name)
