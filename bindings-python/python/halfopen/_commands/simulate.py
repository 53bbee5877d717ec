"""``simulate``: runs a scenario without a breaker, and with one or two configurations."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import get_args

from halfopen._commands._configurations import add_configurations, configurations, read_toml
from halfopen._commands._tables import print_table, print_transitions, seconds
from halfopen._core import CircuitBreakerConfig
from halfopen.simulation import Report, simulate
from halfopen.types import Strategy


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command."""
    command = commands.add_parser("simulate", help="run a scenario without a breaker, and with configurations A and B")
    command.add_argument("scenario", type=Path, help="TOML: clients, providers and faults (docs/simulation.md)")
    command.add_argument("--failover", choices=get_args(Strategy), help="go on to the next provider, in this order")
    command.add_argument("--count-rate-limits", action="store_true", help="count an answer of 429 as a failure")
    add_configurations(command, "--b")
    command.set_defaults(run=_simulate)


def _latency(report: Report, index: int) -> str:
    latencies = report["score"]["latency_seconds"]
    return seconds(None if latencies is None else latencies[index])


_SCORE: Sequence[tuple[str, Callable[[Report], str]]] = [
    ("requests", lambda report: f"{report['requests']:,}"),
    ("  answered", lambda report: f"{report['answered']:,}"),
    ("  failed", lambda report: f"{report['failed']:,}"),
    ("  refused", lambda report: f"{report['refused']:,}"),
    ("time to open", lambda report: seconds(report["score"]["seconds_to_open"])),
    ("time to recover", lambda report: seconds(report["score"]["seconds_to_recover"])),
    ("calls wasted on a broken provider", lambda report: f"{report['score']['wasted_calls']:,}"),
    ("calls refused that would have succeeded", lambda report: f"{report['score']['refused_in_vain']:,}"),
    ("calls for each request", lambda report: f"{report['score']['calls_per_request']:.3f}"),
    ("latency, median", lambda report: _latency(report, 0)),
    ("latency, 99 %", lambda report: _latency(report, -1)),
    ("changes of state", lambda report: f"{report['transition_count']:,}"),
]


def _simulate(options: argparse.Namespace) -> int:
    scenario = read_toml(options.scenario)
    compared: Mapping[str, CircuitBreakerConfig | None] = {"none": None, **configurations(options)}
    reports = {
        name: simulate(scenario, config, failover=options.failover, count_rate_limits=options.count_rate_limits)
        for name, config in compared.items()
    }
    if question := scenario.get("question"):
        print(f"{question}\n")
    print_table([(title, [read(report) for report in reports.values()]) for title, read in _SCORE], list(reports))
    for name, report in reports.items():
        print_transitions(
            f"{name}:",
            [
                (it["at_seconds"], f"{scenario['providers'][it['provider']]['name']}, worker {it['worker']}", it)
                for it in report["transitions"]
            ],
        )
    return 0
