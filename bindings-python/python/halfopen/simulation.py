"""Simulates outages, and replays recorded calls, on the breaker that runs in production.

>>> from halfopen import CircuitBreakerConfig
>>> from halfopen.simulation import simulate
>>> scenario = {
...     "seed": 7,
...     "seconds": 120,
...     "clients": {"per_second": 50, "timeout_seconds": 2},
...     "providers": [{"name": "gemini", "latency": {"kind": "fixed", "seconds": 0.2}}],
...     "faults": [{"provider": "gemini", "from_seconds": 30, "to_seconds": 60, "effect": {"kind": "down"}}],
... }
>>> report = simulate(scenario, CircuitBreakerConfig(name="gemini", timeout_seconds=5))
>>> report["transitions"][0]["explanation"]
'open after 5 failures in a row: in 5.0 s the next call is let through as a probe'

The same scenario gives the same report to the digit, in every language. All random numbers come from its seed and do
not depend on the configuration, so two configurations see the same requests and the same failures.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from halfopen._core import CircuitBreakerConfig, replay_log, run_scenario
from halfopen.types import Cause, State, Strategy, TypedDict

__all__ = ["Point", "Replayed", "ReplayedTransition", "Report", "Score", "Transition", "replay", "simulate"]


class Score(TypedDict):
    """The numbers by which configurations are compared. Less is better."""

    failed_requests: int
    """Requests of users that were not answered."""
    seconds_to_open: float | None
    """From the beginning of the first fault to the first opening."""
    seconds_to_recover: float | None
    """From the end of the last fault until every circuit was closed again."""
    not_closed_at_end: int
    wasted_calls: int
    """Calls that failed while a fault of their provider was in force."""
    refused_in_vain: int
    """Calls that a breaker rejected and that would have succeeded."""
    calls_per_request: float
    latency_seconds: list[float] | None
    """The time to the answer of an answered request: the median, the 95th and the 99th percentile."""


class _Changed(TypedDict):
    at_seconds: float
    from_state: State
    to_state: State
    cause: Cause
    explanation: str


class Transition(_Changed):
    """A change of state of one circuit."""

    worker: int
    provider: int


class ReplayedTransition(_Changed):
    """A change of state in a replay."""

    circuit: str


class Point(TypedDict):
    """The requests that ended within one step."""

    answered: int
    failed: int
    refused: int
    latency_seconds: float
    not_closed: int


class Report(TypedDict):
    """The result of one run."""

    requests: int
    answered: int
    failed: int
    refused: int
    score: Score
    transitions: list[Transition]
    transition_count: int
    step_seconds: float
    series: list[Point]


class Replayed(TypedDict):
    """The effect that a configuration would have had on the calls of a log."""

    admitted: int
    spared_failures: int
    """Calls that were made, failed, and would have been rejected."""
    refused_in_vain: int
    """Calls that were made, did not fail, and would have been rejected."""
    still_rejected: int
    unknown: int
    """Calls that were rejected and would have been admitted: their outcomes are unknown."""
    spared_seconds: float
    first_difference: int | None
    """The first record, from 0, whose decision differs from the recorded one; ``None`` if all are the same."""
    transitions: list[ReplayedTransition]


def simulate(
    scenario: Mapping[str, Any],
    config: CircuitBreakerConfig | None = None,
    *,
    failover: Strategy | None = None,
    count_rate_limits: bool = False,
) -> Report:
    """Runs a scenario with a breaker of this configuration for each worker and provider, or without breakers.

    Args:
        scenario: Clients, providers and faults; ``docs/simulation.md`` lists the fields.
        config: The configuration of each breaker; ``None`` for calls without breakers.
        failover: How a request chooses among the providers; if its call is rejected or fails, it goes on to the next
            one. ``None``: only the first provider is called.
        count_rate_limits: Whether an answer of 429 counts as a failure, with its ``Retry-After``.

    Raises:
        InvalidValueError: naming the field of the scenario, such as ``faults[0].effect.share``, or ``failover``.

    """
    report = run_scenario(
        json.dumps(scenario, allow_nan=False), config, failover=failover, count_rate_limits=count_rate_limits
    )
    return cast("Report", json.loads(report))


def replay(
    log: str | Iterable[Mapping[str, Any]], config: CircuitBreakerConfig, *, circuit: str | None = None
) -> tuple[Replayed, Replayed]:
    """Runs recorded calls through a configuration: the best case and the worst case.

    They differ only if the configuration admits calls that were rejected then. In the best case all of these succeed,
    in the worst case all fail.

    Args:
        log: Lines of JSON as a ``Recorder`` writes them, CSV with a header, or their records: ``at_seconds``,
            ``circuit``, ``duration_seconds``, ``outcome`` (``success``, ``failure``, ``ignored``, ``cancelled`` or
            ``rejected``) and ``retry_after_seconds`` if the provider gave a wait. Or OpenTelemetry's spans in OTLP's
            JSON, as the file exporter of the collector writes them.
        config: The configuration for each circuit of the log.
        circuit: The attribute of a span that names its circuit; spans without it are not calls. ``None``:
            ``halfopen.circuit``, and if no span has it, the server of each span of kind client.

    Raises:
        InvalidValueError: naming the line, such as ``log[17]``, and the field of a span.

    """
    text = log if isinstance(log, str) else "\n".join(json.dumps(record, allow_nan=False) for record in log)
    best, worst = replay_log(text, config, circuit)
    return cast("Replayed", json.loads(best)), cast("Replayed", json.loads(worst))
