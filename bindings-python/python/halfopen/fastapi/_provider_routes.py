"""The routes that show the providers of orchestrators. They change nothing."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict
from time import time
from typing import Any

from fastapi import APIRouter
from fastapi.sse import EventSourceResponse, ServerSentEvent

from halfopen.fastapi._problems import ProblemRoute
from halfopen.fastapi._read_routes import POLL_SECONDS, InstalledDependency
from halfopen.orchestration import Choice, CoolingDown, Orchestrator, Switch

NEWEST = 20
"""The events of each kind that are shown."""
SHARE_SECONDS = 60.0
"""The time over which choices are counted."""
REFRESH_SECONDS = 1.0
"""The time between two events without a change."""


def provider_router(*, stream_seconds: float) -> APIRouter:
    """The routes, relative to their prefix. An event stream ends after ``stream_seconds``, as that of the breakers."""
    router = APIRouter(tags=["circuit breakers"], route_class=ProblemRoute)

    @router.get("", summary="The providers of each orchestrator, and the one that the next call would get")
    async def providers(installed: InstalledDependency) -> list[dict[str, Any]]:
        return [describe_orchestrator(orchestrator) for orchestrator in installed.orchestrators]

    @router.get("/events", response_class=EventSourceResponse, summary="The same as server-sent events")
    async def events(installed: InstalledDependency) -> AsyncGenerator[ServerSentEvent]:
        loop = asyncio.get_running_loop()
        now = loop.time()
        end, due = now + stream_seconds, now
        yield ServerSentEvent(comment="providers of orchestrators", retry=1_000)
        shown: list[Any] = []
        # An event has everything, so a client that connects again has missed nothing, and needs no id.
        while (now := loop.time()) < end:
            present = [_order_of(orchestrator) for orchestrator in installed.orchestrators]
            if present != shown or now >= due:
                shown, due = present, now + REFRESH_SECONDS
                data = [describe_orchestrator(orchestrator) for orchestrator in installed.orchestrators]
                yield ServerSentEvent(data=data, event="providers")
            await asyncio.sleep(POLL_SECONDS)

    return router


def describe_orchestrator(orchestrator: Orchestrator) -> dict[str, Any]:
    """The strategy, the providers in their declared order, and the newest choices, switches and cooldowns."""
    engine = orchestrator._engine
    order = engine.look()
    places: dict[int, dict[str, Any]] = {
        index: {"place": place, "role": role} for place, (index, role) in enumerate(order.picks, 1)
    }
    places |= {
        index: {"passed_over": reason, "retry_after_seconds": retry_after}
        for index, reason, retry_after in order.passed_over
    }
    choices, switches = orchestrator.events(Choice), orchestrator.events(Switch)
    since = time() - SHARE_SECONDS
    chosen = Counter(choice.provider for choice in choices if choice.at >= since)
    return {
        "strategy": orchestrator.settings.strategy,
        "explanation": orchestrator.explain(),
        "providers": [
            {
                **_declared(orchestrator, index),
                "place": None,
                "role": None,
                "passed_over": None,
                "retry_after_seconds": None,
                **places.get(index, {}),
                **asdict(status),
                "chosen": chosen[status.provider],
                "chosen_share": chosen[status.provider] / max(chosen.total(), 1),
                "last_switch": _last_switch(switches, status.provider),
            }
            for index, status in enumerate(engine.statuses(order))
        ],
        "chosen_seconds": SHARE_SECONDS,
        "sessions": len(orchestrator.sessions()),
        "tokens": engine.pool.tokens,
        "choices": _newest(choices),
        "switches": _newest(switches),
        "cooldowns": _newest(orchestrator.events(CoolingDown)),
    }


def _declared(orchestrator: Orchestrator, index: int) -> dict[str, Any]:
    provider = orchestrator.providers[index]
    breaker = orchestrator.breaker(provider.id)
    return {
        "tier": provider.tier,
        "weight": provider.weight,
        "enabled": provider.enabled,
        "model": provider.model,
        "last_resort": provider.last_resort,
        "circuit": breaker.name,
        "explanation": breaker.explain(),
    }


def _order_of(orchestrator: Orchestrator) -> tuple[Any, ...]:
    """The parts whose change a client gets at once."""
    engine = orchestrator._engine
    order = engine.look()
    newest = [engine.events.last(kind) for kind in (Switch, CoolingDown)]
    return sorted(order.picks), [(index, reason) for index, reason, _ in order.passed_over], newest


def _last_switch(switches: Sequence[Switch], provider: str) -> dict[str, Any] | None:
    """The newest switch to or from a provider."""
    found = (switch for switch in reversed(switches) if provider in (switch.old, switch.new))
    switch = next(found, None)
    return None if switch is None else switch._asdict()


def _newest(events: Sequence[Choice] | Sequence[Switch] | Sequence[CoolingDown]) -> list[dict[str, Any]]:
    return [event._asdict() for event in events[: -NEWEST - 1 : -1]]
