"""The replaced orchestrator's interface."""

import asyncio
from uuid import uuid4

import pytest
from pydantic import BaseModel, ValidationError

from compat_backend import IDS, SESSION, Backend
from halfopen.compat import CircuitBreakerOpenError
from halfopen.compat.orchestration import (
    OrchestrationConfig,
    ProviderPreference,
    ProviderSelection,
    SelectionStrategy,
    get_orchestrator,
)


def test_each_provider_has_a_breaker_with_the_five_settings() -> None:
    statuses = Backend().orchestrator.get_all_circuit_breaker_status()
    assert {name: status["name"] for name, status in statuses.items()} == {name: f"provider_{name}" for name in IDS}
    assert {status["provider_id"] for status in statuses.values()} == {*IDS}
    wanted = {"failure_threshold": 3, "success_threshold": 2, "timeout_seconds": 30.0, "half_open_max_calls": 3}
    assert all(status["config"] == wanted for status in statuses.values())


def test_a_configuration_is_a_model_with_the_old_defaults() -> None:
    assert OrchestrationConfig().model_dump() == {
        "strategy": SelectionStrategy.BEST_PERFORMANCE,
        "enable_auto_failover": True,
        "failover_threshold_consecutive_errors": 3,
        "enable_load_balancing": True,
        "health_check_required": True,
        "min_provider_health_score": 70.0,
        "provider_preferences": [],
        "enable_circuit_breaker": True,
        "circuit_breaker_failure_threshold": 5,
        "circuit_breaker_timeout_seconds": 60.0,
        "circuit_breaker_success_threshold": 2,
        "circuit_breaker_half_open_max_calls": 3,
    }
    assert issubclass(ProviderSelection, BaseModel)
    with pytest.raises(ValidationError, match="strategy"):
        OrchestrationConfig.model_validate({"strategy": "fastest"})
    with pytest.raises(ValidationError, match="min_provider_health_score"):
        OrchestrationConfig(min_provider_health_score=700)


def test_the_defaults_are_the_providers_of_the_replaced_module_and_one_orchestrator_serves_the_process() -> None:
    assert get_orchestrator() is get_orchestrator()
    assert [*get_orchestrator().get_all_circuit_breaker_status()] == ["deepgram", "openai", "deepgram_nova3", "gemini"]
    assert get_orchestrator().config.provider_preferences == []


def test_a_selection_is_remembered_with_the_others_as_fallback() -> None:
    backend = Backend()
    selection = backend.select(SESSION)
    assert (selection.provider_id, selection.provider_type) == ("gemini", "gemini")
    assert selection.fallback_providers == ["openai", "deepgram"]
    assert selection.reason == "Selected using priority_list strategy"
    assert 0.5 < selection.confidence <= 1
    assert selection.timestamp.utcoffset() is not None
    assert backend.orchestrator.get_session_provider(SESSION) == "gemini"
    assert backend.orchestrator.get_session_provider(uuid4()) is None
    assert backend.orchestrator.get_selection_history() == [selection]


def test_the_type_of_a_provider_is_declared_or_the_beginning_of_its_id() -> None:
    preferences = [
        {"provider_id": "deepgram_nova3", "priority": 1},
        {"provider_id": "own", "priority": 2, "provider_type": "llama"},
    ]
    backend = Backend(provider_preferences=preferences)
    assert backend.select().provider_type == "deepgram"
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("deepgram_nova3"))
    assert backend.select().provider_type == "llama"


@pytest.mark.parametrize("strategy", [strategy.value for strategy in SelectionStrategy])
def test_every_strategy_uses_providers_that_are_enabled_and_closed(strategy: str) -> None:
    preferences = [
        ProviderPreference(provider_id=name, priority=at, enabled=name != "openai") for at, name in enumerate(IDS)
    ]
    backend = Backend(strategy, provider_preferences=preferences)
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("gemini"))
    assert {backend.select().provider_id for _ in range(50)} == {"deepgram"}


