"""The replaced orchestrator with three providers that fail on request, for its tests."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest

from halfopen import ManualClock
from halfopen.compat.orchestration import (
    OrchestrationConfig,
    ProviderOrchestrator,
    ProviderPreference,
    ProviderSelection,
    ProviderSwitchEvent,
)

IDS = ("gemini", "openai", "deepgram")
SESSION = UUID(int=7)


class Backend:
    """An orchestrator of three providers on a clock that stands still."""

    def __init__(self, strategy: str = "priority_list", **fields: object) -> None:
        preferences = [ProviderPreference(provider_id=name, priority=at) for at, name in enumerate(IDS, 1)]
        settings: dict[str, object] = {
            "strategy": strategy,
            "provider_preferences": preferences,
            "circuit_breaker_failure_threshold": 3,
            "circuit_breaker_timeout_seconds": 30,
            **fields,
        }
        self.clock = ManualClock()
        self.orchestrator = ProviderOrchestrator(OrchestrationConfig.model_validate(settings), clock=self.clock)

    def call(self, provider: str, func: Callable[[], object] = lambda: "answer") -> object:
        return asyncio.run(self.orchestrator.call_provider_with_breaker(provider, func))

    def fail(self, provider: str, times: int = 1) -> None:
        def unreachable() -> None:
            raise ConnectionError("unreachable")

        for _ in range(times):
            with pytest.raises(ConnectionError):
                self.call(provider, unreachable)

    def select(self, session: UUID | None = None, capabilities: list[str] | None = None) -> ProviderSelection:
        return asyncio.run(self.orchestrator.select_provider(session, capabilities))

    def failover(self, session: UUID = SESSION) -> ProviderSwitchEvent:
        return asyncio.run(self.orchestrator.perform_failover(session))

    def needs_failover(self, session: UUID = SESSION) -> bool:
        return asyncio.run(self.orchestrator.check_failover_needed(session))

    def state(self, provider: str) -> str:
        status = self.orchestrator.get_circuit_breaker_status(provider)
        assert status is not None
        return str(status["state"])
