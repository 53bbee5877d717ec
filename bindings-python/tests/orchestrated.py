"""Scripted providers for tests of the orchestrator."""

import asyncio
from collections.abc import Iterable
from typing import Any

from halfopen import CircuitBreakerConfig, ManualClock
from halfopen.orchestration import Orchestrator, Provider


class HttpError(Exception):
    """An error of an SDK: a status, headers and a body, as most of them have."""

    def __init__(self, status: int, *, retry_after: float | None = None, code: str | None = None) -> None:
        super().__init__(f"status {status}")
        self.status_code = status
        self.headers = {} if retry_after is None else {"retry-after": f"{retry_after:g}"}
        self.body = {"error": {"code": code}}


class Hang:
    """A provider that does not answer."""


class Script:
    """The function of a call: each provider answers with the next part of its script, and then with its id.

    ``asked`` lists the providers in the order of their requests.
    """

    def __init__(self, **parts: Iterable[Any]) -> None:
        self.parts = {name: list(answers) for name, answers in parts.items()}
        self.asked: list[str] = []

    async def __call__(self, provider: Provider, *_: Any) -> Any:
        self.asked.append(provider.id)
        answers = self.parts.get(provider.id)
        answer = answers.pop(0) if answers else provider.id
        if isinstance(answer, Hang):
            await asyncio.Event().wait()
        if isinstance(answer, BaseException):
            raise answer
        return answer


def always(answer: Any) -> list[Any]:
    """A script that is longer than any test."""
    return [answer] * 1000


def config(name: str, **fields: Any) -> CircuitBreakerConfig:
    """A circuit that opens at the first failure and closes at the first success of a probe, after 30 seconds."""
    quick: dict[str, Any] = {"failure_threshold": 1, "success_threshold": 1, "timeout_seconds": 30}
    return CircuitBreakerConfig(name=name, **(quick | fields))


def providers(*ids: str, **fields: Any) -> list[Provider]:
    """Providers with such circuits, each in a tier of its own."""
    return [Provider(name, config(name), tier=tier, **fields) for tier, name in enumerate(ids)]


def pair(clock: ManualClock | None = None, **settings: Any) -> Orchestrator:
    """An orchestrator of the providers ``a`` and ``b``, which prefers ``a``."""
    return Orchestrator(providers("a", "b"), clock=clock, **settings)


def in_flight(orchestrator: Orchestrator) -> int:
    """The permits that are not settled."""
    return sum(orchestrator.breaker(provider.id).metrics.in_flight for provider in orchestrator.providers)


def counts(orchestrator: Orchestrator, provider: str) -> dict[str, int]:
    """The counters of a provider's breaker that are not zero."""
    metrics = orchestrator.breaker(provider).metrics
    names = ("successful", "failed", "ignored", "cancelled", "rejected")
    read = {name: getattr(metrics, f"{name}_calls") for name in names}
    return {name: count for name, count in read.items() if count}
