"""The backend's own tests of its orchestration, which run with the old modules and with the new ones."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest
from app.conversations import make_orchestrator, turn
from app.patterns.circuit_breaker import CircuitBreakerOpenError, CircuitBreakerState
from app.services.provider_orchestration import (
    OrchestrationConfig,
    ProviderOrchestrator,
    ProviderPreference,
    ProviderSelection,
    ProviderSwitchEvent,
    SelectionStrategy,
    get_orchestrator,
)
from app.settings import Settings
from pydantic import BaseModel


class Providers:
    """Two providers, of which some are down."""

    def __init__(self) -> None:
        self.down: set[str] = set()
        self.asked: list[str] = []

    async def ask(self, provider: str, text: str) -> str:
        self.asked.append(provider)
        if provider in self.down:
            raise ConnectionError("token=secret")
        return f"{provider}: {text}"


@pytest.fixture
def orchestrator() -> ProviderOrchestrator:
    return make_orchestrator(Settings())


async def test_a_selection_has_the_old_fields(orchestrator: ProviderOrchestrator) -> None:
    session = uuid4()
    selection = await orchestrator.select_provider(session, required_capabilities=["streaming"])
    assert isinstance(selection, ProviderSelection)
    assert set(selection.model_dump()) == {
        "provider_id",
        "provider_type",
        "reason",
        "confidence",
        "fallback_providers",
        "timestamp",
    }
    assert (selection.provider_id, selection.fallback_providers) == ("gemini", ["openai"])
    assert selection.reason == "Selected using priority_list strategy"
    assert 0 <= selection.confidence <= 1
    assert orchestrator.get_session_provider(session) == "gemini"
    assert orchestrator.get_selection_history(limit=1) == [selection]
    await orchestrator.cleanup_session(session)
    assert orchestrator.get_session_provider(session) is None


async def test_a_conversation_moves_when_its_provider_is_down(orchestrator: ProviderOrchestrator) -> None:
    providers, session = Providers(), uuid4()
    assert await turn(orchestrator, session, providers.ask, "one") == "gemini: one"
    providers.down.add("gemini")
    for _ in range(2):
        with pytest.raises(ConnectionError):
            await orchestrator.call_provider_with_breaker("gemini", providers.ask, "gemini", "?")
    assert orchestrator.get_circuit_breaker_status("gemini")["state"] == CircuitBreakerState.OPEN  # type: ignore[index]
    assert await turn(orchestrator, session, providers.ask, "two") == "openai: two"
    [event] = orchestrator.get_switch_history(session)
    assert isinstance(event, ProviderSwitchEvent)
    assert (event.session_id, event.from_provider, event.to_provider) == (session, "gemini", "openai")
    assert (event.success, event.error_message) == (True, None)


async def test_calls_go_through_the_breaker(orchestrator: ProviderOrchestrator) -> None:
    assert await orchestrator.call_provider_with_breaker("gemini", len, "four") == 4
    assert await orchestrator.call_provider_with_breaker("a stranger", len, "four") == 4
    status = orchestrator.get_circuit_breaker_status("gemini")
    assert status is not None
    assert (status["name"], status["metrics"]["successful_calls"]) == ("provider_gemini", 1)
    assert await orchestrator.force_open_circuit_breaker("gemini") is True
    with pytest.raises(CircuitBreakerOpenError, match="OPEN"):
        await orchestrator.call_provider_with_breaker("gemini", len, "four")
    assert await orchestrator.reset_circuit_breaker("gemini") is True
    assert await orchestrator.call_provider_with_breaker(provider_id="gemini", func=lambda: "HALF") == "HALF"
    assert await orchestrator.reset_circuit_breaker("a stranger") is False
    assert orchestrator.get_circuit_breaker_status("a stranger") is None


async def test_an_open_circuit_is_excluded_and_recovers_through_calls(orchestrator: ProviderOrchestrator) -> None:
    await orchestrator.force_open_circuit_breaker("gemini")
    assert (await orchestrator.select_provider()).provider_id == "openai"
    await asyncio.sleep(0.15)
    await orchestrator.call_provider_with_breaker("gemini", len, "")
    assert orchestrator.get_all_circuit_breaker_status()["gemini"]["state"] == "closed"


async def test_without_breakers_calls_go_straight_through() -> None:
    config = OrchestrationConfig(
        provider_preferences=[ProviderPreference(provider_id="gemini", priority=1)], enable_circuit_breaker=False
    )
    orchestrator, providers = ProviderOrchestrator(config=config), Providers()
    providers.down.add("gemini")
    for _ in range(10):
        with pytest.raises(ConnectionError):
            await orchestrator.call_provider_with_breaker("gemini", providers.ask, "gemini", "?")
    assert len(providers.asked) == 10
    assert orchestrator.get_all_circuit_breaker_status() == {}


@pytest.mark.parametrize("strategy", SelectionStrategy)
async def test_every_strategy_selects_an_enabled_provider(strategy: SelectionStrategy) -> None:
    preferences = [
        ProviderPreference(provider_id="off", priority=0, enabled=False),
        ProviderPreference(provider_id="on", priority=1),
    ]
    orchestrator = ProviderOrchestrator(OrchestrationConfig(strategy=strategy, provider_preferences=preferences))
    assert {(await orchestrator.select_provider()).provider_id for _ in range(20)} == {"on"}


def test_the_configuration_is_a_model_that_can_be_a_field() -> None:
    class Deployment(BaseModel):
        orchestration: OrchestrationConfig = OrchestrationConfig()

    fields: dict[str, Any] = {"strategy": "round_robin", "circuit_breaker_timeout_seconds": "30"}
    deployment = Deployment.model_validate({"orchestration": fields})
    assert deployment.orchestration.strategy is SelectionStrategy.ROUND_ROBIN
    assert deployment.orchestration.circuit_breaker_timeout_seconds == 30.0
    assert (
        OrchestrationConfig.model_validate_json(deployment.orchestration.model_dump_json()) == deployment.orchestration
    )
    assert get_orchestrator() is get_orchestrator()


def test_events_are_built_by_the_backend_too() -> None:
    fields = {"session_id": str(UUID(int=1)), "from_provider": None, "to_provider": "x", "reason": "manual"}
    event = ProviderSwitchEvent.model_validate({**fields, "timestamp": "2026-01-01T00:00:00Z", "success": True})
    assert ProviderSwitchEvent.model_validate(event.model_dump()) == event
