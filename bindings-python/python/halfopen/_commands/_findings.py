"""The findings of ``doctor``: settings that are allowed one by one, and wrong together."""

import os
from collections.abc import Iterator, Sequence
from math import isinf
from pathlib import Path
from typing import NamedTuple

from halfopen._commands._program import Program, WatchedBreaker


class Finding(NamedTuple):
    """A wrong combination."""

    code: str
    what: str
    why: str
    write: str
    """The code to write instead."""


_DEADLINE = "call_timeout_seconds (of an orchestrator: attempt_timeout_seconds)"
LONG_SECONDS = 60.0
"""No caller waits this long for an answer, so a client timeout of this length or more is no limit in practice."""


def find(program: Program) -> list[Finding]:
    """All findings, in the order of their importance."""
    checks = (_sdk_retries, _no_deadline, _timeout_above_deadline, _several_domains, _same_names, _probes, _useless)
    findings = [finding for check in checks for finding in check(program)]
    return [*findings, *_workers(program), *_routes(program)]


def _sdk_retries(program: Program) -> Iterator[Finding]:
    for client in program.clients:
        if client.retries:
            yield Finding(
                "SDK_RETRIES",
                f"{client.label} repeats a failed request up to {client.retries} times by itself",
                "The breaker sees one call where the provider sees several, so it opens late. A rejected call is"
                " repeated, too, so the call moves to another provider later.",
                client.no_retries,
            )


def _no_deadline(program: Program) -> Iterator[Finding]:
    if any(watched.deadline_seconds or watched.limits_streams for watched in program.breakers):
        return
    for client in program.clients:
        if client.timeout_seconds is not None and client.timeout_seconds >= LONG_SECONDS:
            yield Finding(
                "NO_DEADLINE",
                f"{client.label} has {_timeout(client.timeout_seconds)}, and no breaker has a deadline",
                "A provider that hangs raises nothing, so the circuit stays closed as long as the client waits.",
                "CircuitBreaker(…, call_timeout_seconds=10), for streams first_item_timeout_seconds=10 and"
                " idle_timeout_seconds=5; or a shorter timeout of the client",
            )


def _timeout_above_deadline(program: Program) -> Iterator[Finding]:
    deadlines = [watched.deadline_seconds for watched in program.breakers]
    longest = max((seconds for seconds in deadlines if seconds is not None), default=None)
    if longest is None or None in deadlines:
        return
    for client in program.clients:
        if client.timeout_seconds is not None and client.timeout_seconds > longest:
            yield Finding(
                "TIMEOUT_ABOVE_DEADLINE",
                f"{client.label} has {_timeout(client.timeout_seconds)}, above the deadline of every breaker"
                f" ({longest:g} s)",
                "The deadline always comes first, so this timeout has no effect.",
                f"a timeout of the client of at most {longest:g} s, or a longer {_DEADLINE}",
            )


def _several_domains(program: Program) -> Iterator[Finding]:
    for watched in program.breakers:
        hosts = sorted({client.host for client in program.clients if client.breaker is watched.breaker and client.host})
        if len(hosts) > 1:
            yield Finding(
                "SEVERAL_FAILURE_DOMAINS",
                f"breaker {watched.name!r} guards requests to {', '.join(hosts)}",
                "An outage of one of them opens the circuit for all of them, or the successes of the others hide it.",
                "a breaker for each host: guarded_transport(transport, BreakerPerHost(…))",
            )


def _same_names(program: Program) -> Iterator[Finding]:
    names: dict[tuple[str, str], list[WatchedBreaker]] = {}
    for watched in program.breakers:
        names.setdefault((watched.name, watched.breaker.provider_id), []).append(watched)
    for (name, provider), same in names.items():
        if len(same) > 1:
            yield Finding(
                "SAME_NAME",
                f"{len(same)} breakers have the name {name!r} and the provider {provider!r}",
                "Each opens by itself, so each has to see the outage; their metrics are added up.",
                "one breaker in a module that all import, or Registry(…).get_or_create(name)",
            )


def _probes(program: Program) -> Iterator[Finding]:
    for watched in program.breakers:
        config, deadline = watched.breaker.config, watched.deadline_seconds
        probe_timeout = config.timeout_seconds if config.probe_timeout_seconds is None else config.probe_timeout_seconds
        if deadline is not None and deadline > probe_timeout:
            yield Finding(
                "PROBE_TIMEOUT_BELOW_DEADLINE",
                f"breaker {watched.name!r} waits {deadline:g} s for a call, and gives up probes after"
                f" {probe_timeout:g} s",
                "Slots of probes that are still in flight are given to others, so a provider that recovers gets more"
                " calls at once than half_open_max_calls.",
                f"probe_timeout_seconds={deadline:g}, or a shorter {_DEADLINE}",
            )


def _useless(program: Program) -> Iterator[Finding]:
    for watched in program.breakers:
        config, deadline = watched.breaker.config, watched.deadline_seconds
        for field, seconds in (
            ("slow_call_seconds", config.slow_call_seconds),
            ("cancel_failure_after_seconds", config.cancel_failure_after_seconds),
        ):
            if deadline is not None and seconds is not None and seconds >= deadline:
                yield Finding(
                    "NEVER_REACHED",
                    f"breaker {watched.name!r} has {field}={seconds:g}, and cuts calls off after {deadline:g} s",
                    "No call takes that long.",
                    f"{field} below {deadline:g}, or without it",
                )


def _workers(program: Program) -> Iterator[Finding]:
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is not None and not (Path(folder).is_dir() and os.access(folder, os.W_OK)):
        yield Finding(
            "METRICS_DIRECTORY",
            f"PROMETHEUS_MULTIPROC_DIR is {folder!r}, which is no directory that can be written",
            "No metric can be exported.",
            f"mkdir -p {folder}, before the server starts",
        )
    if program.workers == 1:
        return
    if program.exports_metrics and folder is None:
        yield Finding(
            "METRICS_OF_ONE_WORKER",
            f"{program.workers} worker processes export metrics without PROMETHEUS_MULTIPROC_DIR",
            "Each scrape reaches one of them, so counters jump up and down and every sum is wrong.",
            "PROMETHEUS_MULTIPROC_DIR=/run/backend-metrics (docs/metrics.md)",
        )
    together = [watched.name for watched in program.breakers if not watched.breaker.config.timeout_jitter]
    if together:
        yield Finding(
            "PROBES_TOGETHER",
            f"{program.workers} worker processes have breakers without timeout_jitter: {_listed(together)}",
            "They open in the same outage, and then all send their probes at the same moment.",
            "timeout_jitter=0.2",
        )


def _routes(program: Program) -> Iterator[Finding]:
    if program.has_open_routes:
        yield Finding(
            "OPEN_ROUTES",
            "the routes that show the breakers have no viewer",
            "Every client of the application can see the names and the states of its providers.",
            "install(app, viewer=…) with a dependency that authenticates, or prefix=None",
        )


def _timeout(seconds: float) -> str:
    return "no timeout" if isinf(seconds) else f"a timeout of {seconds:g} s"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"
