"""Simulates outages and replays recorded calls: ``python -m halfopen simulate``, ``python -m halfopen replay``."""

import argparse
import csv
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from halfopen._core import CircuitBreakerConfig
from halfopen.errors import HalfopenError
from halfopen.simulation import Replayed, Report, replay, simulate

_MISSING = "-"


def _seconds(value: float | None) -> str:
    return _MISSING if value is None else f"{value:,.2f} s"


def _latency(report: Report, index: int) -> str:
    latencies = report["score"]["latency_seconds"]
    return _seconds(None if latencies is None else latencies[index])


_SCORE: Sequence[tuple[str, Callable[[Report], str]]] = [
    ("requests", lambda report: f"{report['requests']:,}"),
    ("  answered", lambda report: f"{report['answered']:,}"),
    ("  failed", lambda report: f"{report['failed']:,}"),
    ("  refused", lambda report: f"{report['refused']:,}"),
    ("time to open", lambda report: _seconds(report["score"]["seconds_to_open"])),
    ("time to recover", lambda report: _seconds(report["score"]["seconds_to_recover"])),
    ("calls wasted on a broken provider", lambda report: f"{report['score']['wasted_calls']:,}"),
    ("calls refused that would have succeeded", lambda report: f"{report['score']['refused_in_vain']:,}"),
    ("calls for each request", lambda report: f"{report['score']['calls_per_request']:.3f}"),
    ("latency, median", lambda report: _latency(report, 0)),
    ("latency, 99 %", lambda report: _latency(report, -1)),
    ("changes of state", lambda report: f"{report['transition_count']:,}"),
]
_REPLAY: Sequence[tuple[str, Callable[[Replayed], str]]] = [
    ("calls made that would be made again", lambda result: f"{result['admitted']:,}"),
    ("failures that would have been spared", lambda result: f"{result['spared_failures']:,}"),
    ("  seconds that they took", lambda result: _seconds(result["spared_seconds"])),
    ("calls that would have been refused in vain", lambda result: f"{result['refused_in_vain']:,}"),
    ("rejected calls that would be rejected again", lambda result: f"{result['still_rejected']:,}"),
    ("rejected calls of unknown outcome", lambda result: f"{result['unknown']:,}"),
    ("changes of state", lambda result: f"{len(result['transitions']):,}"),
]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command and returns the exit status: 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m halfopen", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("simulate", help="run a scenario without a breaker, and with configurations A and B")
    command.add_argument("scenario", type=Path, help="TOML: clients, providers and faults (docs/simulation.md)")
    command.add_argument("--failover", action="store_true", help="go on to the next provider")
    command.add_argument("--count-rate-limits", action="store_true", help="count an answer of 429 as a failure")
    _add_configurations(command, "--b")
    command.set_defaults(run=_simulate)

    command = commands.add_parser("replay", help="run recorded calls through configurations A and B")
    command.add_argument("log", type=Path, help="JSON lines, or CSV with a header: at_seconds, circuit, …")
    _add_configurations(command, "--b", "--in-force")
    command.set_defaults(run=_replay)

    options = parser.parse_args(arguments)
    try:
        options.run(options)
    except (HalfopenError, OSError, tomllib.TOMLDecodeError) as error:
        print(f"python -m halfopen: {error}", file=sys.stderr)
        return 2
    return 0


def _add_configurations(command: argparse.ArgumentParser, *optional: str) -> None:
    command.add_argument("--a", type=Path, required=True, metavar="TOML", help="fields of a configuration")
    for name in optional:
        command.add_argument(name, type=Path, metavar="TOML", help="fields of another configuration")


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _configurations(options: argparse.Namespace) -> dict[str, CircuitBreakerConfig]:
    paths = {"A": options.a, "B": options.b}
    return {name: CircuitBreakerConfig(**_read(path)) for name, path in paths.items() if path is not None}


def _simulate(options: argparse.Namespace) -> None:
    scenario = _read(options.scenario)
    configurations: Mapping[str, CircuitBreakerConfig | None] = {"none": None, **_configurations(options)}
    reports = {
        name: simulate(scenario, config, failover=options.failover, count_rate_limits=options.count_rate_limits)
        for name, config in configurations.items()
    }
    if question := scenario.get("question"):
        print(f"{question}\n")
    _print_table([(title, [read(report) for report in reports.values()]) for title, read in _SCORE], list(reports))
    for name, report in reports.items():
        _print_transitions(
            f"{name}:",
            [
                (it["at_seconds"], f"{scenario['providers'][it['provider']]['name']}, worker {it['worker']}", it)
                for it in report["transitions"]
            ],
        )


def _replay(options: argparse.Namespace) -> None:
    log = _read_log(options.log)
    if options.in_force is not None:
        result, _ = replay(log, CircuitBreakerConfig(**_read(options.in_force)))
        different = result["first_difference"]
        verdict = "reproduces every recorded decision" if different is None else f"differs at record {different + 1}"
        print(f"The configuration in force {verdict}.\n")
    results: dict[str, Replayed] = {}
    for name, config in _configurations(options).items():
        best, worst = replay(log, config)
        if best["unknown"] or worst["unknown"]:
            results[f"{name}, best"], results[f"{name}, worst"] = best, worst
        else:
            results[name] = best
    _print_table([(title, [read(result) for result in results.values()]) for title, read in _REPLAY], list(results))
    for name, result in results.items():
        _print_transitions(f"{name}:", [(it["at_seconds"], it["circuit"], it) for it in result["transitions"]])


def _read_log(path: Path) -> str | list[dict[str, Any]]:
    if path.suffix != ".csv":
        return path.read_text("utf-8")
    with path.open(encoding="utf-8", newline="") as file:
        return [_from_csv(row) for row in csv.DictReader(file)]


def _from_csv(row: dict[str, str]) -> dict[str, Any]:
    """A row with numbers where a record has numbers; the core refuses what remains a text."""
    record: dict[str, Any] = {}
    for name, text in row.items():
        if name.endswith("_seconds"):
            with suppress(ValueError):
                record[name] = float(text)
                continue
        if text:
            record[name] = text
    return record


def _print_table(rows: Sequence[tuple[str, Sequence[str]]], names: Sequence[str]) -> None:
    width = max(len(title) for title, _ in rows)
    columns = [
        max(12, len(name) + 2, *(len(cells[index]) + 2 for _, cells in rows)) for index, name in enumerate(names)
    ]
    print(" " * width + "".join(name.rjust(column) for name, column in zip(names, columns, strict=True)))
    for title, cells in rows:
        print(title.ljust(width) + "".join(cell.rjust(column) for cell, column in zip(cells, columns, strict=True)))


def _print_transitions(heading: str, transitions: Sequence[tuple[float, str, Mapping[str, Any]]]) -> None:
    """The first twenty; the others are counted."""
    if not transitions:
        return
    print(f"\n{heading}")
    for at, place, transition in transitions[:20]:
        print(f"  {at:10.2f} s  {place}: {transition['explanation']}")
    if len(transitions) > 20:
        print(f"  and {len(transitions) - 20:,} more")


if __name__ == "__main__":
    sys.exit(main())
