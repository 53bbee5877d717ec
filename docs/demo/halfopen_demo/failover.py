"""Calls one provider after the other, each through its circuit breaker, until one answers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from halfopen import CircuitBreaker, CircuitBreakerOpenError
from halfopen_demo.clients import CLIENT_ERRORS, ProviderClient, ProviderFailed, ProviderRefused, Reply


@dataclass(frozen=True)
class Provider:
    """A client, and the breaker that guards all its calls."""

    client: ProviderClient
    breaker: CircuitBreaker


@dataclass(frozen=True)
class Step:
    """The outcome with one provider: it answered, failed, refused the request, or its circuit rejected the call."""

    provider: str
    outcome: Literal["answered", "failed", "refused", "rejected"]
    detail: str = ""
    retry_after: float | None = None
    status: int | None = None


@dataclass(frozen=True)
class FailoverResult:
    """The reply to one request, if any, and the providers that were tried."""

    reply: Reply | None = None
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def client_error_status(self) -> int | None:
        """The status of a provider that refused the text itself, if one did."""
        last = self.steps[-1]
        return last.status if last.status in CLIENT_ERRORS else None

    @property
    def all_rejected(self) -> bool:
        """Whether every circuit rejected the call."""
        return all(step.outcome == "rejected" for step in self.steps)

    @property
    def retry_after(self) -> int | None:
        """Seconds until the first circuit admits a call, rounded up, or None if no circuit knows."""
        known = [step.retry_after for step in self.steps if step.retry_after is not None]
        return math.ceil(min(known)) if known else None


async def ask(providers: Sequence[Provider], text: str) -> FailoverResult:
    """Tries the providers in order, until one answers.

    Open circuits are not skipped by reading their state: a call that is admitted after the wait is the probe that
    closes the circuit again.
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
            if error.status in CLIENT_ERRORS:
                break  # every provider would refuse this text
        else:
            steps.append(Step(name, "answered"))
            return FailoverResult(reply, steps)
    return FailoverResult(steps=steps)
