"""The steps of one request: providers that were passed over, those that were asked, and the one that answered."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import httpx2

from halfopen.orchestration import AllProvidersFailed, AttemptReport, Choice, Event


@dataclass(frozen=True)
class Step:
    """The outcome with one provider: it answered, failed, refused the request, or was passed over."""

    provider: str
    outcome: Literal["answered", "failed", "refused", "passed_over"]
    detail: str = ""
    retry_after: float | None = None
    role: str = "normal"


def steps_of(events: Iterable[Event], attempts: Sequence[AttemptReport]) -> list[Step]:
    """The steps of a request that a provider answered, in the order in which they happened."""
    passed = {
        passed.provider: Step(passed.provider, "passed_over", passed.reason, passed.retry_after)
        for event in events
        if isinstance(event, Choice)
        for passed in event.passed_over
        if passed.reason not in ("tried", "missing_capability")
    }
    asked = [
        Step(attempt.provider, "answered", role=attempt.role)
        if attempt.error is None
        else failed_step(attempt.provider, attempt.error, attempt.role)
        for attempt in attempts
    ]
    return [*(step for provider, step in passed.items() if provider not in {it.provider for it in asked}), *asked]


def steps_of_failure(failure: AllProvidersFailed) -> list[Step]:
    """The steps of a request that no provider answered."""
    return [
        failed_step(part.provider, part.error)
        if part.reason == "failed"
        else Step(part.provider, "passed_over", part.reason, part.retry_after)
        for part in failure.failures
    ]


def failed_step(provider: str, error: Exception, role: str = "normal") -> Step:
    """The step of a provider that did not answer. The text of an error may be long; its kind says enough."""
    if not isinstance(error, httpx2.HTTPStatusError):
        return Step(
            provider, "failed", "no answer in time" if isinstance(error, TimeoutError) else type(error).__name__
        )
    status = error.response.status_code
    return Step(provider, "failed" if status >= 500 else "refused", f"answered {status}", role=role)
