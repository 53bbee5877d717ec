"""Everything that the page shows, read from the running objects."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2

from halfopen.orchestration import Choice, CoolingDown, Event, Switch
from halfopen_demo.services import Services

SHOWN_TRANSITIONS = 40
SHOWN_CHOICES = 60
READ_CONTROL_SECONDS = 0.4
"""The page shows a provider that does not answer in time as unreachable."""


async def read(services: Services) -> dict[str, Any]:
    """The breakers, the simulated providers, the transitions, the choices and the exchanges."""
    orchestrator = services.orchestrator
    breakers = {provider.id: orchestrator.breaker(provider.id) for provider in orchestrator.providers}
    controls = await asyncio.gather(*(_read_control(services, provider) for provider in breakers))
    events = [(event, provider) for provider, breaker in breakers.items() for event in reversed(breaker.events())]
    events.sort(key=lambda pair: pair[0].at, reverse=True)
    return {
        "breakers": [{**breaker.get_status(), "provider_id": provider} for provider, breaker in breakers.items()],
        "providers": controls,
        "slow_starts": {status.provider: status.slow_start_for for status in orchestrator.status()},
        "transitions": [
            {
                "provider": provider,
                "sequence": event.sequence,
                "at": event.at,
                "from_state": event.from_state,
                "to_state": event.to_state,
                "cause": event.cause,
            }
            for event, provider in events[:SHOWN_TRANSITIONS]
        ],
        "choices": [
            _described(event) for event in orchestrator.events(Choice, Switch, CoolingDown)[: -SHOWN_CHOICES - 1 : -1]
        ],
        "exchanges": services.exchange_log.recent(),
    }


def _described(event: Event) -> dict[str, Any]:
    """An event as the page reads it."""
    fields = {name: getattr(event, name) for name in event._fields if name != "passed_over"}
    if isinstance(event, Choice):
        fields["passed_over"] = [passed._asdict() for passed in event.passed_over]
    return {"kind": type(event).__name__, **fields, "at": datetime.fromtimestamp(event.at, UTC)}


async def _read_control(services: Services, provider: str) -> dict[str, Any]:
    """The behaviour that the provider reports; `unreachable` if it does not answer (its process was killed)."""
    url = f"{services.clients.urls[provider]}/control"
    try:
        answer = await services.clients.http.get(url, timeout=READ_CONTROL_SECONDS)
        return dict(answer.json())
    except httpx2.TransportError:
        return {"provider": provider, "mode": "unreachable"}