def test_round_robin_takes_turns() -> None:
    backend = Backend("round_robin")
    turns = [backend.select().provider_id for _ in range(6)]
    assert turns[:3] == turns[3:]
    assert {*turns} == {*IDS}


def test_random_uses_the_weights() -> None:
    preferences = [
        ProviderPreference(provider_id="often", priority=1, weight=0.9),
        ProviderPreference(provider_id="seldom", priority=2, weight=0.1),
        ProviderPreference(provider_id="never", priority=3, weight=0),
    ]
    backend = Backend("random", provider_preferences=preferences)
    chosen = [backend.select().provider_id for _ in range(2000)]
    assert chosen.count("never") == 0
    # Four standard deviations of a binomial distribution with 2,000 draws.
    assert abs(chosen.count("seldom") - 200) < 4 * (2000 * 0.1 * 0.9) ** 0.5


def test_required_capabilities_exclude_the_providers_that_declare_others() -> None:
    preferences = [
        ProviderPreference(provider_id="text", priority=1, capabilities=["text"]),
        ProviderPreference(provider_id="any", priority=2),
        ProviderPreference(provider_id="voice", priority=3, capabilities=["text", "voice"]),
    ]
    backend = Backend(provider_preferences=preferences)
    assert backend.select(None, ["text"]).provider_id == "text"
    selection = backend.select(None, ["voice"])
    assert [selection.provider_id, *selection.fallback_providers] == ["any", "voice"]


def test_a_failover_and_the_fallback_find_the_required_capabilities() -> None:
    preferences = [
        ProviderPreference(provider_id="gemini", priority=1, capabilities=["audio"]),
        ProviderPreference(provider_id="openai", priority=2, capabilities=["text"]),
        ProviderPreference(provider_id="deepgram", priority=3, capabilities=["audio"]),
    ]
    backend = Backend(provider_preferences=preferences)
    backend.fail("openai", 3)
    backend.clock.advance(1)
    assert backend.select(SESSION, ["audio"]).provider_id == "gemini"
    backend.fail("gemini", 3)
    assert backend.failover().to_provider == "deepgram"
    assert backend.select(capabilities=["text"]).provider_id == "openai"
    backend.clock.advance(1)
    backend.fail("deepgram", 3)
    fallback = backend.select(capabilities=["audio"])
    assert (fallback.provider_id, fallback.confidence) == ("gemini", 0)
    asyncio.run(backend.orchestrator.force_open_circuit_breaker("openai"))
    backend.clock.advance(29)
    assert backend.select(capabilities=["text"]).provider_id == "openai"


def test_calls_take_plain_and_coroutine_functions_with_any_arguments() -> None:
    async def add(func: int, provider: int = 0) -> int:
        await asyncio.sleep(0)
        return func + provider

    orchestrator = Backend().orchestrator
    assert asyncio.run(orchestrator.call_provider_with_breaker("gemini", add, 2, provider=3)) == 5
    assert asyncio.run(orchestrator.call_provider_with_breaker("gemini", len, "four")) == 4


def test_an_open_circuit_rejects_calls_and_the_operator_can_reset_it() -> None:
    backend = Backend()
    backend.fail("gemini", 3)
    with pytest.raises(CircuitBreakerOpenError, match="OPEN"):
        backend.call("gemini")
    assert asyncio.run(backend.orchestrator.reset_circuit_breaker("gemini")) is True
    assert backend.call("gemini") == "answer"
    assert asyncio.run(backend.orchestrator.reset_circuit_breaker("nobody")) is False
    assert asyncio.run(backend.orchestrator.force_open_circuit_breaker("nobody")) is False
    assert backend.orchestrator.get_circuit_breaker_status("nobody") is None


def test_sessions_can_be_cleaned_up() -> None:
    backend = Backend()
    backend.select(SESSION)
    backend.failover()
    asyncio.run(backend.orchestrator.cleanup_session(SESSION))
    asyncio.run(backend.orchestrator.cleanup_session(uuid4()))
    assert backend.orchestrator.get_session_provider(SESSION) is None
    assert len(backend.orchestrator.get_switch_history(SESSION)) == 1
