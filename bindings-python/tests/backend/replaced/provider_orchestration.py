"""The module that ``halfopen.compat.orchestration`` replaces: its interface, behaviour and defects.

Its health values are invented, it forgets the results that it records, it never tries an excluded circuit again, and a
failover may pick the provider that has just failed.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any
from uuid import UUID

from app.patterns.circuit_breaker import CircuitBreaker, CircuitBreakerConfig
from pydantic import BaseModel


class SelectionStrategy(str, Enum):  # noqa: UP042 (as it was)
    BEST_PERFORMANCE = "best_performance"
    HIGHEST_AVAILABILITY = "highest_availability"
    ROUND_ROBIN = "round_robin"
    PRIORITY_LIST = "priority_list"
    RANDOM = "random"


class ProviderPreference(BaseModel):
    provider_id: str
    priority: int
    weight: float = 1.0
    enabled: bool = True


class OrchestrationConfig(BaseModel):
    strategy: SelectionStrategy = SelectionStrategy.BEST_PERFORMANCE
    enable_auto_failover: bool = True
    failover_threshold_consecutive_errors: int = 3
    enable_load_balancing: bool = True
    health_check_required: bool = True
    min_provider_health_score: float = 70.0
    provider_preferences: list[ProviderPreference] = []
    enable_circuit_breaker: bool = True
    circuit_breaker_failure_threshold: int = 5
    circuit_breaker_timeout_seconds: float = 60.0
    circuit_breaker_success_threshold: int = 2
    circuit_breaker_half_open_max_calls: int = 3


class ProviderSelection(BaseModel):
    provider_id: str
    provider_type: str
    reason: str
    confidence: float
    fallback_providers: list[str]
    timestamp: datetime


class ProviderSwitchEvent(BaseModel):
    session_id: UUID
    from_provider: str | None
    to_provider: str
    reason: str
    timestamp: datetime
    success: bool
    error_message: str | None = None


class ProviderOrchestrator:
    def __init__(self, config: OrchestrationConfig = OrchestrationConfig()) -> None:  # noqa: B008 (as it was)
        self.config = config
        self._turn = 0
        self._providers: dict[UUID, str] = {}
        self._selections: list[ProviderSelection] = []
        self._switches: dict[UUID, list[ProviderSwitchEvent]] = {}
        self._breakers: dict[str, CircuitBreaker] = {}
        if config.enable_circuit_breaker:
            for preference in config.provider_preferences:
                settings = CircuitBreakerConfig(
                    name=f"provider_{preference.provider_id}",
                    failure_threshold=config.circuit_breaker_failure_threshold,
                    success_threshold=config.circuit_breaker_success_threshold,
                    timeout_seconds=config.circuit_breaker_timeout_seconds,
                    half_open_max_calls=config.circuit_breaker_half_open_max_calls,
                )
                self._breakers[preference.provider_id] = CircuitBreaker(settings, provider_id=preference.provider_id)

    async def select_provider(
        self,
        session_id: UUID | None = None,
        required_capabilities: list[str] | None = None,  # noqa: ARG002 (as it was)
    ) -> ProviderSelection:
        candidates = [
            preference
            for preference in self.config.provider_preferences
            if preference.enabled and self._state(preference.provider_id) != "open"
        ] or self.config.provider_preferences[:1]
        match self.config.strategy:
            case SelectionStrategy.PRIORITY_LIST:
                chosen = min(candidates, key=lambda candidate: candidate.priority)
            case SelectionStrategy.ROUND_ROBIN:
                chosen = candidates[self._turn % len(candidates)]
                self._turn += 1
            case SelectionStrategy.RANDOM:
                [chosen] = random.choices(candidates, [candidate.weight for candidate in candidates])
            case _:
                chosen = candidates[0]
        selection = ProviderSelection(
            provider_id=chosen.provider_id,
            provider_type=chosen.provider_id,
            reason=f"Selected using {self.config.strategy.value} strategy",
            confidence=0.97,
            fallback_providers=[other.provider_id for other in candidates if other is not chosen],
            timestamp=datetime.now(UTC),
        )
        self._selections.append(selection)
        if session_id:
            self._providers[session_id] = chosen.provider_id
        return selection

    async def check_failover_needed(self, session_id: UUID) -> bool:  # noqa: ARG002 (as it was)
        return False

    async def perform_failover(self, session_id: UUID) -> ProviderSwitchEvent | None:
        before = self._providers.get(session_id)
        selection = await self.select_provider(session_id)
        event = ProviderSwitchEvent(
            session_id=session_id,
            from_provider=before,
            to_provider=selection.provider_id,
            reason="Automatic failover due to provider health issues",
            timestamp=datetime.now(UTC),
            success=True,
        )
        self._switches.setdefault(session_id, []).append(event)
        return event

    async def call_provider_with_breaker(
        self, provider_id: str, func: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        breaker = self._breakers.get(provider_id)
        if breaker is not None:
            return await breaker.call(func, *args, **kwargs)
        result = func(*args, **kwargs)
        return await result if asyncio.iscoroutine(result) else result

    def record_provider_success(self, provider_id: str) -> None: ...

    def record_provider_failure(self, provider_id: str, error: Exception) -> None: ...

    def get_circuit_breaker_status(self, provider_id: str) -> dict[str, Any] | None:
        breaker = self._breakers.get(provider_id)
        return None if breaker is None else breaker.get_status()

    def get_all_circuit_breaker_status(self) -> dict[str, dict[str, Any]]:
        return {provider_id: breaker.get_status() for provider_id, breaker in self._breakers.items()}

    async def reset_circuit_breaker(self, provider_id: str) -> bool:
        if (breaker := self._breakers.get(provider_id)) is not None:
            await breaker.reset()
        return breaker is not None

    async def force_open_circuit_breaker(self, provider_id: str) -> bool:
        if (breaker := self._breakers.get(provider_id)) is not None:
            await breaker.force_open()
        return breaker is not None

    def get_session_provider(self, session_id: UUID) -> str | None:
        return self._providers.get(session_id)

    def get_switch_history(self, session_id: UUID) -> list[ProviderSwitchEvent]:
        return self._switches.get(session_id, [])

    def get_selection_history(self, limit: int | None = None) -> list[ProviderSelection]:
        return self._selections[-limit:] if limit else self._selections

    async def cleanup_session(self, session_id: UUID) -> None:
        self._providers.pop(session_id, None)

    def _state(self, provider_id: str) -> str:
        status = self.get_circuit_breaker_status(provider_id)
        return "closed" if status is None else status["state"]


_orchestrator: ProviderOrchestrator | None = None


def get_orchestrator() -> ProviderOrchestrator:
    global _orchestrator  # noqa: PLW0603 (as it was)
    if _orchestrator is None:
        _orchestrator = ProviderOrchestrator()
    return _orchestrator
