"""Asks one provider after the other, each through its circuit breaker, until one answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from halfopen import CircuitBreaker, CircuitBreakerOpenError
from halfopen_demo.clients import CALLERS_FAULT, ProviderClient, ProviderFailed, ProviderRefused, Reply


@dataclass(frozen=True)
class Provider:
    """A client, and the breaker that all its calls go through."""

    client: ProviderClient
    breaker: CircuitBreaker


@dataclass(frozen=True)
class Step:
    """What came of one provider: it answered, failed, refused the request, or its circuit rejected the call."""

    provider: str
    outcome: Literal["answered", "failed", "refused", "rejected"]
    detail: str = ""
    retry_after: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class Course:
    """The way of one request from provider to provider."""

    reply: Reply | None = None
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def callers_fault(self) -> int | None:
        """The status with which a provider found fault with the text itself, if one did."""
        last = self.steps[-1]
        return last.status if last.status in CALLERS_FAULT else None

    @property
    def all_rejected(self) -> bool:
        """Whether no provider was called, because every circuit is open."""
        return all(step.outcome == "rejected" for step in self.steps)

    @property
    def retry_after(self) -> int | None:
        """The whole seconds until the first of the circuits admits a call, where any of them knows."""
        known = [step.retry_after for step in self.steps if step.retry_after is not None]
        return math.ceil(min(known)) if known else None


async def ask(providers: Sequence[Provider], text: str) -> Course:
    """Asks the providers in their order, and goes on to the next where one fails or its circuit is open.

    An open circuit is always asked, never skipped by a look at its state: the call that it admits once its wait
    is over is the probe that closes it again.
    """
    steps: list[Step] = []
    for provider in providers:
        name = provider.client.provider
        try:
            reply = await provider.breaker.call(provider.client.ask, text)
        except CircuitBreakerOpenError as error:
            steps.append(Step(name, "rejected", error.reason, retry_after=error.retry_after))
        except ProviderFailed as error:
            steps.append(Step(name, "failed", str(error)))
        except ProviderRefused as error:
            steps.append(Step(name, "refused", str(error), status=error.status))
            if error.status in CALLERS_FAULT:
                break  # the same text would be refused everywhere
        else:
            steps.append(Step(name, "answered"))
            return Course(reply, steps)
    return Course(steps=steps)
