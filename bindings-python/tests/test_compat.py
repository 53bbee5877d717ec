"""The contract with the FastAPI backend, tested through its own module name."""

import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY, make_asgi_app

from halfopen.compat import CircuitBreaker

BACKEND = Path(__file__).with_name("backend")


@pytest.fixture
def provider() -> Iterator[Any]:
    sys.path.insert(0, str(BACKEND))
    try:
        from app.providers import Provider

        yield Provider("gemini")
    finally:
        sys.path.remove(str(BACKEND))


def test_the_names_are_there(provider: Any) -> None:
    import app.patterns
    from app.patterns import circuit_breaker as module

    assert app.patterns.CircuitBreaker is module.CircuitBreaker
    for name in ("CircuitBreakerMetrics", "CircuitBreakerOpenError", "CircuitBreakerState", "CircuitBreakerConfig"):
        assert hasattr(module, name)
    for name in ("state", "calls_total", "state_transitions", "call_duration"):
        assert hasattr(module, f"circuit_breaker_{name}")
    assert provider.breaker.config.name == "provider_gemini"
    assert provider.breaker.provider_id == "gemini"


async def test_an_outage_as_the_backend_sees_it(provider: Any) -> None:
    from app.patterns.circuit_breaker import CircuitBreakerOpenError, CircuitBreakerState

    await provider.send_text("hello")
    provider.down = True
    for _ in range(5):
        with pytest.raises(ConnectionError):
            await provider.send_audio(b"hello")
    with pytest.raises(CircuitBreakerOpenError) as caught:
        await provider.send_text("too late")
    error = caught.value
    assert error.circuit_name == "provider_gemini"
    assert error.retry_after is not None
    assert "provider_gemini" in str(error)
    assert "OPEN" in str(error)
    assert f"{error.retry_after:.1f}" in str(error)
    assert provider.breaker.state == "open"
    assert provider.breaker.state is CircuitBreakerState.OPEN
    assert isinstance(provider.breaker.state, str)
    assert provider.breaker.get_status()["failure_count"] == 5

    await provider.breaker.reset()
    provider.down = False
    await provider.send_text("back")
    assert provider.sent == ["hello", "back"]


async def test_operators_are_coroutine_functions(provider: Any) -> None:
    assert inspect.iscoroutinefunction(provider.breaker.reset)
    assert inspect.iscoroutinefunction(provider.breaker.force_open)
    await provider.breaker.force_open()
    assert provider.breaker.state == "open"


async def test_a_decorated_plain_function_becomes_a_coroutine_function(provider: Any) -> None:
    breaker: CircuitBreaker = provider.breaker

    @breaker
    def plain(a: int) -> int:
        """Says so."""
        return a

    @breaker
    async def coroutine(a: int) -> int:
        return a

    assert inspect.iscoroutinefunction(plain)
    assert (plain.__name__, plain.__doc__, list(inspect.signature(plain).parameters)) == ("plain", "Says so.", ["a"])
    assert plain.__wrapped__(1) == 1  # type: ignore[attr-defined]
    assert await plain(1) == await coroutine(1) == 1


def test_the_status_has_every_key_of_the_contract(provider: Any) -> None:
    status = provider.breaker.get_status()
    assert {"name", "provider_id", "state", "retry_after_seconds", "metrics", "config", "failure_count"} <= set(status)
    assert set(status["metrics"]) >= {
        "total_calls", "successful_calls", "failed_calls", "rejected_calls", "success_rate", "consecutive_failures",
        "consecutive_successes", "state_transitions", "last_failure_time", "last_success_time", "last_state_change",
    }  # fmt: skip
    assert status["config"].items() >= {
        "failure_threshold": 5, "success_threshold": 2, "timeout_seconds": 60.0, "half_open_max_calls": 3,
    }.items()  # fmt: skip
    assert status["retry_after_seconds"] is None
    json.dumps(status)


def sample(metric: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(metric, labels)


async def test_the_four_metrics_are_in_the_default_registry(provider: Any) -> None:
    name = "provider_four_metrics"
    labels = {"name": name, "provider": "p"}
    breaker = type(provider.breaker)(provider.breaker.config.model_copy(update={"name": name}), "p")
    await breaker.call(lambda: None)
    for _ in range(5):
        breaker.acquire().failure()
    with pytest.raises(Exception, match="OPEN"):
        breaker.acquire()
    assert sample("circuit_breaker_state", **labels) == 2
    calls = {s: sample("circuit_breaker_calls_total", status=s, **labels) for s in ("attempted", "success", "rejected")}
    assert calls == {"attempted": 6, "success": 1, "rejected": 1}
    assert sample("circuit_breaker_calls_total", status="failure", **labels) == 5
    edge = {"from_state": "closed", "to_state": "open"}
    assert sample("circuit_breaker_state_transitions_total", **edge, **labels) == 1
    for status, count in (("success", 1), ("failure", 5)):
        assert sample("circuit_breaker_call_duration_seconds_count", status=status, **labels) == count
        assert sample("circuit_breaker_call_duration_seconds_bucket", status=status, le="+Inf", **labels) == count
        assert sample("circuit_breaker_call_duration_seconds_bucket", status=status, le="0.005", **labels) is not None
        total = sample("circuit_breaker_call_duration_seconds_sum", status=status, **labels)
        assert total is not None
        assert total >= 0


def test_a_fastapi_backend_serves_it(provider: Any) -> None:
    api = FastAPI()
    api.mount("/metrics", make_asgi_app())

    @api.post("/say")
    async def say(text: str) -> dict[str, str]:
        await provider.send_text(text)
        return provider.breaker.get_status()["state"] and {"said": text}

    with TestClient(api) as client:
        assert client.post("/say", params={"text": "hello"}).json() == {"said": "hello"}
        exposed = client.get("/metrics/").text
    assert 'circuit_breaker_state{name="provider_gemini",provider="gemini"}' in exposed
