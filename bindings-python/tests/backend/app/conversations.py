"""Conversations, which the orchestrator keeps with a provider that works."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from app.patterns.circuit_breaker import CircuitBreakerOpenError
from app.services.provider_orchestration import (
    OrchestrationConfig,
    ProviderOrchestrator,
    ProviderPreference,
    SelectionStrategy,
)
from app.settings import Settings

Ask = Callable[[str, str], Awaitable[str]]


def make_orchestrator(settings: Settings) -> ProviderOrchestrator:
    """The providers of the settings, the first one preferred."""
    preferences = [
        ProviderPreference(provider_id=provider, priority=place) for place, provider in enumerate(settings.providers)
    ]
    return ProviderOrchestrator(
        OrchestrationConfig(
            strategy=SelectionStrategy.PRIORITY_LIST,
            provider_preferences=preferences,
            circuit_breaker_failure_threshold=2,
            circuit_breaker_timeout_seconds=0.1,
            circuit_breaker_success_threshold=1,
        )
    )


async def turn(orchestrator: ProviderOrchestrator, session: UUID, ask: Ask, text: str) -> str:
    """One turn of a conversation: with its provider, and with another one if that fails."""
    provider = orchestrator.get_session_provider(session)
    if provider is None:
        provider = (await orchestrator.select_provider(session)).provider_id
    try:
        answer: str = await orchestrator.call_provider_with_breaker(provider, ask, provider, text)
        return answer
    except (CircuitBreakerOpenError, ConnectionError):
        event = await orchestrator.perform_failover(session)
        if event is None or not event.success:
            raise
        again: str = await orchestrator.call_provider_with_breaker(event.to_provider, ask, event.to_provider, text)
        return again
