"""The route that shows the providers of orchestrators. It changes nothing."""

from typing import Any

from fastapi import APIRouter

from halfopen.fastapi._read_routes import InstalledDependency
from halfopen.orchestration import Choice, CoolingDown, Orchestrator, Switch

NEWEST = 20
"""The events of each kind that are shown."""


def provider_router() -> APIRouter:
    """The route, relative to its prefix."""
    router = APIRouter(tags=["circuit breakers"])

    @router.get("", summary="The providers of each orchestrator, and whom the next call would get")
    async def providers(installed: InstalledDependency) -> list[dict[str, Any]]:
        return [describe_orchestrator(orchestrator) for orchestrator in installed.orchestrators]

    return router


def describe_orchestrator(orchestrator: Orchestrator) -> dict[str, Any]:
    """The strategy, the providers in their declared order, and the newest choices, switches and cooldowns."""
    order = orchestrator._engine.look()
    places = {index: (place, role) for place, (index, role) in enumerate(order.picks, 1)}
    passed_over = {index: (reason, retry_after) for index, reason, retry_after in order.passed_over}
    return {
        "strategy": orchestrator.settings.strategy,
        "providers": [
            _describe(orchestrator, index, places.get(index, (None, None)), passed_over.get(index, (None, None)))
            for index in range(len(orchestrator.providers))
        ],
        "sessions": len(orchestrator.sessions()),
        "choices": [event._asdict() for event in orchestrator.events(Choice)[: -NEWEST - 1 : -1]],
        "switches": [event._asdict() for event in orchestrator.events(Switch)[: -NEWEST - 1 : -1]],
        "cooldowns": [event._asdict() for event in orchestrator.events(CoolingDown)[: -NEWEST - 1 : -1]],
    }


def _describe(
    orchestrator: Orchestrator, index: int, place: tuple[Any, Any], passed_over: tuple[Any, Any]
) -> dict[str, Any]:
    provider = orchestrator.providers[index]
    breaker = orchestrator.breaker(provider.id)
    return {
        "provider": provider.id,
        "tier": provider.tier,
        "weight": provider.weight,
        "enabled": provider.enabled,
        "model": provider.model,
        "last_resort": provider.last_resort,
        "place": place[0],
        "role": place[1],
        "passed_over": passed_over[0],
        "retry_after_seconds": passed_over[1],
        "circuit": breaker.name,
        "state": breaker.state,
        "explanation": breaker.explain(),
    }
